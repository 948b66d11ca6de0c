// A member's identity under lock: once under the code of a recovery sheet and
// once under each passkey. Each lock is an age file of its own, so that one can
// be added or taken away without the others; stock age opens that of a sheet.

import { bech32, base64nopad } from "@scure/base";
import { extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { Decrypter, Encrypter, identityToRecipient, Stanza } from "age-encryption";
import * as cbor from "age-encryption/dist/cbor.js";
import { decryptFileKey, encryptFileKey } from "age-encryption/dist/recipients.js";

import { type Answered, type Inputs, type Lock, type Passkey, refuse } from "./protocol.ts";
import { words } from "./words.ts";

// A sheet's code has 140 random bits. What scrypt adds to that is nothing, so
// its work is kept small.
const work = 10;

const label = "age-encryption.org/fido2prf"; // and form: age-encryption's WebAuthn recipient
const prefix = "AGE-PLUGIN-FIDO2PRF-";

function encode(file: Uint8Array): string {
  return btoa(String.fromCharCode(...file));
}

function decode(sealed: string): Uint8Array {
  return Uint8Array.from(atob(sealed), (c) => c.charCodeAt(0));
}

// sealSheet seals an identity under a code.
export async function sealSheet(secret: string, code: string): Promise<string> {
  const age = new Encrypter();
  age.setPassphrase(code);
  age.setScryptWorkFactor(work);
  return checked(secret, encode(await age.encrypt(`${secret}\n`)), (sealed) => openSheet(sealed, code));
}

// openSheet opens what sealSheet sealed; "" with another code.
export async function openSheet(sealed: string, code: string): Promise<string> {
  const age = new Decrypter();
  age.addPassphrase(code);
  return opened(age, sealed);
}

async function opened(age: Decrypter, sealed: string): Promise<string> {
  try {
    return (await age.decrypt(decode(sealed), "text")).trim();
  } catch {
    return "";
  }
}

// checked opens what was sealed before anybody relies on it.
async function checked(secret: string, sealed: string, open: (sealed: string) => Promise<string>): Promise<string> {
  if ((await open(sealed)) !== secret) throw new Error("what was sealed does not open");
  return sealed;
}

// inputs are what a passkey is asked about: two, so that one touch opens one
// lock and not two.
export function inputs(nonce: Uint8Array = crypto.getRandomValues(new Uint8Array(16))): Inputs {
  const one = (n: number) => Uint8Array.from([...new TextEncoder().encode(label), n, ...nonce]).buffer;
  return { nonce: base64nopad.encode(nonce), first: one(1), second: one(2) };
}

function keyOf(a: Answered): Uint8Array {
  return extract(sha256, Uint8Array.from([...new Uint8Array(a.first), ...new Uint8Array(a.second)]), new TextEncoder().encode(label));
}

// sealPasskey seals an identity under what a passkey answered to its inputs.
export async function sealPasskey(secret: string, nonce: string, answer: Answered): Promise<string> {
  const age = new Encrypter();
  age.addRecipient({ wrapFileKey: (fileKey) => [new Stanza([label, nonce], encryptFileKey(fileKey, keyOf(answer)))] });
  return checked(secret, encode(await age.encrypt(`${secret}\n`)), (sealed) => openPasskey(sealed, answer));
}

// openPasskey opens what sealPasskey sealed; "" with another answer.
export async function openPasskey(sealed: string, answer: Answered): Promise<string> {
  const age = new Decrypter();
  age.addIdentity({
    unwrapFileKey(stanzas) {
      const ours = stanzas.find((s) => s.args[0] === label);
      return ours ? decryptFileKey(ours.body, keyOf(answer)) : null;
    },
  });
  return opened(age, sealed);
}

// credential writes down where a passkey is to be found.
export function credential(c: Passkey): string {
  const bytes = [...cbor.encodeUint(1), ...cbor.encodeByteString(new Uint8Array(c.id)), ...cbor.encodeTextString(c.rp), ...cbor.encodeArray(c.transports)];
  return bech32.encode(prefix, bech32.toWords(Uint8Array.from(bytes)), false).toUpperCase();
}

// passkeys reads the locks that a passkey opens, with what it is to be asked.
// One that cannot be read is left out.
export function passkeys(locks: Lock[]): (Passkey & { lock: string; inputs: Inputs })[] {
  return locks.flatMap((l) => {
    try {
      const bytes = bech32.fromWords(bech32.decode(l.credential ?? "", false).words);
      const [, afterVersion] = cbor.readUint(bytes);
      const [id, afterId] = cbor.readByteString(afterVersion);
      const [rp, afterRp] = cbor.readTextString(afterId);
      const [transports] = cbor.readArray(afterRp);
      const nonce = /^-> age-encryption\.org\/fido2prf ([A-Za-z0-9+/]{22})$/m.exec(atob(l.sealed))![1]!;
      return [{ lock: l.id, id: Uint8Array.from(id).buffer, rp, transports, inputs: inputs(base64nopad.decode(nonce)) }];
    } catch {
      return [];
    }
  });
}

// identities finds the keys in an age identity file, with their recipients.
export async function identities(text: string): Promise<{ secret: string; recipient: string }[]> {
  const found = text.split(/\r?\n/).filter((line) => /^AGE-SECRET-KEY-/i.test(line.trim()));
  if (!found.length) throw refuse("no-identity", words.noIdentity);
  try {
    return await Promise.all(found.map(async (line) => ({ secret: line.trim().toUpperCase(), recipient: await identityToRecipient(line.trim().toUpperCase()) })));
  } catch {
    throw refuse("no-identity", words.noIdentity);
  }
}
