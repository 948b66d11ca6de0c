// Sharing one table: open a dataset, encrypt, upload, seal. The twin of
// web/client/share.go; whatever interrupts it, it goes on where it stood.

import { isStatus, newKey, type Patience } from "./api.ts";
import { Digest, Sum } from "./digest.ts";
import { encrypt } from "./encrypt.ts";
import { type Order, type Pending, type Profile, type Receipt, refuse, type Step } from "./protocol.ts";
import type { Reducer } from "./reducer.ts";
import { type Manifest, sign } from "./sign.ts";
import type { Journal, Store } from "./store.ts";
import * as tus from "./tus.ts";
import { words } from "./words.ts";

// Dataset is client.Dataset, as far as it is needed here.
interface Dataset {
  id: string;
  state: string;
  vault_recipient: string;
  sha256: string;
  sealed_at?: string;
  max_bytes: number;
  chunk_bytes: number;
}

export class Sharing {
  private wanted: { order: Order; profile: Profile } | undefined; // of this visit

  constructor(
    private readonly member: string,
    private readonly store: Store,
    private readonly api: Patience,
    private readonly reducer: Reducer,
    private readonly progress: (step: Step, done: number, total: number) => void,
  ) {}

  // pending is what an earlier visit left unfinished.
  async pending(): Promise<Pending | null> {
    const j = await this.store.journal();
    if (!j?.sealed || !j.profile) return null;
    return { title: j.title, rows: j.profile.rows, size: j.sealed.size, since: j.begun };
  }

  // share takes what the reducer keeps from here to the receipt.
  async share(order: Order, profile: Profile): Promise<Receipt> {
    this.wanted = { order, profile };
    const j = await this.begin(order);
    j.profile = profile;
    j.consent = order.consent;
    await this.open(j);
    await this.encrypt(j);
    return this.finish(j);
  }

  // begin takes up a dataset that was opened for nothing, or begins anew.
  private async begin(order: Order): Promise<Journal> {
    const before = await this.store.journal();
    if (before && !before.sealed && before.pool === order.pool && before.recipient === order.recipient && before.self === (order.secret !== "")) return before;
    const j: Journal = { begun: Date.now(), pool: order.pool, title: order.title, recipient: order.recipient, self: order.secret !== "", key: newKey() };
    await this.store.save(j);
    return j;
  }

  private async open(j: Journal): Promise<void> {
    if (j.dataset) return;
    const d = await this.api.json<Dataset>("POST", "/v1/datasets", { pool: j.pool, custody: j.self ? "self" : "vault" }, j.key);
    if (j.self && d.vault_recipient) throw refuse("bad-key", words.badKey); // it would not be the only key
    Object.assign(j, { dataset: d.id, vault: d.vault_recipient, maxBytes: d.max_bytes, chunkBytes: d.chunk_bytes });
    await this.store.save(j);
  }

  private async encrypt(j: Journal): Promise<void> {
    const { next, size } = this.reducer.csv();
    const sum = new Sum();
    let done = 0;
    const table = () => {
      const bytes = next();
      sum.add(bytes);
      this.progress("encrypt", (done += bytes.length), size);
      return bytes;
    };
    this.progress("encrypt", 0, size);
    const sealed = await this.store.fill((to) => encrypt(table, j.recipient, j.self ? null : (j.vault ?? ""), to));
    if (j.maxBytes && sealed.size > j.maxBytes) {
      await this.store.drop();
      throw refuse("over-size", words.overSize);
    }
    j.sealed = sealed;
    if (done >= fingerprinted) j.fingerprint = await sum.end();
    await this.store.save(j);
  }

  // resume goes on after a failure, or with what an earlier visit left.
  async resume(): Promise<Receipt> {
    const j = await this.store.journal();
    if (j?.sealed) return this.finish(j);
    if (this.wanted) return this.share(this.wanted.order, this.wanted.profile);
    throw refuse("gone", words.gone);
  }

  private async finish(j: Journal): Promise<Receipt> {
    try {
      await this.upload(j, j.sealed!.size);
      this.progress("seal", 0, 1);
      const d = await this.seal(j);
      await this.store.drop();
      this.reducer.close();
      this.wanted = undefined;
      return { dataset: d.id, sealed: d.sealed_at ?? new Date().toISOString(), rows: j.profile!.rows, size: j.sealed!.size, sha256: d.sha256, own: j.consent != null };
    } catch (err) {
      if (!isStatus(err, 404, 410)) throw err;
      await this.store.drop(); // the dataset itself is gone from the server
      throw refuse("gone", words.gone);
    }
  }

  private async upload(j: Journal, size: number): Promise<void> {
    if (j.received) return;
    const from = await this.position(j, size);
    const digest = new Digest((a, b) => this.store.read(a, b), j.sealed!.headerSize);
    await tus.send(this.api, j.location!, size, from, j.chunkBytes ?? 0, digest, (done) => this.progress("upload", done, size));
    j.sealed!.payload = await digest.end(size);
    j.received = true;
    await this.store.save(j);
  }

  // position finds the upload of an earlier visit and how far it got, or
  // begins one. The server forgets an upload that has expired or is complete.
  private async position(j: Journal, size: number): Promise<number> {
    if (j.location) {
      try {
        return await tus.offset(this.api, j.location);
      } catch (err) {
        if (!isStatus(err, 404, 410)) throw err;
      }
      const known = await this.lookup(j);
      if (known.state === "received" || known.sealed_at) return size;
      // An expired upload stands in the way of another until it is cancelled.
      await tus.cancel(this.api, j.location).catch((err: unknown) => {
        if (!isStatus(err, 404, 410)) throw err;
      });
      delete j.location;
      delete j.uploadKey;
    }
    if (!j.uploadKey) {
      j.uploadKey = newKey();
      await this.store.save(j);
    }
    j.location = await tus.create(this.api, j.dataset!, size, j.uploadKey);
    await this.store.save(j);
    return 0;
  }

  // lookup finds the dataset among the member's own.
  private async lookup(j: Journal): Promise<Dataset> {
    const { items } = await this.api.json<{ items: Dataset[] }>("GET", "/v1/me/datasets");
    const known = items.find((d) => d.id === j.dataset);
    if (!known) {
      await this.store.drop();
      throw refuse("gone", words.gone);
    }
    return known;
  }

  private async seal(j: Journal): Promise<Dataset> {
    const coop = await this.api.json<{ charter_digest: string }>("GET", "/.well-known/datacoop");
    const s = j.sealed!;
    const manifest: Manifest = {
      dataset: j.dataset!,
      header_sha256: s.header,
      sha256: s.payload!,
      size: s.size - s.headerSize,
      terms: coop.charter_digest,
      vault_recipient: j.vault!,
    };
    const signature = await sign(this.api, this.member, manifest, this.wanted?.order.secret);
    const body = { manifest, profile: wire(j.profile!, j.fingerprint), ...(signature && { signature }), ...(j.consent && { consent: j.consent }) };
    try {
      return await this.api.json<Dataset>("POST", `/v1/datasets/${j.dataset}/seal`, body);
    } catch (err) {
      if (!isStatus(err, 409)) throw err;
      // Perhaps it was sealed and we never heard the answer.
      const known = await this.lookup(j);
      if (known.sealed_at && known.sha256 === s.payload) return known;
      throw err;
    }
  }

  // drop gives an unfinished upload up, here and on the server.
  async drop(): Promise<void> {
    const j = await this.store.journal();
    await this.store.drop();
    if (j?.location) await tus.cancel(this.api, j.location).catch(() => undefined); // it expires by itself otherwise
  }
}

// fingerprinted is how many bytes a table has at least whose digest the co-op is
// told: a shorter one could be found by trying.
const fingerprinted = 4096;

// wire is the profile as the API takes it: numbers about the table, in the
// codebook's own words, and its fingerprint.
function wire(p: Profile, fingerprint?: string): object {
  return { ...(fingerprint && { fingerprint }), format: p.format, rows: p.rows, columns: p.columns ?? [], from: p.from, to: p.to, coverage: p.coverage, days: p.days, persons: p.persons };
}
