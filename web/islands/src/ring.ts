// A member's key in this page: what the server keeps of it under lock, and the
// identity itself while it is open. It is never written down here; leaving the
// page closes it.

import { isStatus, type Patience } from "./api.ts";
import { newCode, readCode } from "./code.ts";
import type { Hand } from "./hand.ts";
import * as prf from "./prf.ts";
import { type Document, type Lock, refuse } from "./protocol.ts";
import { words } from "./words.ts";

const path = "/v1/me/sealed-identity";

export class Ring {
  kept: Document | null = null; // on the server
  registered = ""; // recipient of the member's account
  secret = ""; // while it is open
  private tag = ""; // of what is kept

  constructor(
    private readonly api: Patience,
    private readonly hand: Hand,
    private readonly coop: string,
  ) {}

  // load reads what the server has. An account that lost its way between the
  // two steps of registering is put right.
  async load(): Promise<void> {
    this.registered = (await this.api.json<{ recipient: string }>("GET", "/v1/me")).recipient;
    await this.read();
    if (this.kept && !this.registered) await this.register(this.kept.recipient);
  }

  private async read(): Promise<void> {
    try {
      const answer = await this.api.insist(() => this.api.fetch(path, { method: "GET", headers: { Accept: "application/json" } }));
      this.tag = answer.headers.get("ETag") ?? "";
      this.kept = (await answer.json()) as Document;
    } catch (err) {
      if (!isStatus(err, 404)) throw err;
      this.kept = null;
    }
  }

  // register tells the server the public recipient that data is encrypted to.
  async register(recipient: string): Promise<void> {
    if (this.registered !== recipient) await this.api.json("PUT", "/v1/me/recipient", { recipient });
    this.registered = recipient;
  }

  // recipient is the one of the key that this page is about.
  get recipient(): string {
    return this.kept?.recipient ?? this.registered;
  }

  locks(kind: Lock["kind"]): Lock[] {
    return (this.kept?.locks ?? []).filter((l) => l.kind === kind);
  }

  // bySheet opens the key with the code of a sheet, as it was typed. What a sheet
  // opens is given to who has shown in the last minutes that it is them.
  async bySheet(typed: string): Promise<Lock> {
    const code = readCode(typed);
    const held = () => this.locks("sheet").every((l) => l.sealed);
    if (!held()) await this.read();
    if (!held()) throw refuse("step-up-open", words.sheetUnsure);
    for (const lock of this.locks("sheet")) {
      const secret = await this.hand.ask("openSheet", lock.sealed, code);
      if (secret) return this.opened(secret, lock);
    }
    throw refuse("other-sheet", words.otherSheet);
  }

  // byPasskey opens it with a passkey that is here.
  async byPasskey(): Promise<Lock> {
    const keys = await this.hand.ask("passkeys", this.locks("passkey"));
    const { lock: id, answer } = await prf.use(keys);
    const lock = this.locks("passkey").find((l) => l.id === id)!;
    const secret = await this.hand.ask("openPasskey", lock.sealed, answer);
    if (!secret) throw refuse("passkey-unfit", words.passkeyUnfit);
    return this.opened(secret, lock);
  }

  // byFile opens it with an identity file.
  async byFile(text: string): Promise<void> {
    const found = await this.hand.ask("identities", text);
    const own = found.find((i) => !this.recipient || i.recipient === this.recipient);
    if (!own) throw refuse("other-identity", words.otherFile);
    this.secret = own.secret;
  }

  private async opened(secret: string, lock: Lock): Promise<Lock> {
    if ((await this.hand.ask("recipientOf", secret)) !== this.kept?.recipient) throw refuse("other-identity", words.otherSheet);
    this.secret = secret;
    return lock;
  }

  close(): void {
    this.secret = "";
  }

  // passkeyLock makes a passkey on this device and seals the open key to it.
  async passkeyLock(): Promise<Lock> {
    const inputs = await this.hand.ask("inputs");
    const known = await this.hand.ask("passkeys", this.locks("passkey"));
    const { credential, answer } = await prf.make(this.coop, words.passkeyName(this.coop), inputs, known);
    const sealed = await this.hand.ask("sealPasskey", this.secret, inputs.nonce, answer);
    return { ...lock("passkey", words.device()), credential: await this.hand.ask("credential", credential), sealed };
  }

  // sheetLock seals the open key to a new code.
  async sheetLock(): Promise<{ code: string; lock: Lock }> {
    const code = newCode();
    return { code, lock: { ...lock("sheet", ""), sealed: await this.hand.ask("sealSheet", this.secret, code) } };
  }

  // save stores locks in place of those that were read. If they have changed
  // meanwhile nothing is stored and they are read anew.
  async save(locks: Lock[]): Promise<void> {
    const recipient = await this.hand.ask("recipientOf", this.secret);
    const document: Document = { version: 1, recipient, locks };
    const condition: Record<string, string> = this.kept ? { "If-Match": this.tag } : { "If-None-Match": "*" };
    try {
      const headers = { ...condition, "Content-Type": "application/json", Accept: "application/json" };
      const answer = await this.api.insist(() => this.api.fetch(path, { method: "PUT", headers, body: JSON.stringify(document) }));
      this.tag = answer.headers.get("ETag") ?? "";
      this.kept = document;
    } catch (err) {
      if (isStatus(err, 412) && !(await this.arrived(document))) throw err;
      if (!isStatus(err, 412)) throw err;
    }
    await this.register(recipient);
  }

  // arrived reads what is there now, and tells whether it is what was sent: the
  // answer to an earlier try may have been lost.
  private async arrived(document: Document): Promise<boolean> {
    await this.read();
    const there = this.kept?.locks ?? [];
    const same = (a: Lock, b: Lock | undefined) => a.id === b?.id && (a.sealed === b.sealed || !a.sealed || !b.sealed); // or left out
    return there.length === document.locks.length && document.locks.every((l, i) => same(l, there[i]));
  }
}

// lock begins one that is made now.
function lock(kind: Lock["kind"], label: string): Omit<Lock, "sealed"> {
  const id = [...crypto.getRandomValues(new Uint8Array(8))].map((b) => b.toString(16).padStart(2, "0")).join("");
  return { id, kind, label, made_at: new Date().toISOString().replace(/\.\d+/, "") };
}
