// What an upload needs to go on after the page was closed: the ciphertext and
// a journal, in the browser's private file system (OPFS), one pair for each
// member. Encrypting again would give other bytes, which no server could
// append to what it has. There is no plaintext here and no secret. Where the
// browser has no such file system, memory must do and nothing outlives the page.

import type { Sealed } from "./encrypt.ts";
import { refuse, type Profile, type Terms } from "./protocol.ts";
import { words } from "./words.ts";

// Journal is how far an upload has come. A field is set once its step is done.
export interface Journal {
  begun: number; // Unix milliseconds
  pool: string;
  title: string;
  recipient: string;
  key: string; // Idempotency-Key of opening the dataset
  dataset?: string;
  self?: boolean; // the member keeps the only key
  vault?: string; // its recipient
  maxBytes?: number;
  chunkBytes?: number;
  profile?: Profile;
  fingerprint?: string; // SHA-256 of the table, hex
  consent?: Terms | null;
  sealed?: Sealed; // the ciphertext is complete
  uploadKey?: string; // Idempotency-Key of creating the upload
  location?: string;
  received?: boolean;
}

export interface Writer {
  write(bytes: Uint8Array): Promise<void>;
}

const folder = "datacoop-add";
const part = 8 << 20;

// Chromium forgets to answer about a file whose handle the collector has taken
// meanwhile, so every handle is kept that something is asked of.
const held = new Map<string, FileSystemHandle>();

function hold<H extends FileSystemHandle>(as: string, handle: H): H {
  held.set(as, handle);
  return handle;
}

// Store keeps one member's upload.
export class Store {
  private memory = new Blob();
  private remembered: Journal | null = null;
  private readonly files = new Map<string, FileSystemFileHandle>(); // by their names, for the same reason

  private constructor(
    private readonly member: string,
    private readonly dir: FileSystemDirectoryHandle | null,
  ) {}

  static async open(member: string): Promise<Store> {
    let dir: FileSystemDirectoryHandle | null = null;
    try {
      const root = hold("root", await navigator.storage.getDirectory());
      dir = hold("dir", await root.getDirectoryHandle(folder, { create: true }));
      const probe = hold("probe", await dir.getFileHandle("probe", { create: true }));
      (await probe.createSyncAccessHandle()).close();
    } catch {
      dir = null;
    }
    return new Store(member, dir);
  }

  // lasting reports whether what is kept outlives the page.
  get lasting(): boolean {
    return this.dir !== null;
  }

  private get journalName(): string {
    return `${this.member}.json`;
  }

  private get cipherName(): string {
    return `${this.member}.age`;
  }

  // journal reads what was saved last, or nothing.
  async journal(): Promise<Journal | null> {
    if (!this.dir) return this.remembered;
    try {
      const file = await (await this.file(this.journalName, false)).getFile();
      const journal = JSON.parse(await file.text()) as Journal;
      if (journal.sealed && (!journal.sealed.headerSize || (await this.size()) !== journal.sealed.size)) return null;
      return journal;
    } catch {
      return null; // there is none, or it was cut off while being written
    }
  }

  async save(journal: Journal): Promise<void> {
    this.remembered = journal;
    if (this.dir) await this.write(this.journalName, new TextEncoder().encode(JSON.stringify(journal)));
  }

  // file is one of the two. If it is not there it is made, or that is an error.
  private async file(name: string, create = true): Promise<FileSystemFileHandle> {
    const file = this.files.get(name) ?? (await this.dir!.getFileHandle(name, { create }));
    this.files.set(name, file);
    return file;
  }

  private async write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const handle = await (await this.file(name)).createSyncAccessHandle();
    try {
      handle.truncate(0);
      if (handle.write(bytes, { at: 0 }) !== bytes.length) throw refuse("no-room", words.noRoom);
      handle.flush();
    } catch (err) {
      throw err instanceof DOMException ? refuse("no-room", words.noRoom) : err; // the quota is used up
    } finally {
      handle.close();
    }
  }

  // fill stores the ciphertext that make writes. What was there is replaced.
  async fill<T>(make: (to: Writer) => Promise<T>): Promise<T> {
    this.memory = new Blob();
    if (!this.dir) return this.fillMemory(make);
    const handle = await (await this.file(this.cipherName)).createSyncAccessHandle();
    let at = 0;
    try {
      handle.truncate(0);
      const out = await make({
        async write(bytes) {
          let done = 0;
          try {
            done = handle.write(bytes as Uint8Array<ArrayBuffer>, { at });
          } catch {
            done = -1; // the quota is used up
          }
          if (done !== bytes.length) throw refuse("no-room", words.noRoom);
          at += done;
        },
      });
      handle.flush();
      return out;
    } finally {
      handle.close();
    }
  }

  // fillMemory hands the browser a part at a time, which may put it on disk.
  private async fillMemory<T>(make: (to: Writer) => Promise<T>): Promise<T> {
    const blobs: Blob[] = [];
    let parts: BlobPart[] = [];
    let size = 0;
    const out = await make({
      async write(bytes) {
        parts.push(new Uint8Array(bytes));
        if ((size += bytes.length) < part) return;
        blobs.push(new Blob(parts));
        parts = [];
        size = 0;
      },
    });
    this.memory = new Blob([...blobs, ...parts]);
    return out;
  }

  private async size(): Promise<number> {
    return (await (await this.file(this.cipherName, false)).getFile()).size;
  }

  // read answers the ciphertext's bytes from one offset up to another.
  async read(from: number, to: number): Promise<ArrayBuffer> {
    const whole = this.dir ? await (await this.file(this.cipherName, false)).getFile() : this.memory;
    return whole.slice(from, to).arrayBuffer();
  }

  // drop forgets the upload.
  async drop(): Promise<void> {
    this.memory = new Blob();
    this.remembered = null;
    this.files.clear();
    for (const name of [this.journalName, this.cipherName]) {
      await this.dir?.removeEntry(name).catch(() => undefined); // it was not there
    }
  }
}
