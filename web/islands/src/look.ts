// The step "Look": the table that would be shared, page by page, and what of
// it can be left out.

import { all, at, click, make, say, tell } from "./dom.ts";
import type { Hand } from "./hand.ts";
import type { Column, Summary } from "./protocol.ts";
import { words } from "./words.ts";

const pageRows = 20;

export class Look {
  summary!: Summary;
  private first = 0; // row that the page begins with

  constructor(
    private readonly hand: Hand,
    private readonly trouble: (err: unknown) => void,
    private readonly clear: () => void,
  ) {
    click("rows-before", () => this.turn(-pageRows));
    click("rows-after", () => this.turn(pageRows));
    for (const id of ["from", "to"]) at(id).addEventListener("change", () => void this.narrow());
    at("columns-list").addEventListener("change", () => void this.narrow());
  }

  // open shows a table that was just reduced.
  async open(summary: Summary, pool: string): Promise<void> {
    this.summary = summary;
    say("found", words.found(summary.title));
    say("found-pool", pool);
    tell("also", words.also(summary.also));
    tell("skipped", summary.whole.profile.skipped ? words.skipped(summary.whole.profile.skipped) : "");
    tell("left", summary.left.length ? words.notRead(summary.left) : "");
    at("columns-list").replaceChildren(...summary.columns.map((c) => this.choice(c)));
    at("range").hidden = summary.whole.first === "";
    for (const id of ["from", "to"]) {
      const box = at<HTMLInputElement>(id);
      box.min = summary.whole.first;
      box.max = summary.whole.last;
    }
    this.setDays(summary.whole.first, summary.whole.last);
    await this.show();
  }

  // filled are the columns that the file has anything for.
  private get filled(): Column[] {
    const names = this.summary.whole.profile.columns ?? [];
    return this.summary.columns.filter((c) => names.includes(c.name));
  }

  // leftOut names the columns that the member left out.
  get leftOut(): string[] {
    return all<HTMLInputElement>("input", at("columns-list")).flatMap((box) => (box.checked || box.disabled ? [] : [box.value]));
  }

  // choice is one column of the list: what it is, and a box to leave it out.
  private choice(c: Column): HTMLElement {
    const has = this.filled.includes(c);
    const box = make("input");
    box.type = "checkbox";
    box.value = c.name;
    box.checked = has;
    box.disabled = !has;
    const name = make("code", c.name);
    const what = make("span", [words.column(c.description), c.unit ? words.unit(c.unit) : "", has ? "" : words.empty].join(" ").trim());
    what.className = "small";
    const label = make("label", box, name, " ", what);
    return make("li", label);
  }

  private setDays(from: string, to: string): void {
    at<HTMLInputElement>("from").value = from;
    at<HTMLInputElement>("to").value = to;
  }

  // narrow leaves out what is unticked. What is refused is put back.
  private async narrow(): Promise<void> {
    this.clear();
    const { first, last } = this.summary.whole;
    const from = at<HTMLInputElement>("from").value || first;
    const to = at<HTMLInputElement>("to").value || last;
    try {
      this.summary = await this.hand.ask("narrow", this.leftOut, from === first ? "" : from, to === last ? "" : to);
      this.first = 0;
    } catch (err) {
      this.putBack();
      this.trouble(err);
    }
    await this.show();
  }

  private putBack(): void {
    const kept = this.summary.kept;
    for (const box of all<HTMLInputElement>("input:enabled", at("columns-list"))) {
      box.checked = (kept.profile.columns ?? []).includes(box.value);
    }
    this.setDays(kept.first || this.summary.whole.first, kept.last || this.summary.whole.last);
  }

  private async turn(by: number): Promise<void> {
    this.first += by;
    await this.show();
  }

  // extent says in a line how much is kept.
  get extent(): string {
    const kept = this.summary.kept;
    return words.rows(kept.profile.rows) + (kept.first ? `, ${words.days(kept.first, kept.last)}` : "");
  }

  private async show(): Promise<void> {
    const kept = this.summary.kept;
    const left = this.leftOut;
    const shown = this.filled.filter((c) => !left.includes(c.name));
    say("extent", this.extent);
    say("row-is", words.rowIs(this.summary.row));
    tell("people", kept.profile.persons > 1 ? words.people(kept.profile.persons) : "");
    say("columns-said", words.columns(shown.length, this.filled.length));
    const rows = await this.hand.ask("rows", this.first, this.first + pageRows);
    this.fill(shown, rows);
    say("rows-said", words.shownRows(this.first + 1, this.first + rows.length, kept.profile.rows));
    at<HTMLButtonElement>("rows-before").disabled = this.first === 0;
    at<HTMLButtonElement>("rows-after").disabled = this.first + pageRows >= kept.profile.rows;
    at("pager").hidden = kept.profile.rows <= pageRows;
  }

  private fill(shown: Column[], rows: string[][]): void {
    const places = shown.map((c) => this.summary.columns.indexOf(c));
    const heads = shown.map((c) => {
      const head = make("th", make("code", c.name), ...(c.unit ? [" ", make("small", c.unit)] : []));
      head.scope = "col";
      head.title = words.column(c.description);
      return head;
    });
    at("table-head").replaceChildren(make("tr", ...heads));
    at("table-rows").replaceChildren(...rows.map((row) => make("tr", ...places.map((i) => make("td", row[i] ?? "")))));
  }
}
