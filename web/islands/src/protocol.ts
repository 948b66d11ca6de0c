// What the page and its Worker say to each other, and the shapes both know.

// Problem is why something was refused, in sentences a person understands.
export interface Problem {
  code: string;
  title: string;
  detail: string[];
  file?: number; // which of the chosen files it is about
}

// Refusal carries a Problem through promises.
export class Refusal extends Error {
  constructor(readonly problem: Problem) {
    super(problem.code);
  }
}

export function refuse(code: string, title: string, ...detail: string[]): Refusal {
  return new Refusal({ code, title, detail });
}

// Column, Profile and Summary are the reducer's (web/islands/reducer).
export interface Column {
  name: string;
  type: string;
  unit?: string;
  source: string;
  description: string;
}

export interface Profile {
  format: string;
  pool: string;
  rows: number;
  columns: string[] | null;
  from: string;
  to: string;
  coverage: number;
  days: number;
  persons: number;
  skipped: number;
}

export interface Extent {
  profile: Profile;
  first: string;
  last: string;
}

export interface Summary {
  title: string;
  row: string;
  also: string;
  columns: Column[];
  whole: Extent;
  kept: Extent;
}

export interface Found {
  format: string;
  title: string;
  pool: string;
}

// Terms is a member's answer, as the API takes it (web/client/wire_member.go).
export type Terms = Record<string, unknown>;

// Order says what to share and on which terms.
export interface Order {
  pool: string;
  title: string; // of the pool
  recipient: string; // the member's public recipient
  register: boolean; // it is new and not known to the server yet
  consent: Terms | null; // null: the member's answer for the pool governs
}

// Pending is an upload that was begun earlier and not finished.
export interface Pending {
  title: string;
  rows: number;
  size: number;
  since: number; // Unix milliseconds
}

export interface Receipt {
  dataset: string;
  sealed: string; // when, ISO 8601
  rows: number;
  size: number;
  sha256: string;
  own: boolean; // has an answer of its own, with a signed receipt
}

// Calls is what the page can ask of the Worker.
export interface Calls {
  // hello opens this member's store. The answer says whether anything kept
  // there outlives the page, and what an earlier visit left.
  hello(member: string): { lasting: boolean; pending: Pending | null };
  // choose takes files in and tells what each one is.
  choose(files: File[]): Found[];
  reduce(pool: string): Summary;
  narrow(without: string[], from: string, to: string): Summary;
  rows(from: number, to: number): string[][];
  identity(): { secret: string; recipient: string };
  share(order: Order): Receipt;
  resume(): Receipt;
  drop(): void;
}

export type Step = "read" | "encrypt" | "upload" | "seal";

// Event is what the Worker tells without being asked.
export type Event = { event: "progress"; step: Step; done: number; total: number } | { event: "waiting"; seconds: number; offline: boolean };

export interface Request {
  id: number;
  call: keyof Calls;
  args: unknown[];
}

export type Reply = { id: number; value: unknown } | { id: number; problem: Problem };
