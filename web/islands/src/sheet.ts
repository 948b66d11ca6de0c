// The recovery sheet on the page: shown, saved or printed, and typed back, so
// that nobody goes on who has not kept it.

import { isGroup, two } from "./code.ts";
import { all, at, click, make, say } from "./dom.ts";
import { refuse } from "./protocol.ts";
import { words } from "./words.ts";

// Names of files are the same in every language: pages and programs name them.
export const identityFile = "my-key.txt";
const sheetFile = "recovery-sheet.txt";

export class Sheet {
  private code = "";
  private asked: [number, number] = [1, 2];

  constructor(private readonly coop: string) {
    click("sheet-save", () => save(sheetFile, words.sheet(this.coop, new Date(), this.code)));
    click("sheet-print", () => this.print());
    click("sheet-again", () => this.reveal(true));
    // Who types it back reads it from their own copy.
    for (const id of ["typed-first", "typed-second"]) at(id).addEventListener("focus", () => this.reveal(false));
  }

  // show begins with a new code.
  show(code: string): void {
    this.code = code;
    this.asked = two();
    for (const [i, id] of ["typed-first", "typed-second"].entries()) {
      at<HTMLInputElement>(id).value = "";
      say(`${id}-label`, words.typeGroup(this.asked[i]!));
    }
    at("sheet-box").hidden = false;
    this.reveal(true);
  }

  private reveal(shown: boolean): void {
    at("sheet-code").replaceChildren(...this.code.split("-").map((g, i) => make("li", shown ? g : "•••••", make("span", shown ? ` ${i + 1}` : ""))));
    at("sheet-again").hidden = shown;
  }

  // kept refuses to go on before two groups of it were typed back.
  kept(): void {
    const wrong = ["typed-first", "typed-second"].flatMap((id, i) => (isGroup(this.code, this.asked[i]!, at<HTMLInputElement>(id).value) ? [] : [id]));
    for (const id of ["typed-first", "typed-second"]) at(id).ariaInvalid = wrong.includes(id) ? "true" : null;
    if (wrong.length) throw refuse("sheet-missing", words.sheetMissing);
  }

  // forget takes the code from the page.
  forget(): void {
    this.code = "";
    at("sheet-box").hidden = true;
    for (const id of ["sheet-code", "sheet"]) at(id).replaceChildren();
  }

  private print(): void {
    const lines = words.sheet(this.coop, new Date(), this.code);
    say("sheet", lines);
    const root = document.documentElement.classList;
    root.add("only-sheet");
    const after = () => {
      root.remove("only-sheet");
      say("sheet", "");
    };
    window.addEventListener("afterprint", after, { once: true }); // some browsers print only later
    window.print();
  }
}

// save hands a text to the browser as a file.
export function save(name: string, what: string | Blob): void {
  const url = URL.createObjectURL(what instanceof Blob ? what : new Blob([what], { type: "text/plain" }));
  const link = make("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// attempt does what a button is for, once at a time, and tells of trouble.
export async function attempt(button: string, does: () => Promise<unknown>, trouble: (err: unknown) => void): Promise<void> {
  const it = at<HTMLButtonElement>(button);
  if (it.ariaDisabled === "true") return;
  it.ariaDisabled = "true";
  try {
    await does();
  } catch (err) {
    trouble(err);
  } finally {
    it.ariaDisabled = null;
  }
}

// only shows one of several parts of a page.
export function only(name: string, value: string): void {
  for (const part of all(`[data-${name}]`)) part.hidden = part.dataset[name] !== value;
}
