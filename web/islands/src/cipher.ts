// The payload of an age file (age-encryption.org/v1, "Payload"), by the
// browser's own ChaCha20-Poly1305 where it has one. The library's, in
// JavaScript, does the same more slowly and stands in where there is none.

import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";

const chunkSize = 64 << 10;
const nonceSize = 16;
const under = 16; // how many chunks a browser has at a time, which may seal them beside this thread: 1 MiB
const algorithm = "ChaCha20-Poly1305";

export type Piece = Uint8Array<ArrayBuffer>;

// Source answers the next bytes of a file, of any number, and none after the
// last. They may be overwritten when it is asked again.
export type Source = () => Piece | Promise<Piece>;

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
  // where there is nothing else, and only the end tells which one is the last:
  // so the end of every piece waits for the next. The other chunks are sealed
  // where they lie, and whatever is sealed was copied before encrypt returns.
  async seal(plain: Source, write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    const raw = hkdf(sha256, this.fileKey, this.nonce, new TextEncoder().encode("payload"), 32) as Uint8Array<ArrayBuffer>;
    const key = await importKey(raw);
    raw.fill(0);
    if (!key) throw new Error("this browser does not seal chunks");
    await write(this.nonce);
    const line = new Line(key, write);
    const rest = new Uint8Array(chunkSize);
    let kept = 0;
    for (let piece = await plain(); piece.length > 0; piece = await plain()) {
      let at = 0;
      if (kept > 0) {
        at = Math.min(chunkSize - kept, piece.length);
        rest.set(piece.subarray(0, at), kept);
        kept += at;
        if (at === piece.length) continue;
        await line.add(rest);
      }
      for (; piece.length - at > chunkSize; at += chunkSize) await line.add(piece.subarray(at, at + chunkSize));
      rest.set(piece.subarray(at));
      kept = piece.length - at;
    }
    await line.end(rest.subarray(0, kept));
  }
}

// Line seals one chunk after the other and writes them in this order.
class Line {
  private readonly sealing: Promise<ArrayBuffer>[] = [];
  private counter = 0;

  constructor(
    private readonly key: Key,
    private readonly write: (bytes: Uint8Array) => Promise<void>,
  ) {}

  async add(chunk: Piece): Promise<void> {
    this.sealing.push(sealChunk(this.key, this.counter++, false, chunk));
    await this.emit(under);
  }

  async end(last: Piece): Promise<void> {
    this.sealing.push(sealChunk(this.key, this.counter++, true, last));
    await this.emit(0);
  }

  private async emit(most: number): Promise<void> {
    while (this.sealing.length > most) await this.write(new Uint8Array(await this.sealing.shift()!));
  }
}

// sealChunk has an 11-byte big-endian counter and a mark of the last chunk for
// its nonce. 2^53 chunks are more than any file has.
function sealChunk(key: Key, counter: number, last: boolean, plain: Piece): Promise<ArrayBuffer> {
  const iv = new Uint8Array(12);
  const view = new DataView(iv.buffer);
  view.setUint32(3, Math.floor(counter / 2 ** 32));
  view.setUint32(7, counter >>> 0);
  iv[11] = last ? 1 : 0;
  return crypto.subtle.encrypt({ name: algorithm, iv } as AesGcmParams, key, plain);
}
