// The pages where a member's own key is used: it is made and looked after, it
// opens their own copy of a dataset, and it answers requests for data that
// nobody else can open.

import { Patience } from "./api.ts";
import { approvals } from "./approvals.ts";
import { at } from "./dom.ts";
import { Hand } from "./hand.ts";
import { keys } from "./keys.ts";
import { mine } from "./mine.ts";
import { type Event } from "./protocol.ts";
import { Ring } from "./ring.ts";
import { clear, trouble } from "./trouble.ts";
import { Unlock } from "./unlock.ts";

// Bench is what every such page has.
export interface Bench {
  member: string;
  coop: string;
  api: Patience;
  hand: Hand;
  ring: Ring;
  unlock: Unlock;
  hear: (does: (e: Event) => void) => void;
}

function bench(root: HTMLElement): Bench {
  const data = root.dataset as { member: string; coop: string; folder: string };
  let listener: (e: Event) => void = () => undefined;
  const hear = (e: Event) => listener(e);
  const api = new Patience(hear);
  const hand = new Hand(data.folder, hear, () => trouble(new Error("the Worker is gone")));
  const ring = new Ring(api, hand, data.coop);
  return { member: data.member, coop: data.coop, api, hand, ring, unlock: new Unlock(ring, trouble, clear), hear: (does) => (listener = does) };
}

const pages = { key: keys, mine, approvals };

async function start(): Promise<void> {
  const root = at("own");
  const b = bench(root);
  root.hidden = false;
  try {
    await b.ring.load();
    await pages[root.dataset.page as keyof typeof pages](b);
  } catch (err) {
    trouble(err);
  }
}

const able = "Worker" in window && "subtle" in (window.crypto ?? {}) && "TransformStream" in window;
if (able) void start();
else at("unable").hidden = false;
window.addEventListener("pageshow", (e) => e.persisted && location.reload()); // no key lives on in a page that was left
