// The Worker of the pages: reading, reducing, encrypting, sending, and whatever
// is done with a secret key happen here, so that the page itself never stalls.

import { Patience } from "./api.ts";
import { newIdentity } from "./encrypt.ts";
import * as lock from "./lock.ts";
import { open } from "./open.ts";
import { type Calls, type Event, type Problem, type Profile, Refusal, refuse, type Reply, type Request, type Step } from "./protocol.ts";
import { Reducer } from "./reducer.ts";
import { approve } from "./rewrap.ts";
import { Sharing } from "./share.ts";
import { signer, signers } from "./sign.ts";
import { Store } from "./store.ts";
import { words } from "./words.ts";

// often is how many milliseconds lie between two reports of progress.
const often = 100;

let reported = 0;

function tell(e: Event): void {
  self.postMessage(e);
}

function progress(step: Step, done: number, total: number): void {
  const now = Date.now();
  if (done > 0 && done < total && now - reported < often) return;
  reported = now;
  tell({ event: "progress", step, done, total });
}

const api = new Patience(tell);
const reducer = new Reducer((done, total) => progress("read", done, total));
let profile: Profile | undefined;
let sharing: Sharing | undefined;

function here(): Sharing {
  if (!sharing) throw new Error("nobody said hello");
  return sharing;
}

// only makes sure that one tab at a time adds data for a member: two would
// write the same files. A page that has just been left may still hold the
// lock for a moment.
async function only(member: string): Promise<void> {
  const free = () =>
    new Promise<boolean>((answer) => {
      void navigator.locks.request(`datacoop-add-${member}`, { ifAvailable: true }, (lock) => {
        answer(lock !== null);
        return lock ? new Promise<void>(() => undefined) : undefined; // held as long as this Worker lives
      });
    });
  for (let tries = 0; !(await free()); tries++) {
    if (tries === 10) throw refuse("other-tab", words.otherTab);
    await new Promise((go) => setTimeout(go, 200));
  }
}

const calls: { [C in keyof Calls]: (...args: Parameters<Calls[C]>) => Promise<ReturnType<Calls[C]>> } = {
  async hello(member) {
    await only(member);
    const store = await Store.open(member);
    sharing = new Sharing(member, store, api, reducer, progress);
    return { lasting: store.lasting, pending: await sharing.pending() };
  },
  choose: (files, folder) => reducer.open(files, folder),
  async reduce(pool) {
    return noted(reducer.reduce(pool));
  },
  async narrow(without, from, to) {
    return noted(reducer.narrow(without, from, to));
  },
  rows: async (from, to) => reducer.rows(from, to),
  identity: newIdentity,
  identities: lock.identities,
  recipientOf: async (secret) => (await lock.identities(secret))[0]!.recipient,
  sealSheet: lock.sealSheet,
  openSheet: lock.openSheet,
  inputs: async () => lock.inputs(),
  sealPasskey: lock.sealPasskey,
  openPasskey: lock.openPasskey,
  credential: async (passkey) => lock.credential(passkey),
  passkeys: async (locks) => lock.passkeys(locks),
  open: (dataset, secret) => open(api, dataset, secret, (done, total) => progress("open", done, total)),
  approve: async (id, member, secret, fingerprint, also) => approve(api, id, secret, fingerprint, [...(await signers(member, secret)), ...also]),
  signer: async (text) => signer(text),
  async share(order) {
    if (!profile) throw new Error("nothing was chosen");
    return here().share(order, profile);
  },
  resume: () => here().resume(),
  drop: () => here().drop(),
};

// noted remembers the profile of what is kept.
function noted<T extends { kept: { profile: Profile } }>(summary: T): T {
  profile = summary.kept.profile;
  return summary;
}

function problemOf(err: unknown): Problem {
  if (err instanceof Refusal) return err.problem;
  console.error(err instanceof Error ? err.name : "error"); // no text: it could quote a file
  return { code: "unexpected", title: words.unexpected, detail: [] };
}

// One call after the other: the reducer holds one export.
let last: Promise<void> = Promise.resolve();

self.onmessage = (message: MessageEvent<Request>) => {
  const { id, call, args } = message.data;
  last = last.then(async () => {
    let reply: Reply;
    try {
      reply = { id, value: await (calls[call] as (...args: unknown[]) => Promise<unknown>)(...args) };
    } catch (err) {
      reply = { id, problem: problemOf(err) };
    }
    self.postMessage(reply);
  });
};
