// The Worker of the page that tries encryption: it encrypts an invented stream
// as the portal's Worker does, with the browser's own cipher or without.

import { newIdentity, encrypt } from "../src/encrypt.ts";
import { native } from "../src/cipher.ts";
import { Digest } from "../src/digest.ts";

interface Order {
  size: number;
  stock: boolean; // as in a browser without the cipher
  keep: boolean; // answer the file; it is thrown away otherwise
  own?: string;
  vault?: string;
}

const piece = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 31 + (i >> 8)) & 255);

// invented streams bytes that repeat every mebibyte.
function invented(size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= size) return controller.close();
      const n = Math.min(piece.length, size - at);
      controller.enqueue(piece.slice(0, n));
      at += n;
    },
  });
}

// described digests the payload as an upload does that was interrupted: a part
// is sent, sent again from before, and the rest never.
async function described(file: Blob, headerSize: number): Promise<string> {
  const digest = new Digest((a, b) => file.slice(a, b).arrayBuffer(), headerSize);
  const half = file.size >> 1;
  await digest.read(0, half);
  await digest.read(half >> 1, half + 1);
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
  const parts: Uint8Array[] = [];
  const begun = performance.now();
  const sealed = await encrypt(invented(o.size), own, vault, {
    async write(bytes) {
      if (o.keep) parts.push(Uint8Array.from(bytes));
    },
  });
  const ms = performance.now() - begun;
  const file = new Blob(parts as BlobPart[]);
  if (o.keep) sealed.payload = await described(file, sealed.headerSize);
  self.postMessage({ ms, native: await native(), sealed, file });
};
