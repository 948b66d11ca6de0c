// Why something did not work, for pages that have a box for it.

import { at, make, say } from "./dom.ts";
import { type Problem, Refusal } from "./protocol.ts";
import { words } from "./words.ts";

// problemOf is what a person can be told of an error.
export function problemOf(err: unknown): Problem {
  return err instanceof Refusal ? err.problem : { code: "unexpected", title: words.unexpected, detail: [] };
}

// proofs says which proof a refusal asks for: a class of package stepup.
const proofs: Record<string, string> = { "step-up-needed": "key", "step-up-open": "open", "step-up-signer": "signer" };

// proving is where the proof is given that a refusal asks for; "" if it asks for none.
export function proving(p: Problem, back: string): string {
  const proof = proofs[p.code];
  return proof ? `/confirm/start?${new URLSearchParams({ class: proof, return: back })}` : "";
}

// trouble shows an error, with further lines about it.
export function trouble(err: unknown, ...about: string[]): void {
  const p = problemOf(err);
  say("trouble-said", p.title);
  at("trouble-more").replaceChildren(...[...p.detail, ...about].map((d) => make("li", d)));
  at("trouble-sign-in").hidden = p.code !== "signed-out";
  const proof = proving(p, "/key");
  at("trouble-confirm").hidden = !proof;
  at<HTMLAnchorElement>("trouble-confirm-link").href = proof;
  at("trouble-box").hidden = false;
  at("trouble-box").focus();
}

export function clear(): void {
  at("trouble-box").hidden = true;
}
