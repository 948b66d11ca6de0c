// The signature under a manifest. Each browser has a signing key of its own
// for each member; the private half can be used here and never be read.

import type { Patience } from "./api.ts";

// Manifest is vault.Manifest: flat, integers and strings only.
export type Manifest = Record<string, string | number>;

// canonical is the manifest's RFC 8785 form. For a flat document of ASCII
// strings and integers that is JSON with its names in order.
function canonical(manifest: Manifest): Uint8Array<ArrayBuffer> {
  const sorted = Object.fromEntries(Object.keys(manifest).sort().map((name) => [name, manifest[name]]));
  return new TextEncoder().encode(JSON.stringify(sorted));
}

// sign registers this browser's key for the member and signs with it, in
// base64. Where the browser has no Ed25519 the answer is empty, which the
// server takes from members who never registered a key.
export async function sign(api: Patience, member: string, manifest: Manifest): Promise<string> {
  let pair: CryptoKeyPair;
  try {
    pair = await keyOf(member);
  } catch {
    return "";
  }
  const half = base64(await crypto.subtle.exportKey("raw", pair.publicKey));
  await api.json("PUT", "/v1/me/signing-key", { public_key: half });
  return base64(await crypto.subtle.sign("Ed25519", pair.privateKey, canonical(manifest)));
}

function base64(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
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
