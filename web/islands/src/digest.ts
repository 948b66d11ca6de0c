// SHA-256 of what is too large to be held as a whole: of the table on its way
// into the cipher, and of the file's payload on its way out.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

const small = 32 << 20; // up to how many bytes are kept until their end

// Sum digests parts. The browser's own digest wants everything at once; the
// library's takes one part after the other and is many times as slow, slower
// than the cipher. So what is small is kept for the browser's.
export class Sum {
  private parts: Uint8Array[] | null = [];
  private size = 0;
  private readonly long = sha256.create();

  add(bytes: Uint8Array): void {
    this.size += bytes.length;
    if (!this.parts) return void this.long.update(bytes);
    this.parts.push(bytes.slice());
    if (this.size <= small) return;
    for (const part of this.parts) this.long.update(part);
    this.parts = null;
  }

  // end answers the digest, in hex.
  async end(): Promise<string> {
    if (!this.parts) return bytesToHex(this.long.digest());
    const whole = new Uint8Array(this.size);
    let at = 0;
    for (let part = this.parts.shift(); part; part = this.parts.shift()) {
      whole.set(part, at);
      at += part.length;
    }
    return bytesToHex(new Uint8Array(await crypto.subtle.digest("SHA-256", whole)));
  }
}

export type Read = (from: number, to: number) => Promise<ArrayBuffer>;

const step = 4 << 20; // bytes that are read at a time where nobody sends them

// Digest is that of a file's payload, taken from what is read of it anyway to
// be sent. What was sent on an earlier visit is read once more.
export class Digest {
  private readonly sum = new Sum();

  // at is where the payload begins, and then what has been digested.
  constructor(
    private readonly source: Read,
    private at: number,
  ) {}

  // read answers bytes of the file; all before them has been digested then.
  async read(from: number, to: number): Promise<ArrayBuffer> {
    await this.reach(from);
    return this.source(from, to);
  }

  // sent digests what is new of bytes that were read and are on their way: the
  // line is slower than the digest.
  sent(from: number, bytes: ArrayBuffer): void {
    const to = from + bytes.byteLength;
    if (to <= this.at) return;
    this.sum.add(new Uint8Array(bytes, this.at - from));
    this.at = to;
  }

  private async reach(to: number): Promise<void> {
    while (this.at < to) {
      const from = this.at;
      this.sent(from, await this.source(from, Math.min(to, from + step)));
    }
  }

  // end answers the digest of everything up to the file's end, in hex.
  async end(size: number): Promise<string> {
    await this.reach(size);
    return this.sum.end();
  }
}
