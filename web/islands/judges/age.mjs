// typage, the TypeScript implementation of age, judges what the Go side makes
// and makes what the Go side is to open. It reads one line of JSON:
// {make: {to: [recipients], text}, open: [{file, identity}]} with files in
// base64, and answers {made, opened, keys} in JSON; keys are fresh identities.

import { readFileSync } from "node:fs";
import { Decrypter, Encrypter, generateHybridIdentity, generateX25519Identity, identityToRecipient } from "age-encryption";

const o = JSON.parse(readFileSync(0, "utf8"));
const answer = { made: "", opened: [], keys: {} };

if (o.make) {
  const e = new Encrypter();
  for (const r of o.make.to) e.addRecipient(r);
  answer.made = Buffer.from(await e.encrypt(o.make.text)).toString("base64");
}
for (const { file, identity } of o.open ?? []) {
  const d = new Decrypter();
  d.addIdentity(identity);
  try {
    answer.opened.push(await d.decrypt(Buffer.from(file, "base64"), "text"));
  } catch (err) {
    answer.opened.push(`refused: ${err.message}`);
  }
}
for (const [name, generate] of Object.entries({ x25519: generateX25519Identity, hybrid: generateHybridIdentity })) {
  const identity = await generate();
  answer.keys[name] = { identity, recipient: await identityToRecipient(identity) };
}
console.log(JSON.stringify(answer));
