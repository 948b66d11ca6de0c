// Why something did not work, for pages that have a box for it.

import { at, make, say } from "./dom.ts";
import { type Problem, Refusal } from "./protocol.ts";
import { words } from "./words.ts";

// problemOf is what a person can be told of an error.
export function problemOf(err: unknown): Problem {
  return err instanceof Refusal ? err.problem : { code: "unexpected", title: words.unexpected, detail: [] };
}

// trouble shows an error, with further lines about it.
export function trouble(err: unknown, ...about: string[]): void {
  const p = problemOf(err);
  say("trouble-said", p.title);
  at("trouble-more").replaceChildren(...[...p.detail, ...about].map((d) => make("li", d)));
  at("trouble-sign-in").hidden = p.code !== "signed-out";
  at("trouble-confirm").hidden = p.code !== "step-up-needed";
  at("trouble-box").hidden = false;
  at("trouble-box").focus();
}

export function clear(): void {
  at("trouble-box").hidden = true;
}
