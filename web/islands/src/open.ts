// A member's own copy: fetched, and opened with their identity, here.

import { Decrypter } from "age-encryption";

import { isStatus, type Patience } from "./api.ts";
import { refuse } from "./protocol.ts";
import { words } from "./words.ts";

// parts are put together in the browser's own store once they are this many,
// so that a large table does not stand in memory twice.
const many = 256;

// open answers a dataset as it was before it was encrypted. Nothing that did
// not come to its authenticated end is answered.
export async function open(api: Patience, dataset: string, secret: string, progress: (done: number, total: number) => void): Promise<Blob> {
  const answer = await fetched(api, dataset);
  const total = Number(answer.headers.get("Content-Length"));
  let done = 0;
  const counted = answer.body!.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, controller) {
        controller.enqueue(bytes);
        progress((done += bytes.length), total);
      },
    }),
  );
  const age = new Decrypter();
  age.addIdentity(secret);
  try {
    return await gathered(await age.decrypt(counted));
  } catch (err) {
    if (err instanceof Error && /no identity matched/.test(err.message)) throw refuse("other-identity", words.otherIdentity);
    throw done < total ? refuse("lost", words.lostOpening) : refuse("altered", words.altered);
  }
}

async function fetched(api: Patience, dataset: string): Promise<Response> {
  try {
    return await api.insist(() => api.fetch(`/v1/datasets/${encodeURIComponent(dataset)}/content`, { method: "GET" }));
  } catch (err) {
    if (isStatus(err, 404, 410)) throw refuse("not-there", words.notThere);
    throw err;
  }
}

async function gathered(plain: ReadableStream<Uint8Array>): Promise<Blob> {
  let whole = new Blob([]);
  let parts: Uint8Array<ArrayBuffer>[] = [];
  const reader = plain.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (value) parts.push(new Uint8Array(value));
    if (done || parts.length >= many) {
      whole = new Blob([whole, ...parts]);
      parts = [];
    }
    if (done) return whole;
  }
}
