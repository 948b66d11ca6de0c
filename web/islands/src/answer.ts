// The step "Answer": what the data may be used for. The form is the portal's
// own; the server reads it and says in sentences what it means, so that there
// is one place that knows.

import type { Patience } from "./api.ts";
import { all, at, list, make, say } from "./dom.ts";
import type { Terms } from "./protocol.ts";

interface Meaning {
  terms: Terms;
  sentences: string[];
}

export class Answer {
  // What was answered. No terms: the answer for the pool governs.
  terms: Terms | null = null;
  sentences: string[] = [];
  private standing: string[] = [];

  constructor(private readonly api: Patience) {
    this.form.addEventListener("change", (e) => {
      const rules = this.form.querySelector("details");
      if (rules && (e.target as HTMLInputElement).value === "own") rules.open = true;
    });
  }

  private get form(): HTMLFormElement {
    return at<HTMLFormElement>("answer-form");
  }

  // open offers the pool's standing answer, if there is one.
  open(pool: string): void {
    this.standing = all("li", document.getElementById(`standing-${pool}`) ?? make("ul")).map((li) => li.textContent ?? "");
    const offered = this.standing.length > 0;
    at("standing").hidden = !offered;
    list("standing-says", this.standing);
    const box = at<HTMLInputElement>("preset-pool");
    box.disabled = !offered;
    if (!all("input[name=preset]:checked:enabled", this.form).length) box.checked = offered;
    at<HTMLInputElement>("answer-pool").value = pool;
    say("pool-price", document.querySelector<HTMLElement>(`[data-pool="${CSS.escape(pool)}"]`)?.dataset.price ?? "");
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
