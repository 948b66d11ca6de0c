// The page "My key".

import { isStatus } from "./api.ts";
import { at, click, make, say } from "./dom.ts";
import { Maker } from "./maker.ts";
import type { Bench } from "./own.ts";
import { possible } from "./prf.ts";
import { type Lock, refuse } from "./protocol.ts";
import { attempt, identityFile, only, save, Sheet } from "./sheet.ts";
import { clear, trouble } from "./trouble.ts";
import { words } from "./words.ts";

export async function keys(b: Bench): Promise<void> {
  await new Keys(b).open();
}

class Keys {
  private readonly sheet: Sheet;
  private readonly maker: Maker;
  private extra: Lock | null = null; // a new sheet's, until it was typed back

  constructor(private readonly b: Bench) {
    this.sheet = new Sheet(b.coop);
    this.maker = new Maker(b.ring, b.hand, this.sheet, trouble, clear);
    const button = (id: string, does: () => Promise<unknown>) =>
      click(id, () =>
        attempt(id, async () => {
          clear();
          await does();
        }, trouble),
      );
    button("sheet-done", () => this.finish());
    button("file-done", () => this.finish());
    button("bring-on", () => this.bring());
    button("add-passkey", () => this.addPasskey());
    button("new-sheet", () => this.newSheet());
    button("export", () => this.export());
    at("check-form").addEventListener("submit", (e) => {
      e.preventDefault();
      void attempt("check-sheet", () => this.check(), trouble);
    });
  }

  // open shows what there is: a key under lock, a key elsewhere, or none.
  async open(): Promise<void> {
    const { ring } = this.b;
    if (ring.kept) return this.show();
    if (ring.registered) return only("key", "bring");
    only("key", "make");
    await this.maker.open();
  }

  private async show(said = ""): Promise<void> {
    const { ring } = this.b;
    at("maker").hidden = true;
    only("key", "kept");
    at("key-said").hidden = said === "";
    say("key-said", said);
    at("other-key").hidden = ring.recipient === ring.registered;
    at("one-way").hidden = ring.kept!.locks.length > 1;
    at("no-sheet").hidden = ring.locks("sheet").length > 0;
    at("check-form").hidden = ring.locks("sheet").length === 0;
    at("add-passkey").hidden = !(await possible());
    at("locks").replaceChildren(...ring.kept!.locks.map((l) => this.row(l)));
    if (said) at("key-said").focus();
  }

  private row(lock: Lock): HTMLElement {
    const name = words.lockName(lock.kind === "sheet", lock.label);
    const what = make("div", make("strong", name), make("p", words.lockMade(new Date(lock.made_at))));
    const row = make("li", what);
    if (this.b.ring.kept!.locks.length < 2) return row;
    const button = make("button", words.remove, make("span", ` ${name}`));
    button.type = "button";
    button.id = `remove-${lock.id}`;
    button.className = "secondary outline";
    button.lastElementChild!.className = "away";
    button.addEventListener("click", () => attempt(button.id, () => this.remove(lock), trouble));
    row.append(button);
    return row;
  }

  private async finish(): Promise<void> {
    if (this.extra) {
      this.sheet.kept();
      await this.store([...this.b.ring.kept!.locks.filter((l) => l.kind !== "sheet"), this.extra]);
      this.extra = null;
      this.sheet.forget();
      return this.show(words.newSheetDone);
    }
    await this.maker.finish();
    if (this.b.ring.kept) return this.show(words.keyDone);
    only("key", "bring");
  }

  // store puts locks in place, and shows what is there if others were first.
  private async store(locks: Lock[]): Promise<void> {
    try {
      await this.b.ring.save(locks);
    } catch (err) {
      if (isStatus(err, 412)) await this.show();
      throw err;
    }
  }

  // bring takes in a key that the member has in a file.
  private async bring(): Promise<void> {
    if (!(await this.b.unlock.ask(words.whyBring))) return;
    only("key", "make");
    await this.maker.open();
  }

  private async addPasskey(): Promise<void> {
    if (!(await this.b.unlock.ask(words.whyAdd))) return;
    const lock = await this.b.ring.passkeyLock();
    await this.store([...this.b.ring.kept!.locks, lock]);
    await this.show(words.passkeyDone);
  }

  private async newSheet(): Promise<void> {
    if (!(await this.b.unlock.ask(words.whyAdd))) return;
    const { code, lock } = await this.b.ring.sheetLock();
    this.extra = lock;
    only("key", "make");
    at("maker").hidden = false;
    only("make", "sheet");
    at("made-passkey").hidden = true;
    this.sheet.show(code);
  }

  private async remove(lock: Lock): Promise<void> {
    clear();
    const name = words.lockName(lock.kind === "sheet", lock.label);
    if (!(await this.b.unlock.ask(words.whyRemove(name)))) return;
    const rest = this.b.ring.kept!.locks.filter((l) => l.id !== lock.id);
    if (!rest.length) throw refuse("last-lock", words.lastLock);
    await this.store(rest);
    await this.show(words.removed(name));
  }

  // check opens the key with the sheet and forgets it at once.
  private async check(): Promise<void> {
    clear();
    const box = at<HTMLInputElement>("check-code");
    const open = this.b.ring.secret;
    await this.b.ring.bySheet(box.value);
    this.b.ring.secret = open;
    box.value = "";
    await this.show(words.sheetOpens);
  }

  // export asks for the passkey or the sheet each time, even if the key is open.
  private async export(): Promise<void> {
    if (!(await this.b.unlock.ask(words.whyExport, true))) return;
    save(identityFile, words.identity(new Date(), this.b.ring.secret));
    this.b.ring.close();
    await this.show(words.exported);
  }
}
