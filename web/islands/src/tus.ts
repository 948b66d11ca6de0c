// Uploads by tus 1.0 (tus.io: core protocol and the creation, checksum and
// termination extensions). What the server has is never sent again.

import { isStatus, lost, type Patience, problem, transient } from "./api.ts";
import { refuse } from "./protocol.ts";
import { words } from "./words.ts";

const version = { "Tus-Resumable": "1.0.0", Accept: "application/problem+json" };

// Sizes of one PATCH: what the server may suggest, and what is used otherwise.
const usualChunk = 8 << 20;
const smallestChunk = 64 << 10;
const largestChunk = 16 << 20;

// local keeps only an address of this server.
function local(location: string): string {
  const at = new URL(location, self.location.origin);
  if (at.origin !== self.location.origin) throw refuse("strange-answer", words.strangeAnswer);
  return at.pathname;
}

// create begins the upload of a dataset's age file and answers where to.
export async function create(api: Patience, dataset: string, size: number, key: string): Promise<string> {
  const headers = { ...version, "Upload-Length": String(size), "Upload-Metadata": `dataset ${btoa(dataset)}`, "Idempotency-Key": key };
  const answer = await api.insist(() => api.fetch("/v1/uploads", { method: "POST", headers }));
  const location = answer.headers.get("Location");
  if (!location) throw refuse("strange-answer", words.strangeAnswer);
  return local(location);
}

// offset asks how much of an upload the server has.
export async function offset(api: Patience, location: string): Promise<number> {
  const answer = await api.insist(() => api.fetch(local(location), { method: "HEAD", headers: version }));
  return position(answer.headers.get("Upload-Offset"));
}

function position(text: string | null): number {
  if (!text || !/^[0-9]{1,15}$/.test(text)) throw refuse("strange-answer", words.strangeAnswer);
  return Number(text);
}

// cancel ends an upload; what the server has of it is dropped.
export async function cancel(api: Patience, location: string): Promise<void> {
  await api.insist(() => api.fetch(local(location), { method: "DELETE", headers: version }));
}

// Outgoing is the file that is sent.
export interface Outgoing {
  read(from: number, to: number): Promise<ArrayBuffer>;
  // sent is told of bytes once they are on their way, each time.
  sent(from: number, bytes: ArrayBuffer): void;
}

const attempts = 8; // without a byte of progress

// send uploads the rest of a file of that size, from an offset on. After a
// failure it asks how far the server got and goes on from there.
export async function send(
  api: Patience,
  location: string,
  size: number,
  from: number,
  suggested: number,
  body: Outgoing,
  progress: (done: number) => void,
): Promise<void> {
  const chunk = suggested > 0 ? Math.min(Math.max(suggested, smallestChunk), largestChunk) : usualChunk;
  let failures = 0;
  for (let at = from, furthest = from; at < size; ) {
    progress(at);
    const bytes = await body.read(at, Math.min(at + chunk, size));
    try {
      at = await append(local(location), at, bytes, body, progress);
    } catch (err) {
      // 409: the server has other bytes than we thought; 460: they arrived altered
      if (!transient(err) && !isStatus(err, 409, 460)) throw err;
      if (++failures >= attempts) throw refuse("lost", words.lost);
      await api.pause(failures);
      at = await offset(api, location);
    }
    if (at > furthest) {
      furthest = at;
      failures = 0;
    }
  }
  progress(size);
}

const silence = 60_000; // after which a connection counts as lost

// append sends bytes once and answers the new offset. XMLHttpRequest tells how
// many have left, which fetch does not.
async function append(location: string, at: number, bytes: ArrayBuffer, body: Outgoing, progress: (done: number) => void): Promise<number> {
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    let timer: ReturnType<typeof setTimeout>;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => call.abort(), silence);
    };
    const fail = (err: unknown) => {
      clearTimeout(timer);
      reject(err as Error);
    };
    call.open("PATCH", location);
    for (const [name, value] of Object.entries(version)) call.setRequestHeader(name, value);
    call.setRequestHeader("Content-Type", "application/offset+octet-stream");
    call.setRequestHeader("Upload-Offset", String(at));
    call.setRequestHeader("Upload-Checksum", `sha256 ${btoa(String.fromCharCode(...sum))}`);
    call.upload.onprogress = (e) => {
      alive();
      progress(at + e.loaded);
    };
    call.onerror = call.onabort = () => fail(lost());
    call.onload = () => {
      if (call.status < 200 || call.status > 299) return fail(problem(call.status, call.responseText));
      try {
        const next = position(call.getResponseHeader("Upload-Offset"));
        if (next <= at || next > at + bytes.byteLength) throw refuse("strange-answer", words.strangeAnswer);
        clearTimeout(timer);
        resolve(next);
      } catch (err) {
        fail(err);
      }
    };
    alive();
    call.send(bytes);
    body.sent(at, bytes);
  });
}
