// Approving a request for data whose only key is the member's: the twin of
// web/client/approve.go. The file's key is wrapped to the researcher here; the
// file itself is not touched.

import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { Decrypter } from "age-encryption";
import { encodeHeader, encodeHeaderNoMAC } from "age-encryption/dist/format.js";
import { HybridRecipient, X25519Recipient } from "age-encryption/dist/recipients.js";

import type { Patience } from "./api.ts";
import { refuse } from "./protocol.ts";
import { canonical, type Manifest, signedBy } from "./sign.ts";
import { words } from "./words.ts";

// Approval is client.Approval, as far as it is needed here.
interface Approval {
  id: string;
  dataset: string;
  recipient: string;
  header: string;
  manifest: Manifest;
  signature: string;
}

const maxHeader = 16 << 10;

const bytes = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

// find reads one waiting request.
async function find(api: Patience, id: string): Promise<Approval> {
  for (let cursor = ""; ; ) {
    const page = await api.json<{ items: Approval[]; next?: string }>("GET", `/v1/me/approvals?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    const found = page.items.find((a) => a.id === id);
    if (found) return found;
    if (!page.next) throw refuse("not-waiting", words.notWaiting);
    cursor = page.next;
  }
}

// verify checks that the header belongs to a dataset whose manifest one of the
// member's own keys has signed, and whose only key the member kept. Without
// that a server could have any file opened that the identity opens.
export async function verify(a: Approval, signers: Uint8Array[]): Promise<void> {
  const said = canonical(a.manifest);
  const signature = bytes(a.signature);
  let signed = false;
  for (const key of signers) signed ||= signedBy(key, signature, said);
  if (!signed || a.manifest.dataset !== a.dataset || a.manifest.vault_recipient !== "" || a.manifest.header_sha256 !== bytesToHex(sha256(bytes(a.header)))) {
    throw refuse("not-mine", words.notMine);
  }
}

// rewrap opens a header with an identity and answers one for a recipient alone.
export async function rewrap(header: Uint8Array, secret: string, recipient: string): Promise<Uint8Array> {
  if (header.length > maxHeader) throw refuse("not-mine", words.notMine);
  const age = new Decrypter();
  age.addIdentity(secret);
  let fileKey: Uint8Array;
  try {
    fileKey = await age.decryptHeader(header);
  } catch {
    throw refuse("other-identity", words.otherIdentity);
  }
  const to = recipient.startsWith("age1pq1") ? new HybridRecipient(recipient) : new X25519Recipient(recipient);
  const stanzas = await to.wrapFileKey(fileKey);
  const mac = hmac(sha256, hkdf(sha256, fileKey, undefined, new TextEncoder().encode("header"), 32), encodeHeaderNoMAC(stanzas));
  const out = encodeHeader(stanzas, mac);
  await judged(out, fileKey);
  fileKey.fill(0);
  return out;
}

// judged has the library read what was written here.
async function judged(header: Uint8Array, fileKey: Uint8Array): Promise<void> {
  const judge = new Decrypter();
  judge.addIdentity({ unwrapFileKey: () => fileKey });
  await judge.decryptHeader(header);
}

// approve answers one waiting request with yes. The recipient has to be the one
// whose fingerprint the member was shown.
export async function approve(api: Patience, id: string, secret: string, fingerprint: string, signers: Uint8Array[]): Promise<void> {
  const a = await find(api, id);
  if (bytesToHex(sha256(new TextEncoder().encode(a.recipient))) !== fingerprint) throw refuse("other-recipient", words.otherRecipient);
  await verify(a, signers);
  const header = await rewrap(bytes(a.header), secret, a.recipient);
  await api.json("POST", `/v1/me/approvals/${encodeURIComponent(id)}`, { answer: "approve", recipient: a.recipient, header: btoa(String.fromCharCode(...header)) }, crypto.randomUUID());
}
