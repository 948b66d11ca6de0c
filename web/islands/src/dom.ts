// Small words for the page. Everything is set as text: nothing that came from
// a file or a server is ever read as markup.

export function at<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no ${id}`);
  return found as T;
}

export function all<T extends HTMLElement = HTMLElement>(selector: string, within: ParentNode = document): T[] {
  return [...within.querySelectorAll<T>(selector)];
}

export function say(id: string, text: string): void {
  at(id).textContent = text;
}

// tell sets a text and shows its element only if there is one.
export function tell(id: string, text: string): void {
  say(id, text);
  at(id).hidden = text === "";
}

export function make<K extends keyof HTMLElementTagNameMap>(tag: K, ...inside: (Node | string)[]): HTMLElementTagNameMap[K] {
  const out = document.createElement(tag);
  out.append(...inside);
  return out;
}

export function list(id: string, items: string[]): void {
  at(id).replaceChildren(...items.map((i) => make("li", i)));
}

export function click(id: string, does: () => unknown): void {
  at(id).addEventListener("click", () => does());
}
