// The step "Send": progress in words and as a bar, and what to do when it
// stops.

import { all, at, say, tell } from "./dom.ts";
import { type Event, type Problem, Refusal } from "./protocol.ts";
import { proving } from "./trouble.ts";
import { words } from "./words.ts";

const smoothing = 0.3; // of the newest speed
const settled = 2000; // milliseconds before a speed is told

export class Send {
  private step = "";
  private begun = 0; // milliseconds
  private last = { at: 0, done: 0 };
  private speed = 0; // bytes a millisecond

  // hear shows progress.
  hear(e: Event): void {
    if (e.event === "waiting") return tell("send-waiting", e.offline ? words.offline : words.waiting(e.seconds));
    if (e.step === "read") return;
    tell("send-waiting", "");
    if (e.step !== this.step) this.begin(e.step);
    this.measure(e.done);
    this.show(e.done, e.total);
  }

  private begin(step: string): void {
    this.step = step;
    this.begun = performance.now();
    this.last = { at: this.begun, done: -1 };
    this.speed = 0;
    say("send-what", { encrypt: words.encrypting, upload: words.uploading, seal: words.finishing }[step] ?? "");
  }

  private measure(done: number): void {
    const now = performance.now();
    if (this.last.done >= 0 && now > this.last.at) {
      const newest = Math.max(0, done - this.last.done) / (now - this.last.at);
      this.speed = this.speed ? this.speed * (1 - smoothing) + newest * smoothing : newest;
    }
    this.last = { at: now, done };
  }

  private show(done: number, total: number): void {
    const bar = at<HTMLProgressElement>("send-bar");
    if (this.step === "seal") {
      bar.removeAttribute("value");
      return say("send-figures", "");
    }
    bar.max = total || 1;
    bar.value = done;
    const figures = [words.progress(words.bytes(done), words.bytes(total))];
    if (this.speed > 0 && done < total && performance.now() - this.begun > settled) {
      figures.push(words.speed(words.bytes(this.speed * 1000)), words.left((total - done) / this.speed / 1000));
    }
    say("send-figures", figures.join(" · "));
  }

  // start clears what an earlier try said.
  start(lasting: boolean): void {
    this.step = "";
    at("send-stopped").hidden = true;
    at("send-going").hidden = false;
    tell("send-waiting", "");
    for (const e of all("[data-lasting]")) e.hidden = (e.dataset.lasting === "yes") !== lasting;
    say("send-what", words.opening);
    say("send-figures", "");
    at<HTMLProgressElement>("send-bar").removeAttribute("value");
  }

  // stop says why it does not go on, and what can be done.
  stop(err: unknown, lasting: boolean): void {
    const p: Problem = err instanceof Refusal ? err.problem : { code: "unexpected", title: words.unexpected, detail: [] };
    at("send-going").hidden = true;
    at("send-stopped").hidden = false;
    say("stopped-title", p.title);
    const out = p.code === "signed-out";
    const detail = [...p.detail];
    if (out) detail.push(words.signInThere);
    else if (p.code === "lost") detail.push(lasting ? words.kept : words.stay);
    at("stopped-sign-in").hidden = !out;
    const proof = proving(p, "/data");
    if (proof) detail.push(words.confirmThere);
    tell("stopped-detail", detail.join(" "));
    at("stopped-confirm").hidden = !proof;
    at<HTMLAnchorElement>("stopped-confirm").href = proof;
    const final = ["gone", "over-size", "other-kind", "bad-key"].includes(p.code);
    at("stopped-again").hidden = final;
    at("stopped-new").hidden = !final;
    at("send-stopped").focus();
  }
}
