// The signature under a manifest. Each browser has a signing key of its own
// for each member; the private half can be used here and never be read. Where
// the member's identity is open, as it is for data whose only key they keep,
// the key that follows from it signs: every device of theirs knows that one.

import { ed25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";

import { isUnsure, type Patience } from "./api.ts";
import { refuse } from "./protocol.ts";
import { words } from "./words.ts";

// Manifest is vault.Manifest: flat, integers and strings only.
export type Manifest = Record<string, string | number>;

// canonical is the manifest's RFC 8785 form. For a flat document of ASCII
// strings and integers that is JSON with its names in order.
export function canonical(manifest: Manifest): Uint8Array<ArrayBuffer> {
  const sorted = Object.fromEntries(Object.keys(manifest).sort().map((name) => [name, manifest[name]]));
  return new TextEncoder().encode(JSON.stringify(sorted));
}

// sign registers this browser's key for the member and signs with it, in
// base64. Where the browser has no Ed25519 the answer is empty, which the
// server takes from members who never registered a key.
export async function sign(api: Patience, member: string, manifest: Manifest, secret = ""): Promise<string> {
  if (secret) {
    const key = seed(secret);
    await register(api, ed25519.getPublicKey(key));
    return base64(ed25519.sign(canonical(manifest), key));
  }
  let pair: CryptoKeyPair;
  try {
    pair = await keyOf(member);
  } catch {
    return "";
  }
  await register(api, new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
  return base64(new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, canonical(manifest))));
}

async function register(api: Patience, half: Uint8Array): Promise<void> {
  try {
    await api.json("PUT", "/v1/me/signing-key", { public_key: base64(half) });
  } catch (err) {
    if (isUnsure(err)) throw refuse("step-up-signer", words.otherSigner);
    throw err;
  }
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

// seed is the private signing key that follows from an identity.
function seed(secret: string): Uint8Array {
  return hkdf(sha256, new TextEncoder().encode(secret), undefined, new TextEncoder().encode("datacoop manifest signing key v1"), 32);
}

// signers are the member's own public keys that are known here: the one that
// follows from their identity, and this browser's.
export async function signers(member: string, secret: string): Promise<Uint8Array[]> {
  const own = [ed25519.getPublicKey(seed(secret))];
  try {
    own.push(new Uint8Array(await crypto.subtle.exportKey("raw", (await keyOf(member)).publicKey)));
  } catch {
    // this browser makes no such keys
  }
  return own;
}

// signedBy judges an Ed25519 signature (RFC 8032).
export function signedBy(key: Uint8Array, signature: Uint8Array, said: Uint8Array): boolean {
  try {
    return ed25519.verify(signature, said, key, { zip215: false });
  } catch {
    return false;
  }
}

// What stands before the 32 bytes of an Ed25519 key: RFC 8410, private and public.
const beginnings = { "302e020100300506032b657004220420": ed25519.getPublicKey, "302a300506032b6570032100": (key: Uint8Array) => key };

// signer reads the public half of a signing key file, in PEM.
export function signer(text: string): Uint8Array {
  const body = /-----BEGIN [A-Z ]+-----([A-Za-z0-9+/=\s]+)-----END/.exec(text)?.[1] ?? "";
  const der = Uint8Array.from(atob(body.replace(/\s/g, "")), (c) => c.charCodeAt(0));
  const begins = [...der.subarray(0, -32)].map((b) => b.toString(16).padStart(2, "0")).join("");
  const half = beginnings[begins as keyof typeof beginnings];
  if (!half) throw refuse("no-signing-key", words.noSigningKey);
  return half(der.subarray(-32));
}

const database = "datacoop-keys";
const shelf = "signing";

// keyOf finds this browser's key for a member, or makes it.
async function keyOf(member: string): Promise<CryptoKeyPair> {
  const db = await result<IDBDatabase>(opening());
  try {
    const known = await result<CryptoKeyPair | undefined>(db.transaction(shelf).objectStore(shelf).get(member));
    if (known) return known;
    const made = (await crypto.subtle.generateKey("Ed25519", false, ["sign"])) as CryptoKeyPair;
    await result(db.transaction(shelf, "readwrite").objectStore(shelf).put(made, member));
    return made;
  } finally {
    db.close();
  }
}

function opening(): IDBOpenDBRequest {
  const request = indexedDB.open(database, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(shelf);
  return request;
}

function result<T>(request: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as T);
    request.onerror = () => reject(request.error);
  });
}
