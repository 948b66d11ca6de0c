// Calls of the co-op's own API, patient with bad connections.

import { type Event, Refusal, refuse } from "./protocol.ts";
import { words } from "./words.ts";

// Status is a refusal that remembers what HTTP called it.
export class Status extends Refusal {
  constructor(
    readonly status: number,
    code: string,
    title: string,
    ...detail: string[]
  ) {
    super({ code, title, detail });
  }
}

export function isStatus(err: unknown, ...statuses: number[]): boolean {
  return err instanceof Status && statuses.includes(err.status);
}

// isUnsure reports whether the server asks for a proof of who is here.
export function isUnsure(err: unknown): boolean {
  return isStatus(err, 403) && (err as Status).problem.code === "step-up-needed";
}

// Lost says that no answer came.
class Lost extends Error {}

// passing lists what may be better a moment later. 460 is tus for a chunk that
// arrived altered.
const passing = [408, 423, 425, 429, 460, 500, 502, 503, 504];

const prefix = "urn:datacoop:problem:";

// problem turns a refused answer into a Status, in the server's own sentence.
export function problem(status: number, body: string): Status {
  if (status === 401) return new Status(status, "signed-out", words.signedOut);
  try {
    const doc = JSON.parse(body) as { type?: string; title?: string; detail?: string };
    if (doc.title) return new Status(status, (doc.type ?? "").replace(prefix, ""), doc.title, ...(doc.detail ? [doc.detail] : []));
  } catch {
    // not a problem document
  }
  return new Status(status, "strange-answer", words.strangeAnswer);
}

const attempts = 7;
const longestPause = 30;

// Patience tries again what failed for a passing cause.
export class Patience {
  constructor(private readonly tell: (e: Event) => void) {}

  // insist calls once, and again after pauses while the cause may pass.
  async insist<T>(once: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures++) {
      try {
        return await once();
      } catch (err) {
        if (!transient(err)) throw err;
        if (failures >= attempts) throw refuse("lost", words.lost);
        await this.pause(failures);
      }
    }
  }

  // pause waits longer each time, and as long as it takes while the device
  // itself knows that it is offline.
  async pause(failures: number): Promise<void> {
    if (!navigator.onLine) {
      this.tell({ event: "waiting", seconds: 0, offline: true });
      await new Promise<void>((go) => self.addEventListener("online", () => go(), { once: true }));
      return;
    }
    const seconds = Math.min(2 ** (failures - 1), longestPause);
    this.tell({ event: "waiting", seconds, offline: false });
    await new Promise((go) => setTimeout(go, seconds * (800 + Math.random() * 400)));
  }

  // json calls the API and answers its JSON; undefined where there is none.
  async json<T>(method: string, path: string, body?: unknown, key?: string): Promise<T> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (key) headers["Idempotency-Key"] = key;
    return this.insist(async () => {
      const answer = await this.fetch(path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
      const text = await answer.text();
      return (text ? JSON.parse(text) : undefined) as T;
    });
  }

  // fetch answers, or throws Lost or a Status.
  async fetch(path: string, init: RequestInit): Promise<Response> {
    let answer: Response;
    try {
      answer = await fetch(path, { ...init, credentials: "same-origin", redirect: "error", cache: "no-store" });
    } catch {
      throw new Lost();
    }
    if (!answer.ok) throw problem(answer.status, await answer.text().catch(() => ""));
    return answer;
  }
}

export function transient(err: unknown): boolean {
  return err instanceof Lost || isStatus(err, ...passing);
}

export function lost(): Error {
  return new Lost();
}

export function newKey(): string {
  return crypto.randomUUID();
}
