// Saying yes, on the page of requests that wait for the member's own key.

import { all, at, make } from "./dom.ts";
import type { Bench } from "./own.ts";
import { attempt } from "./sheet.ts";
import { clear, trouble } from "./trouble.ts";
import { words } from "./words.ts";

export async function approvals(b: Bench): Promise<void> {
  const also: Uint8Array[] = [];
  const file = at<HTMLInputElement>("signer-file");
  file.addEventListener("change", async () => {
    const chosen = file.files?.[0];
    file.value = "";
    if (!chosen) return;
    clear();
    try {
      also.push(await b.hand.ask("signer", await chosen.slice(0, 1 << 14).text()));
      at("signer-known").hidden = false;
    } catch (err) {
      trouble(err);
    }
  });
  for (const article of all("[data-approval]")) {
    const { approval, fingerprint } = article.dataset as { approval: string; fingerprint: string };
    const button = article.querySelector<HTMLButtonElement>(".approve")!;
    button.hidden = false;
    button.addEventListener("click", () =>
      attempt(button.id, async () => {
        clear();
        if (!(await b.unlock.ask(words.whyApprove))) return;
        await b.hand.ask("approve", approval, b.member, b.ring.secret, fingerprint, also);
        for (const form of all("form, .approve", article)) form.remove();
        const said = make("p", words.approved);
        said.tabIndex = -1;
        said.className = "note";
        article.append(said);
        said.focus();
      }, trouble),
    );
  }
}
