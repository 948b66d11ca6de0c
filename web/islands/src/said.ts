// What the scripts say, in the language of the page. An English sentence is its
// own name: a page in another language loads a script before ours that holds
// what each one is there (package language).

const messages = new Map(Object.entries((globalThis as { messages?: Record<string, string> }).messages ?? {}));

// The Worker has no page and speaks English; the page says it again (known).
const page = globalThis.document?.documentElement.lang || "en";
const locale = page === "en" ? "en-GB" : page;

// said is a sentence, with {1}, {2} … filled. Only words.ts calls it, and with
// nothing but a literal first: the catalogue of messages is read from there.
export function said(english: string, ...parts: string[]): string {
  return known(english).replace(/\{(\d)\}/g, (mark, n: string) => parts[Number(n) - 1] ?? mark);
}

// known is a sentence of the reducer, or one that the Worker has passed on. What
// nobody has translated comes back as it is.
export function known(text: string): string {
  return messages.get(text) ?? text;
}

// enumerated are names that were joined by commas, some of which hold commas.
export function enumerated(text: string): string {
  const parts = text.split(", ");
  const out: string[] = [];
  for (let from = 0; from < parts.length; ) {
    let to = parts.length;
    while (to > from + 1 && !messages.has(parts.slice(from, to).join(", "))) to--;
    out.push(known(parts.slice(from, to).join(", ")));
    from = to;
  }
  return out.join(", ");
}

export function number(n: number, digits = 0): string {
  return n.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

// day writes 2026-03-01 as 1 March 2026.
export function day(iso: string): string {
  return new Date(`${iso}T00:00:00Z`).toLocaleDateString(locale, { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
}

export function moment(at: Date): string {
  return at.toLocaleString(locale, { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" });
}

// listed joins numbers as a sentence does: 1, 2 and 3.
export function listed(numbers: number[]): string {
  return new Intl.ListFormat(locale).format(numbers.map(String));
}

// wrapped breaks a text into lines for paper.
export function wrapped(text: string, width = 72): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1]!;
    if (!line || line.length + word.length < width) lines[lines.length - 1] = line ? `${line} ${word}` : word;
    else lines.push(word);
  }
  return lines;
}
