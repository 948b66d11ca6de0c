// Encryption to age files, and what a manifest says about them.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { Encrypter, generateHybridIdentity, identityToRecipient } from "age-encryption";

import { refuse } from "./protocol.ts";
import type { Writer } from "./store.ts";
import { words } from "./words.ts";

// newIdentity makes a post-quantum hybrid identity (ML-KEM-768 with X25519).
export async function newIdentity(): Promise<{ secret: string; recipient: string }> {
  const secret = await generateHybridIdentity();
  return { secret, recipient: await identityToRecipient(secret) };
}

// Sealed describes an age file: the header apart from the payload after it.
export interface Sealed {
  size: number; // of the whole file
  header: string; // SHA-256, hex
  payload: string;
  payloadSize: number;
}

// encrypt writes plain as one age file for the member and the co-op's vault.
// The two recipients must be of one kind: a classic stanza would undo what the
// post-quantum one is for.
export async function encrypt(plain: ReadableStream<Uint8Array>, own: string, vault: string, to: Writer): Promise<Sealed> {
  if (kind(own) !== kind(vault)) throw refuse("other-kind", words.otherKind);
  const age = new Encrypter();
  try {
    age.addRecipient(own);
    age.addRecipient(vault);
  } catch {
    throw refuse("bad-key", words.badKey);
  }
  const measure = new Measure();
  const reader = (await age.encrypt(plain)).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return measure.end();
    measure.add(value);
    await to.write(value);
  }
}

function kind(recipient: string): string {
  return recipient.startsWith("age1pq1") ? "hybrid" : "x25519";
}

const maxHeader = 16 << 10;
const lineFeed = 10;

// Measure splits an age file into header and payload as it passes and digests
// both. The header ends with the line that begins with three dashes.
class Measure {
  private head: number[] | null = [];
  private lineStart = 0;
  private header = "";
  private size = 0;
  private headerSize = 0;
  private readonly payload = sha256.create();

  add(bytes: Uint8Array): void {
    this.size += bytes.length;
    if (this.head) bytes = this.addHead(this.head, bytes);
    this.payload.update(bytes);
  }

  // addHead takes the header's part of the bytes and answers the rest.
  private addHead(head: number[], bytes: Uint8Array): Uint8Array {
    for (let i = 0; i < bytes.length; i++) {
      head.push(bytes[i]!);
      if (head.length > maxHeader) throw new Error("the header is too long");
      if (bytes[i] !== lineFeed) continue;
      if (String.fromCharCode(...head.slice(this.lineStart, this.lineStart + 4)) === "--- ") {
        this.header = bytesToHex(sha256(Uint8Array.from(head)));
        this.headerSize = head.length;
        this.head = null;
        return bytes.subarray(i + 1);
      }
      this.lineStart = head.length;
    }
    return bytes.subarray(bytes.length);
  }

  end(): Sealed {
    if (this.head) throw new Error("the header never ended");
    return { size: this.size, header: this.header, payload: bytesToHex(this.payload.digest()), payloadSize: this.size - this.headerSize };
  }
}
