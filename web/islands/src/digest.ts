// The digest of a file's payload, taken from what is read of it anyway to be
// sent. What was sent on an earlier visit is read once more.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

export type Read = (from: number, to: number) => Promise<ArrayBuffer>;

const step = 4 << 20; // bytes that are read at a time where nobody sends them

export class Digest {
  private readonly sum = sha256.create();

  // at is where the payload begins, and then what has been digested.
  constructor(
    private readonly source: Read,
    private at: number,
  ) {}

  // read answers bytes of the file and digests those that are new.
  readonly read: Read = async (from, to) => {
    await this.reach(from);
    const bytes = await this.source(from, to);
    if (to > this.at) {
      this.sum.update(new Uint8Array(bytes, this.at - from));
      this.at = to;
    }
    return bytes;
  };

  private async reach(to: number): Promise<void> {
    while (this.at < to) {
      const next = Math.min(to, this.at + step);
      this.sum.update(new Uint8Array(await this.source(this.at, next)));
      this.at = next;
    }
  }

  // end answers the digest of everything up to the file's end, in hex.
  async end(size: number): Promise<string> {
    await this.reach(size);
    return bytesToHex(this.sum.digest());
  }
}
