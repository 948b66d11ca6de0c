// The page's hand in the Worker.

import { type Calls, type Event, type Problem, Refusal, type Reply, type Request } from "./protocol.ts";
import { known } from "./said.ts";

// scriptURL is the only URL that this page ever hands to a script sink.
const scriptURL = /^\/islands\/[0-9a-f]{16}\/worker\.js$/;

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(s: string): string }): { createScriptURL(s: string): string };
}

function trusted(path: string): string {
  const check = (s: string) => {
    if (!scriptURL.test(s)) throw new TypeError("no script of ours");
    return s;
  };
  const policies = (window as { trustedTypes?: Policies }).trustedTypes;
  return policies ? policies.createPolicy("worker", { createScriptURL: check }).createScriptURL(path) : check(path);
}

// again says what the Worker has said, in the language of the page.
function again(p: Problem): Problem {
  return { ...p, title: known(p.title), detail: p.detail.map(known) };
}

export class Hand {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, { resolve: (v: never) => void; reject: (e: Error) => void }>();
  private next = 1;

  constructor(folder: string, tell: (e: Event) => void, broken: () => void) {
    this.worker = new Worker(trusted(`${folder}/worker.js`));
    this.worker.onerror = broken;
    this.worker.onmessage = (message: MessageEvent<Reply | Event>) => {
      const data = message.data;
      if ("event" in data) return tell(data);
      const call = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if ("problem" in data) call?.reject(new Refusal(again(data.problem)));
      else call?.resolve(data.value as never);
    };
  }

  // ask calls the Worker. It fails with a Refusal.
  ask<C extends keyof Calls>(call: C, ...args: Parameters<Calls[C]>): Promise<ReturnType<Calls[C]>> {
    const request: Request = { id: this.next++, call, args };
    return new Promise((resolve, reject) => {
      this.waiting.set(request.id, { resolve, reject });
      this.worker.postMessage(request);
    });
  }
}
