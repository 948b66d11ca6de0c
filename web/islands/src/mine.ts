// The page that opens a member's own copy of a dataset.

import { at, click, say, tell } from "./dom.ts";
import type { Bench } from "./own.ts";
import { attempt, save } from "./sheet.ts";
import { clear, trouble } from "./trouble.ts";
import { words } from "./words.ts";

const shown = 4096; // bytes of the beginning that are shown
const lines = 20;

export async function mine(b: Bench): Promise<void> {
  const { dataset, name } = at("own").dataset as { dataset: string; name: string };
  let table: Blob | null = null;
  b.hear((e) => {
    if (e.event === "waiting") return tell("open-waiting", e.offline ? words.offline : words.waiting(e.seconds));
    tell("open-waiting", "");
    const bar = at<HTMLProgressElement>("open-bar");
    bar.max = e.total || 1;
    bar.value = e.done;
    say("open-figures", words.progress(words.bytes(e.done), words.bytes(e.total)));
  });
  click("open-copy", () =>
    attempt("open-copy", async () => {
      clear();
      if (!(await b.unlock.ask(words.whyOpen))) return;
      at("opening").hidden = false;
      try {
        table = await b.hand.ask("open", dataset, b.ring.secret);
      } catch (err) {
        b.ring.close(); // another way to the key may open it
        throw err;
      } finally {
        at("opening").hidden = true;
      }
      at("begin").hidden = true;
      at("opened").hidden = false;
      say("opened-size", words.bytes(table.size));
      const beginning = (await table.slice(0, shown).text()).split("\n");
      say("opened-text", beginning.slice(0, Math.min(lines, Math.max(1, beginning.length - 1))).join("\n"));
      at("opened-title").focus();
    }, trouble),
  );
  click("save-copy", () => table && save(name, table));
}
