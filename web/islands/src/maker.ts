// Making a member's key: a passkey, then the recovery sheet. Nothing is stored
// before the sheet was typed back.

import { at, click } from "./dom.ts";
import type { Hand } from "./hand.ts";
import { possible } from "./prf.ts";
import { type Lock, Refusal, refuse } from "./protocol.ts";
import type { Ring } from "./ring.ts";
import { attempt, identityFile, only, save, type Sheet } from "./sheet.ts";
import { words } from "./words.ts";

export class Maker {
  private locks: Lock[] = [];
  private inFile = false;

  constructor(
    private readonly ring: Ring,
    private readonly hand: Hand,
    private readonly sheet: Sheet,
    trouble: (err: unknown) => void,
    private readonly clear: () => void,
  ) {
    click("make-passkey", () => attempt("make-passkey", () => this.begin(true), trouble));
    click("make-sheet", () => attempt("make-sheet", () => this.begin(false), trouble));
    click("make-file", () => attempt("make-file", () => this.asFile(), trouble));
  }

  // open shows what making a key means. A key that exists already is sealed
  // instead.
  async open(): Promise<void> {
    if (this.locks.length || this.inFile) return; // it is under way
    const passkeys = await possible();
    at("make-passkey").hidden = !passkeys;
    at("no-passkeys").hidden = passkeys;
    at("make-file").hidden = this.ring.secret !== "";
    at("maker").hidden = false;
    only("make", "begin");
  }

  private async identity(): Promise<void> {
    if (!this.ring.secret) this.ring.secret = (await this.hand.ask("identity")).secret;
  }

  private async begin(withPasskey: boolean): Promise<void> {
    this.clear();
    await this.identity();
    this.locks = [];
    try {
      if (withPasskey) this.locks.push(await this.ring.passkeyLock());
    } catch (err) {
      if (!(err instanceof Refusal) || err.problem.code !== "passkey-unfit") throw err;
      at("no-passkeys").hidden = false; // it goes on with the sheet alone
      at("make-passkey").hidden = true;
    }
    const { code, lock } = await this.ring.sheetLock();
    this.locks.push(lock);
    this.inFile = false;
    at("made-passkey").hidden = this.locks.length < 2;
    only("make", "sheet");
    this.sheet.show(code);
  }

  // asFile gives the key to the member as a file, and nothing to the server.
  private async asFile(): Promise<void> {
    this.clear();
    await this.identity();
    save(identityFile, words.identity(new Date(), this.ring.secret));
    this.inFile = true;
    only("make", "file");
  }

  // finish registers the key once it cannot be lost at once, and answers its
  // public recipient.
  async finish(): Promise<string> {
    if (this.inFile) {
      await this.ring.register(await this.hand.ask("recipientOf", this.ring.secret));
      return this.ring.registered;
    }
    if (!this.locks.length) throw refuse("key-missing", words.keyMissing);
    this.sheet.kept();
    await this.ring.save(this.locks);
    this.sheet.forget();
    this.locks = [];
    at("maker").hidden = true;
    return this.ring.registered;
  }
}
