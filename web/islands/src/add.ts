// The page "Add data": choose, look, answer, check, send, receipt.

import { Answer } from "./answer.ts";
import { Patience } from "./api.ts";
import { dropped } from "./drop.ts";
import { all, at, click, list, say, tell } from "./dom.ts";
import { Hand } from "./hand.ts";
import { Look } from "./look.ts";
import { type Event, type Receipt, refuse } from "./protocol.ts";
import { Maker } from "./maker.ts";
import { Ring } from "./ring.ts";
import { Send } from "./send.ts";
import { Sheet } from "./sheet.ts";
import * as box from "./trouble.ts";
import { Unlock } from "./unlock.ts";
import { words } from "./words.ts";

type Name = "pending" | "choose" | "look" | "answer" | "check" | "send" | "done";

// counted are the steps that the member walks to and fro.
const counted: Name[] = ["choose", "look", "answer", "check"];
const titles: Partial<Record<Name, string>> = {
  choose: words.steps.choose,
  look: words.steps.look,
  answer: words.steps.consent,
  check: words.steps.check,
};

class Page {
  private readonly root = at("add");
  private readonly data = this.root.dataset as { member: string; coop: string; folder: string };
  private readonly api = new Patience((e) => this.hear(e));
  private readonly hand = new Hand(this.data.folder, (e) => this.hear(e), () => this.trouble(new Error("the Worker is gone")));
  private readonly look = new Look(this.hand, (err) => this.trouble(err), () => this.clear());
  private readonly answer = new Answer(this.api);
  private readonly ring = new Ring(this.api, this.hand, this.data.coop);
  private readonly maker = new Maker(this.ring, this.hand, new Sheet(this.data.coop), (err) => this.trouble(err), () => this.clear());
  private readonly unlock = new Unlock(this.ring, (err) => this.trouble(err), () => this.clear());
  private readonly send = new Send();
  private lasting = true;
  private pool = { id: "", title: "" };
  private files: File[] = [];
  private step: Name = "choose";
  private sending = false;

  async open(): Promise<void> {
    this.listen();
    this.root.hidden = false;
    try {
      const { lasting, pending } = await this.hand.ask("hello", this.data.member);
      this.lasting = lasting;
      if (pending) {
        say("pending-what", `${pending.title}, ${words.rows(pending.rows)}, ${words.bytes(pending.size)}`);
        say("pending-since", words.moment(new Date(pending.since)));
      }
      this.go(pending ? "pending" : "choose", false);
    } catch (err) {
      this.trouble(err);
    }
  }

  private listen(): void {
    for (const id of ["files", "folder"]) {
      const chosen = at<HTMLInputElement>(id);
      chosen.addEventListener("change", () => {
        const files = [...(chosen.files ?? [])];
        chosen.value = ""; // so that the same file can be chosen again
        void this.chose(files, id === "folder");
      });
    }
    at("folder-choice").hidden = !("webkitdirectory" in HTMLInputElement.prototype);
    this.listenToDrops(at("drop"));
    click("look-on", () => this.toAnswer());
    at("answer-form").addEventListener("submit", (e) => {
      e.preventDefault();
      void this.attempt("answer-on", () => this.toCheck());
    });
    click("share", () => this.attempt("share", () => this.share()));
    click("pending-on", () => this.run(() => this.hand.ask("resume")));
    click("pending-drop", () => this.attempt("pending-drop", () => this.drop()));
    click("stopped-again", () => this.run(() => this.hand.ask("resume")));
    click("stopped-new", () => this.go("choose"));
    for (const link of all<HTMLElement>("[data-to]")) link.addEventListener("click", () => this.go(link.dataset.to as Name));
    window.addEventListener("popstate", (e) => this.back((e.state as { step?: Name } | null)?.step));
    window.addEventListener("beforeunload", (e) => {
      if (this.sending && !this.lasting) e.preventDefault();
    });
  }

  private listenToDrops(area: HTMLElement): void {
    for (const kind of ["dragover", "dragleave", "drop"] as const) {
      area.addEventListener(kind, (e) => {
        e.preventDefault();
        area.classList.toggle("over", kind === "dragover");
        if (kind === "drop" && e.dataTransfer) void dropped(e.dataTransfer).then(({ files, folder }) => this.chose(files, folder), (err: unknown) => this.trouble(err));
      });
    }
  }

  // attempt does what a button is for and says why it did not work.
  private async attempt(button: string, does: () => Promise<void>): Promise<void> {
    const it = at<HTMLButtonElement>(button);
    if (it.ariaDisabled === "true") return;
    this.clear();
    it.ariaDisabled = "true";
    try {
      await does();
    } catch (err) {
      this.trouble(err);
    } finally {
      it.ariaDisabled = null;
    }
  }

  // chose reads files on this device.
  private async chose(files: File[], folder: boolean): Promise<void> {
    if (!files.length || !at("reading").hidden) return;
    this.files = files;
    this.clear();
    tell("reading", words.reading(words.bytes(0), words.bytes(files.reduce((sum, f) => sum + f.size, 0))));
    try {
      await this.read(files, folder);
      this.go("look");
    } catch (err) {
      this.trouble(err);
    } finally {
      at("reading").hidden = true;
    }
  }

  private async read(files: File[], folder: boolean): Promise<void> {
    const found = await this.hand.ask("choose", files, folder);
    const pool = found[0]!.pool;
    const other = found.find((f) => f.pool !== pool);
    if (other) throw refuse("two-pools", words.twoPools(this.poolTitle(pool) || pool, this.poolTitle(other.pool) || other.pool));
    if (!this.poolTitle(pool)) throw refuse("no-such-pool", words.noSuchPool);
    this.pool = { id: pool, title: this.poolTitle(pool) };
    await this.look.open(await this.hand.ask("reduce", pool), this.pool.title);
  }

  // poolTitle is empty for a pool that the co-op does not have.
  private poolTitle(pool: string): string {
    return document.querySelector<HTMLElement>(`[data-pool="${CSS.escape(pool)}"]`)?.dataset.title ?? "";
  }

  private toAnswer(): void {
    this.answer.open(this.pool.id);
    this.go("answer");
  }

  private async toCheck(): Promise<void> {
    await this.answer.take();
    if (!this.ring.registered) await this.ring.load();
    at("key-known").hidden = !this.ring.registered;
    if (!this.ring.registered) await this.maker.open();
    say("check-data", `${words.found(this.look.summary.title)}: ${this.look.extent}`);
    say("check-columns", words.leftOut(this.look.leftOut));
    list("check-answer", this.answer.sentences);
    this.go("check");
  }

  private async share(): Promise<void> {
    const recipient = this.ring.registered || (await this.maker.finish());
    const secret = at<HTMLInputElement>("custody-self").checked ? await this.only(recipient) : "";
    if (secret === null) return;
    const { id, title } = this.pool;
    const order = { pool: id, title, recipient, secret, consent: this.answer.terms };
    void this.run(() => this.hand.ask("share", order));
  }

  // only opens the key of a member who wants to keep the only one: that they
  // have it is shown before anything hangs on it. Null: they thought better of it.
  private async only(recipient: string): Promise<string | null> {
    if (!(await this.unlock.ask(words.whyCustody))) return null;
    if ((await this.hand.ask("recipientOf", this.ring.secret)) === recipient) return this.ring.secret;
    this.ring.close();
    throw refuse("other-identity", words.otherFile);
  }

  // run sends, by whatever way, and ends at the receipt.
  private async run(way: () => Promise<Receipt>): Promise<void> {
    this.clear();
    this.go("send", false);
    this.send.start(this.lasting);
    this.sending = true;
    try {
      this.done(await way());
    } catch (err) {
      this.send.stop(err, this.lasting);
    } finally {
      this.sending = false;
    }
  }

  private async drop(): Promise<void> {
    await this.hand.ask("drop");
    this.go("choose");
  }

  private done(r: Receipt): void {
    this.ring.close();
    say("receipt-id", r.dataset);
    say("receipt-when", words.moment(new Date(r.sealed)));
    say("receipt-rows", words.number(r.rows));
    say("receipt-size", words.bytes(r.size));
    say("receipt-sum", r.sha256);
    at<HTMLAnchorElement>("receipt-data").href = `/data/${r.dataset}`;
    const scope = r.own ? `datasets/${r.dataset}` : `pools/${this.pool.id}`;
    const link = at<HTMLAnchorElement>("receipt-consent");
    link.href = `/v1/me/consents/${scope}/receipt`;
    link.hidden = !r.own && !this.pool.id;
    this.go("done", false);
  }

  private hear(e: Event): void {
    if (e.event === "progress" && e.step === "read") {
      if (!at("reading").hidden) say("reading", words.reading(words.bytes(e.done), words.bytes(e.total)));
      return;
    }
    this.send.hear(e);
  }

  // go shows a step, and remembers it for the browser's way back.
  private go(step: Name, remember = true): void {
    this.clear();
    this.step = step;
    for (const s of all("[data-step]")) s.hidden = s.dataset.step !== step;
    at("elsewhere").hidden = step !== "choose";
    const n = counted.indexOf(step);
    tell("where", n < 0 ? "" : words.step(n + 1, counted.length, titles[step] ?? ""));
    if (remember) history.pushState({ step }, "");
    else history.replaceState({ step }, "");
    const head = document.querySelector<HTMLElement>(`[data-step="${step}"] h2`);
    if (remember || n < 0) head?.focus();
    window.scrollTo(0, 0);
  }

  // back follows the browser to an earlier step. Once something is on its way
  // there is no going back.
  private back(step: Name | undefined): void {
    const open = counted.indexOf(this.step);
    if (step === undefined || open < 0 || counted.indexOf(step) < 0 || counted.indexOf(step) > open) {
      history.replaceState({ step: this.step }, "");
      return;
    }
    this.go(step, false);
  }

  private clear(): void {
    box.clear();
  }

  // trouble says why something did not work. A file's name is shown here and
  // nowhere else.
  private trouble(err: unknown): void {
    const { file } = box.problemOf(err);
    box.trouble(err, ...(file === undefined || this.files.length < 2 ? [] : [words.inFile(this.files[file]?.name ?? "")]));
  }
}

const able = "Worker" in window && "WebAssembly" in window && "subtle" in (window.crypto ?? {}) && "locks" in navigator;
at<HTMLDetailsElement>("program").open = !able; // it stands open where there is no script
if (able) void new Page().open();
else at("unable").hidden = false;
