// The member's key. The first time, one is made here, in the browser, and
// given to the member on a recovery sheet before anything is sent; the server
// only ever learns the public recipient.

import type { Patience } from "./api.ts";
import { at, click, say } from "./dom.ts";
import type { Hand } from "./hand.ts";
import { refuse } from "./protocol.ts";
import { words } from "./words.ts";

export class Key {
  recipient = "";
  made = false; // here, just now
  private secret = "";
  private saved = false;

  constructor(
    private readonly api: Patience,
    private readonly hand: Hand,
    private readonly coop: string,
  ) {
    click("sheet-save", () => this.save());
    click("sheet-print", () => this.print());
  }

  // open finds the registered recipient, or makes an identity.
  async open(): Promise<void> {
    if (!this.recipient) {
      const me = await this.api.json<{ recipient: string }>("GET", "/v1/me");
      this.recipient = me.recipient;
    }
    if (!this.recipient) {
      const made = await this.hand.ask("identity");
      this.recipient = made.recipient;
      this.secret = made.secret;
      this.made = true;
    }
    at("key-new").hidden = !this.made;
    at("key-known").hidden = this.made;
  }

  // ready refuses to go on before the sheet is in the member's hands.
  ready(): void {
    if (this.made && !this.saved) throw refuse("sheet-missing", words.sheetMissing);
  }

  // forget drops the secret: it is on the sheet now.
  forget(): void {
    this.secret = "";
  }

  private get sheet(): string {
    return words.sheet(this.coop, new Date(), this.secret);
  }

  private save(): void {
    const url = URL.createObjectURL(new Blob([this.sheet], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = words.sheetName;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    this.has();
  }

  private print(): void {
    say("sheet", this.sheet);
    const root = document.documentElement.classList;
    root.add("only-sheet");
    const after = () => {
      root.remove("only-sheet");
      say("sheet", "");
    };
    window.addEventListener("afterprint", after, { once: true }); // some browsers print only later
    window.print();
    this.has();
  }

  private has(): void {
    this.saved = true;
    at("sheet-saved").hidden = false;
  }
}
