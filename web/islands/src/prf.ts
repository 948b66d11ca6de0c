// Passkeys that answer a question with a secret of theirs (WebAuthn's PRF
// extension). Whoever holds the device is checked each time: by a finger, a
// face or a code.

import { type Answered, type Inputs, type Passkey, refuse } from "./protocol.ts";
import { words } from "./words.ts";

const verified = 4; // the flag of an authenticator's data that says so
const flags = 32; // where the flags stand in it

// possible reports whether it makes sense to offer a passkey. Only an answer
// says for sure.
export async function possible(): Promise<boolean> {
  if (!("credentials" in navigator) || !("PublicKeyCredential" in window)) return false;
  const ask = (PublicKeyCredential as { getClientCapabilities?: () => Promise<Record<string, boolean>> }).getClientCapabilities;
  try {
    return (await ask?.call(PublicKeyCredential))?.["extension:prf"] ?? true;
  } catch {
    return true;
  }
}

// Algorithms that authenticators know. The public key is not used.
const algorithms: PublicKeyCredentialParameters[] = [-8, -7, -257].map((alg) => ({ type: "public-key", alg }));

type Prf = { prf?: { enabled?: boolean; results?: { first?: BufferSource; second?: BufferSource } } };

function answered(credential: PublicKeyCredential): Answered | null {
  const { first, second } = (credential.getClientExtensionResults() as Prf).prf?.results ?? {};
  return first && second ? { first: buffer(first), second: buffer(second) } : null;
}

function buffer(source: BufferSource): ArrayBuffer {
  return ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice().buffer as ArrayBuffer : source.slice(0);
}

function evaluation(i: Inputs): { first: ArrayBuffer; second: ArrayBuffer } {
  return { first: i.first, second: i.second };
}

// prompt waits for the person, and says it in words if they did not go on.
async function prompt<T>(does: () => Promise<Credential | null>, read: (c: PublicKeyCredential) => T): Promise<T> {
  let credential: Credential | null;
  try {
    credential = await does();
  } catch (err) {
    if (err instanceof DOMException && err.name === "InvalidStateError") throw refuse("passkey-known", words.passkeyKnown);
    if (err instanceof DOMException && err.name === "NotSupportedError") throw refuse("passkey-unfit", words.passkeyUnfit);
    throw refuse("passkey-not-used", words.passkeyNotUsed);
  }
  if (!credential) throw refuse("passkey-not-used", words.passkeyNotUsed);
  return read(credential as PublicKeyCredential);
}

// make makes a passkey on this device, or says that it is no use for a key.
export async function make(coop: string, name: string, inputs: Inputs, known: Passkey[]): Promise<{ credential: Passkey; answer: Answered }> {
  const options = {
    rp: { name: coop },
    user: { id: crypto.getRandomValues(new Uint8Array(16)), name, displayName: name },
    challenge: crypto.getRandomValues(new Uint8Array(16)), // nobody checks an attestation
    pubKeyCredParams: algorithms,
    excludeCredentials: known.map((c) => ({ type: "public-key" as const, id: c.id })),
    // It is asked for by its name, and must not be offered where people sign in.
    authenticatorSelection: { residentKey: "discouraged" as const, requireResidentKey: false, userVerification: "required" as const },
    extensions: { prf: { eval: evaluation(inputs) } } as AuthenticationExtensionsClientInputs,
  };
  const made = await prompt(
    () => navigator.credentials.create({ publicKey: options }),
    (c) => ({
      credential: { id: c.rawId, rp: location.hostname, transports: (c.response as AuthenticatorAttestationResponse).getTransports?.() ?? [] },
      enabled: (c.getClientExtensionResults() as Prf).prf?.enabled,
      answer: answered(c),
    }),
  );
  if (made.answer) return { credential: made.credential, answer: made.answer };
  if (!made.enabled) throw refuse("passkey-unfit", words.passkeyUnfit);
  const { answer } = await use([{ ...made.credential, lock: "", inputs }]);
  return { credential: made.credential, answer };
}

// use asks for one of some passkeys, whichever the person has here, and answers
// which lock it is for.
export async function use(keys: (Passkey & { lock: string; inputs: Inputs })[]): Promise<{ lock: string; answer: Answered }> {
  const named = (id: ArrayBuffer) => btoa(String.fromCharCode(...new Uint8Array(id))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const options = {
    challenge: crypto.getRandomValues(new Uint8Array(16)),
    allowCredentials: keys.map((k) => ({ type: "public-key" as const, id: k.id, transports: k.transports as AuthenticatorTransport[] })),
    userVerification: "required" as const,
    extensions: { prf: { evalByCredential: Object.fromEntries(keys.map((k) => [named(k.id), evaluation(k.inputs)])) } } as AuthenticationExtensionsClientInputs,
  };
  return prompt(
    () => navigator.credentials.get({ publicKey: options }),
    (c) => {
      const data = new Uint8Array((c.response as AuthenticatorAssertionResponse).authenticatorData);
      const answer = answered(c);
      const key = keys.find((k) => named(k.id) === named(c.rawId));
      if (!answer || !key || !((data[flags] ?? 0) & verified)) throw refuse("passkey-unfit", words.passkeyUnfit);
      return { lock: key.lock, answer };
    },
  );
}
