// The payload of an age file (age-encryption.org/v1, "Payload"), by the
// browser's own ChaCha20-Poly1305 where it has one. That works beside this
// thread, several chunks at a time; the library's, in JavaScript, does the same
// more slowly and stands in where there is none.

import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";

const chunkSize = 64 << 10;
const nonceSize = 16;
const under = 16; // how many chunks are being sealed at the same moment: 1 MiB
const algorithm = "ChaCha20-Poly1305";

// Key seals with one stream key.
type Key = CryptoKey;

// The Web Cryptography API has the algorithm since "Modern Algorithms"; older
// browsers refuse to import a key for it.
async function importKey(raw: Uint8Array<ArrayBuffer>): Promise<Key | null> {
  try {
    return await crypto.subtle.importKey("raw-secret" as "raw", raw, algorithm, false, ["encrypt"]);
  } catch {
    return null;
  }
}

// native reports whether this browser seals chunks by itself.
export async function native(): Promise<boolean> {
  return (await importKey(new Uint8Array(32))) !== null;
}

// Payload is the nonce an age payload begins with, and the key that follows
// from it and the file key.
export class Payload {
  readonly nonce = crypto.getRandomValues(new Uint8Array(nonceSize));

  constructor(private readonly fileKey: Uint8Array) {}

  // seal writes nonce and chunks in their order. A last chunk is empty only
  // where there is nothing else.
  async seal(plain: ReadableStream<Uint8Array>, write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    const raw = hkdf(sha256, this.fileKey, this.nonce, new TextEncoder().encode("payload"), 32) as Uint8Array<ArrayBuffer>;
    const key = await importKey(raw);
    raw.fill(0);
    if (!key) throw new Error("this browser does not seal chunks");
    await write(this.nonce);
    const sealing: Promise<ArrayBuffer>[] = [];
    const emit = async (most: number) => {
      while (sealing.length > most) await write(new Uint8Array(await sealing.shift()!));
    };
    let counter = 0;
    let last: Uint8Array<ArrayBuffer> | null = null;
    for await (const chunk of chunks(plain)) {
      if (last) sealing.push(sealChunk(key, counter++, false, last));
      last = chunk;
      await emit(under);
    }
    sealing.push(sealChunk(key, counter, true, last ?? new Uint8Array()));
    await emit(0);
  }
}

// sealChunk has an 11-byte big-endian counter and a mark of the last chunk for
// its nonce. 2^53 chunks are more than any file has.
function sealChunk(key: Key, counter: number, last: boolean, plain: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  const iv = new Uint8Array(12);
  const view = new DataView(iv.buffer);
  view.setUint32(3, Math.floor(counter / 2 ** 32));
  view.setUint32(7, counter >>> 0);
  iv[11] = last ? 1 : 0;
  return crypto.subtle.encrypt({ name: algorithm, iv } as AesGcmParams, key, plain);
}

// chunks cuts a stream into pieces of 64 KiB, the last of which may be shorter.
async function* chunks(plain: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = plain.getReader();
  let chunk = new Uint8Array(chunkSize);
  let filled = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    for (let at = 0; at < value.length; ) {
      const n = Math.min(chunkSize - filled, value.length - at);
      chunk.set(value.subarray(at, at + n), filled);
      filled += n;
      at += n;
      if (filled === chunkSize) {
        yield chunk;
        chunk = new Uint8Array(chunkSize); // the former may still be in use
        filled = 0;
      }
    }
  }
  if (filled > 0) yield chunk.slice(0, filled);
}
