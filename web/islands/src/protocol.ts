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

// Left counts files of one kind that were not read.
export interface Left {
  kind: string;
  count: number;
}

export interface Summary {
  title: string;
  row: string;
  also: string;
  left: Left[];
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
  secret: string; // their identity, where they keep the only key; else ""
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

// Document is a member's identity under lock, as the server keeps it
// (web/sealed).
export interface Document {
  version: 1;
  recipient: string;
  locks: Lock[];
}

export interface Lock {
  id: string;
  kind: "sheet" | "passkey";
  label: string;
  made_at: string;
  credential?: string;
  sealed: string;
}

// Passkey says where a passkey is to be found.
export interface Passkey {
  id: ArrayBuffer;
  rp: string;
  transports: string[];
}

// Inputs are what a passkey is asked; Answered what it says to that, which
// nobody else can.
export interface Inputs {
  nonce: string;
  first: ArrayBuffer;
  second: ArrayBuffer;
}

export interface Answered {
  first: ArrayBuffer;
  second: ArrayBuffer;
}

export interface Identity {
  secret: string;
  recipient: string;
}

// Calls is what the page can ask of the Worker.
export interface Calls {
  // hello opens this member's store. The answer says whether anything kept
  // there outlives the page, and what an earlier visit left.
  hello(member: string): { lasting: boolean; pending: Pending | null };
  // choose takes files in and tells what each one is; of a folder, what those
  // of it are that belong together.
  choose(files: File[], folder: boolean): Found[];
  reduce(pool: string): Summary;
  narrow(without: string[], from: string, to: string): Summary;
  rows(from: number, to: number): string[][];
  identity(): Identity;
  // identities finds the keys in an identity file.
  identities(text: string): Identity[];
  recipientOf(secret: string): string;
  // Sealing and opening an identity. What does not open it answers "".
  sealSheet(secret: string, code: string): string;
  openSheet(sealed: string, code: string): string;
  inputs(): Inputs;
  sealPasskey(secret: string, nonce: string, answer: Answered): string;
  openPasskey(sealed: string, answer: Answered): string;
  credential(passkey: Passkey): string;
  passkeys(locks: Lock[]): (Passkey & { lock: string; inputs: Inputs })[];
  // open fetches and opens one of the member's datasets.
  open(dataset: string, secret: string): Blob;
  // approve answers a waiting request with yes; also are further public signing
  // keys of the member's.
  approve(id: string, member: string, secret: string, fingerprint: string, also: Uint8Array[]): void;
  signer(text: string): Uint8Array;
  share(order: Order): Receipt;
  resume(): Receipt;
  drop(): void;
}

export type Step = "read" | "encrypt" | "upload" | "seal" | "open";

// Event is what the Worker tells without being asked.
export type Event = { event: "progress"; step: Step; done: number; total: number } | { event: "waiting"; seconds: number; offline: boolean };

export interface Request {
  id: number;
  call: keyof Calls;
  args: unknown[];
}

export type Reply = { id: number; value: unknown } | { id: number; problem: Problem };
