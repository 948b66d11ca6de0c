// The Worker of the page that tries encryption: it encrypts as the portal's
// Worker does, with the browser's own cipher or without.

import { newIdentity, encrypt } from "../src/encrypt.ts";
import { native, type Source } from "../src/cipher.ts";
import { Digest, Sum } from "../src/digest.ts";
import { Store, type Writer } from "../src/store.ts";

interface Order {
  size: number;
  stock: boolean; // as in a browser without the cipher
  piece?: number; // how many bytes are invented at a time; without, they come from a file
  to: "page" | "nowhere" | "store"; // store: with all that an upload does until then
  own?: string;
  vault?: string;
}

const mebibyte = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 31 + (i >> 8)) & 255);

// invented answers bytes that repeat every mebibyte, each time in the same
// buffer.
function invented(size: number, piece: number): Source {
  const buffer = new Uint8Array(piece);
  let at = 0;
  return () => {
    const n = Math.min(piece, size - at);
    for (let i = 0; i < n; ) {
      const from = (at + i) % mebibyte.length;
      const some = mebibyte.subarray(from, Math.min(mebibyte.length, from + n - i));
      buffer.set(some, i);
      i += some.length;
    }
    at += n;
    return buffer.subarray(0, n);
  };
}

const held: unknown[] = []; // Chromium forgets to answer about a file that was collected

// file is an invented file in the browser's file system.
async function file(size: number): Promise<File> {
  const root = await navigator.storage.getDirectory();
  const handle = await root.getFileHandle("invented", { create: true });
  held.push(root, handle);
  if ((await handle.getFile()).size !== size) {
    const access = await handle.createSyncAccessHandle();
    for (let at = 0; at < size; at += mebibyte.length) access.write(mebibyte.subarray(0, size - at), { at });
    access.flush();
    access.close();
  }
  return handle.getFile();
}

// read answers a file's bytes, each time in the same buffer.
function read(from: File): Source {
  const stream = from.stream();
  held.push(from, stream);
  const reader = stream.getReader({ mode: "byob" });
  let buffer = new Uint8Array(1 << 20);
  return async () => {
    const { value } = await reader.read(new Uint8Array(buffer.buffer));
    return (buffer = value ?? new Uint8Array());
  };
}

// described digests the payload as an upload does that was interrupted: a part
// is sent, sent again from before, and the rest never.
async function described(file: Blob, headerSize: number): Promise<string> {
  const digest = new Digest((a, b) => file.slice(a, b).arrayBuffer(), headerSize);
  const half = file.size >> 1;
  for (const [from, to] of [[0, half], [half >> 1, half + 1]] as const) digest.sent(from, await digest.read(from, to));
  return digest.end(file.size);
}

const importKey = crypto.subtle.importKey;

// lack makes this browser one that knows no "raw-secret" keys.
function lack(stock: boolean): void {
  crypto.subtle.importKey = ((format: string, ...rest: unknown[]) => {
    if (stock && format === "raw-secret") return Promise.reject(new DOMException("", "NotSupportedError"));
    return (importKey as (...args: unknown[]) => Promise<CryptoKey>).call(crypto.subtle, format, ...rest);
  }) as typeof importKey;
}

self.onmessage = async (message: MessageEvent<Order>) => {
  const o = message.data;
  lack(o.stock);
  const own = o.own ?? (await newIdentity()).recipient;
  const vault = o.vault ?? (await newIdentity()).recipient;
  const plain = o.piece ? invented(o.size, o.piece) : read(await file(o.size));
  const sum = new Sum();
  const summed = async () => {
    const bytes = await plain();
    sum.add(bytes);
    return bytes;
  };
  const parts: Uint8Array[] = [];
  const keep: Writer = { write: async (bytes) => void parts.push(Uint8Array.from(bytes)) };
  const store = await Store.open("trial");
  const begun = performance.now();
  const sealed = await {
    page: () => encrypt(summed, own, vault, keep),
    nowhere: () => encrypt(plain, own, vault, { write: async () => undefined }),
    store: () => store.fill((to) => encrypt(summed, own, vault, to)),
  }[o.to]();
  const print = o.to === "nowhere" ? "" : await sum.end();
  const ms = performance.now() - begun;
  await store.drop();
  const whole = new Blob(parts as BlobPart[]);
  if (o.to === "page") sealed.payload = await described(whole, sealed.headerSize);
  self.postMessage({ ms, native: await native(), print, sealed, file: whole });
};
