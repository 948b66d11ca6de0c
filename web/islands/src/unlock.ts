// Opening the member's key on this page: by a passkey, a recovery sheet or an
// identity file.

import { at, click, say, tell } from "./dom.ts";
import type { Ring } from "./ring.ts";
import { attempt } from "./sheet.ts";
import { words } from "./words.ts";

export class Unlock {
  private go: (() => void) | undefined;

  constructor(
    private readonly ring: Ring,
    trouble: (err: unknown) => void,
    private readonly clear: () => void,
  ) {
    click("unlock-passkey", () => attempt("unlock-passkey", () => this.try(() => this.ring.byPasskey()), trouble));
    at("unlock-form").addEventListener("submit", (e) => {
      e.preventDefault();
      void attempt("unlock-sheet", () => this.try(() => this.ring.bySheet(at<HTMLInputElement>("unlock-code").value)), trouble);
    });
    const file = at<HTMLInputElement>("unlock-file");
    file.addEventListener("change", async () => {
      const chosen = file.files?.[0];
      file.value = "";
      if (chosen) await this.try(async () => this.ring.byFile(await chosen.slice(0, 1 << 16).text())).catch(trouble);
    });
    click("unlock-not", () => this.end());
  }

  // ask shows the ways that there are and waits until one was gone, or nobody
  // wants it any more. Fresh asks even if the key is open.
  async ask(why: string, fresh = false): Promise<boolean> {
    if (fresh) this.ring.close();
    if (this.ring.secret) return true;
    const { ring } = this;
    at("unlock-passkey").hidden = ring.locks("passkey").length === 0;
    at("unlock-form").hidden = ring.locks("sheet").length === 0;
    at<HTMLDetailsElement>("unlock-other").open = !ring.kept;
    tell("unlock-none", ring.kept ? "" : words.noLocks);
    say("unlock-why", why);
    at("unlock").hidden = false;
    at("unlock-title").focus();
    await new Promise<void>((go) => (this.go = go));
    return ring.secret !== "";
  }

  private async try(open: () => Promise<unknown>): Promise<void> {
    this.clear();
    await open();
    this.end();
  }

  private end(): void {
    at<HTMLInputElement>("unlock-code").value = "";
    at("unlock").hidden = true;
    this.go?.();
    this.go = undefined;
  }
}
