// The code on a recovery sheet: seven groups of five characters, made to be
// read aloud, written down and typed again. Four characters of a group are
// random, 140 bits in all; the fifth is a check.

import { refuse } from "./protocol.ts";
import { words } from "./words.ts";

// Crockford's base 32 has no I, L, O and U, which look or sound like others.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const random = 4; // characters of a group
export const groups = 7;

// twice multiplies by x in the field of 32 elements (x^5 + x^2 + 1).
function twice(a: number): number {
  const b = a << 1;
  return b & 32 ? b ^ 37 : b;
}

// check is the last character of a group. Each place has a weight of its own,
// and the group's number is counted in: one wrong character, two exchanged and
// a group in the wrong place are always found.
function check(digits: number[], group: number): number {
  let sum = 0;
  for (const d of [...digits].reverse()) sum = twice(sum ^ d);
  return sum ^ group;
}

function group(digits: number[], number: number): string {
  return [...digits, check(digits, number)].map((d) => alphabet[d]).join("");
}

// newCode makes a code.
export function newCode(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(groups * random));
  return Array.from({ length: groups }, (_, i) => group([...bytes.subarray(i * random, (i + 1) * random)].map((b) => b & 31), i + 1)).join("-");
}

// tidy is a text as its reader meant it: capitals, and the letters that are not
// in the alphabet as what they were taken for.
function tidy(text: string): string {
  return text.toUpperCase().replace(/[^0-9A-Z]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
}

function fits(text: string, number: number): boolean {
  const digits = [...text].map((c) => alphabet.indexOf(c));
  return digits.length === random + 1 && !digits.includes(-1) && check(digits.slice(0, random), number) === digits[random];
}

// readCode answers a typed code in its one form. Its refusals say which groups
// to look at again.
export function readCode(text: string): string {
  const all = tidy(text);
  if (all.length !== groups * (random + 1)) throw refuse("code-length", words.codeLength(groups * (random + 1), all.length));
  const parts = all.match(/.{5}/g)!;
  const wrong = parts.flatMap((p, i) => (fits(p, i + 1) ? [] : [i + 1]));
  if (wrong.length) throw refuse("code-wrong", words.codeWrong(wrong));
  return parts.join("-");
}

// isGroup reports whether a typed text is one group of a code.
export function isGroup(code: string, number: number, typed: string): boolean {
  return tidy(typed) === code.split("-")[number - 1];
}

// two picks two groups of a sheet to be typed back, the earlier one first.
export function two(): [number, number] {
  const [a, b] = crypto.getRandomValues(new Uint32Array(2));
  const first = 1 + (a! % groups);
  const second = 1 + ((first + (b! % (groups - 1))) % groups);
  return first < second ? [first, second] : [second, first];
}
