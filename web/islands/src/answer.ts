// The step "Answer": what the data may be used for. The form is the portal's
// own; the server reads it and says in sentences what it means, so that there
// is one place that knows.

import type { Patience } from "./api.ts";
import { all, at, list, make, say } from "./dom.ts";
import type { Terms } from "./protocol.ts";
import { words } from "./words.ts";

interface Meaning {
  terms: Terms;
  sentences: string[];
}

export class Answer {
  // What was answered. No terms: the answer for the pool governs.
  terms: Terms | null = null;
  sentences: string[] = [];
  private standing: string[] = [];

  private touched = false;

  constructor(private readonly api: Patience) {
    this.form.addEventListener("change", (e) => {
      this.touched = true;
      const rules = this.form.querySelector("details");
      if (rules && (e.target as HTMLInputElement).value === "own") rules.open = true;
    });
  }

  private get form(): HTMLFormElement {
    return at<HTMLFormElement>("answer-form");
  }

  // open offers the pool's standing answer, if there is one, and else says what
  // holds without one.
  open(pool: string): void {
    this.standing = this.said(`standing-${pool}`);
    const offered = this.standing.length > 0;
    at("standing").hidden = !offered;
    list("standing-says", this.standing);
    const meanwhile = this.said(`default-${pool}`);
    at("default-says").hidden = meanwhile.length === 0;
    list("default-says", meanwhile);
    const box = at<HTMLInputElement>("preset-pool");
    box.disabled = !offered;
    if (!this.touched) this.start(pool, offered);
    if (!offered) box.checked = false;
    at<HTMLInputElement>("answer-pool").value = pool;
    say("pool-price", `${document.getElementById(`price-${pool}`)?.textContent ?? ""} `);
  }

  private said(id: string): string[] {
    return all("li", document.getElementById(id) ?? make("ul")).map((li) => li.textContent ?? "");
  }

  // start fills the form in with what the charter lets an answer for the pool
  // start from, as the portal's own page does. It never allows anything.
  private start(pool: string, offered: boolean): void {
    const from = document.getElementById(`default-${pool}`)?.dataset ?? {};
    const preset = offered ? "pool" : from.answer === "ask" ? "ask" : "";
    for (const box of all<HTMLInputElement>("input[name=preset]", this.form)) box.checked = box.value === preset;
    const conditions = (from.conditions ?? "").split(" ");
    for (const box of all<HTMLInputElement>("input[name=condition]", this.form)) box.checked = conditions.includes(box.value);
    this.pick("mode", from.answer === "ask" ? "ask" : "");
    this.pick("days", from.days ?? "0", words.forDays);
    this.pick("keep", from.keep ?? "", words.forMonths);
  }

  private pick(name: string, value: string, named: (n: number) => string = String): void {
    const field = at<HTMLSelectElement>(name);
    if (![...field.options].some((o) => o.value === value)) field.add(new Option(named(Number(value)), value));
    field.value = value;
  }

  // take asks the server what the form means. It fails with a Refusal.
  async take(): Promise<void> {
    const fields = new FormData(this.form);
    if (fields.get("preset") === "pool") {
      this.terms = null;
      this.sentences = this.standing;
      return;
    }
    const body = new URLSearchParams();
    for (const [name, value] of fields) if (typeof value === "string") body.append(name, value);
    const meaning = await this.api.insist(async () => {
      const answer = await this.api.fetch("/data/add/terms", { method: "POST", body, headers: { Accept: "application/json" } });
      return (await answer.json()) as Meaning;
    });
    this.terms = meaning.terms;
    this.sentences = meaning.sentences;
  }
}
