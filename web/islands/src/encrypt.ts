// Encryption to age files, and what a manifest says about them.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { Encrypter, generateHybridIdentity, identityToRecipient } from "age-encryption";

import { native, Payload, type Source } from "./cipher.ts";
import { refuse } from "./protocol.ts";
import type { Writer } from "./store.ts";
import { words } from "./words.ts";

// newIdentity makes a post-quantum hybrid identity (ML-KEM-768 with X25519).
export async function newIdentity(): Promise<{ secret: string; recipient: string }> {
  const secret = await generateHybridIdentity();
  return { secret, recipient: await identityToRecipient(secret) };
}

// Sealed describes an age file. The digest of what comes after its header is
// learnt while it is sent, see digest.ts: in JavaScript it takes longer than the
// browser's own cipher.
export interface Sealed {
  size: number; // of the whole file
  header: string; // SHA-256, hex
  headerSize: number;
  payload?: string; // SHA-256, hex
}

// encrypt writes plain as one age file for the member and the co-op's vault, or
// for the member alone where vault is null.
// The two recipients must be of one kind: a classic stanza would undo what the
// post-quantum one is for.
export async function encrypt(plain: Source, own: string, vault: string | null, to: Writer): Promise<Sealed> {
  if (vault !== null && kind(own) !== kind(vault)) throw refuse("other-kind", words.otherKind);
  const age = new Encrypter();
  try {
    age.addRecipient(own);
    if (vault !== null) age.addRecipient(vault);
  } catch {
    throw refuse("bad-key", words.badKey);
  }
  const measure = new Measure();
  const write = async (bytes: Uint8Array) => {
    measure.add(bytes);
    await to.write(bytes);
  };
  await ((await native()) ? fast(age, plain, write) : stock(age, plain, write));
  return measure.end();
}

type Write = (bytes: Uint8Array) => Promise<void>;

// stock has the library do everything.
async function stock(age: Encrypter, plain: Source, write: Write): Promise<void> {
  const pull = async (to: ReadableStreamDefaultController<Uint8Array>) => {
    const piece = await plain();
    if (piece.length) to.enqueue(piece.slice());
    else to.close();
  };
  const reader = (await age.encrypt(new ReadableStream({ pull }))).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    await write(value);
  }
}

const emptyPayload = 16 + 16; // a nonce and the tag of an empty chunk

// fast has the library make the header, for a file with nothing in it, and the
// browser the payload. The file key is learnt the way every recipient does; it
// is sealed under a payload nonce of its own.
async function fast(age: Encrypter, plain: Source, write: Write): Promise<void> {
  let fileKey = new Uint8Array();
  age.addRecipient({
    wrapFileKey(key) {
      fileKey = Uint8Array.from(key);
      return [];
    },
  });
  try {
    const header = (await age.encrypt(new Uint8Array())).slice(0, -emptyPayload);
    await write(header);
    await new Payload(fileKey).seal(plain, write);
  } finally {
    fileKey.fill(0);
  }
}

function kind(recipient: string): string {
  return recipient.startsWith("age1pq1") ? "hybrid" : "x25519";
}

const maxHeader = 16 << 10;
const lineFeed = 10;

// Measure finds where the header of an age file ends as it passes, and digests
// that. It ends with the line that begins with three dashes.
class Measure {
  private head: number[] | null = [];
  private lineStart = 0;
  private header = "";
  private size = 0;
  private headerSize = 0;

  add(bytes: Uint8Array): void {
    this.size += bytes.length;
    for (let i = 0; this.head && i < bytes.length; i++) this.byte(this.head, bytes[i]!);
  }

  private byte(head: number[], b: number): void {
    head.push(b);
    if (head.length > maxHeader) throw new Error("the header is too long");
    if (b !== lineFeed) return;
    if (String.fromCharCode(...head.slice(this.lineStart, this.lineStart + 4)) === "--- ") {
      this.header = bytesToHex(sha256(Uint8Array.from(head)));
      this.headerSize = head.length;
      this.head = null;
    }
    this.lineStart = head.length;
  }

  end(): Sealed {
    if (this.head) throw new Error("the header never ended");
    return { size: this.size, header: this.header, headerSize: this.headerSize };
  }
}
