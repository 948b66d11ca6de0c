// The codebook's reducer, compiled to WebAssembly (web/islands/reducer), and
// the files it reads. Nothing here touches the network but to load the program.

import "../vendor/go/wasm_exec.js";
import type { Piece } from "./cipher.ts";
import { type Found, Refusal, refuse, type Summary } from "./protocol.ts";
import { words } from "./words.ts";

interface Go {
  importObject: WebAssembly.Imports;
  run(instance: WebAssembly.Instance): Promise<void>;
}

type Answer = { value: unknown } | { fault: { code: string; message: string; detail: string[] } };
type Program = Record<string, (...args: unknown[]) => Answer>;

declare global {
  var Go: { new (): Go };
  var reducer: Program | undefined;
}

// start loads and starts the program.
async function start(): Promise<Program> {
  const go = new globalThis.Go();
  const { instance } = await WebAssembly.instantiateStreaming(fetch(new URL("reducer.wasm", self.location.href)), go.importObject);
  globalThis.reducer = undefined;
  void go.run(instance); // ends only when the program fails
  if (!globalThis.reducer) throw new Error("the reducer did not start");
  return globalThis.reducer;
}

// Reducer holds the one export that is being looked at.
export class Reducer {
  private program: Promise<Program> | undefined;
  private running: Program | undefined;

  constructor(private readonly progress: (done: number, total: number) => void) {}

  // open takes files in and recognises each by its content; of a folder only
  // the files of one pool are taken. A refusal says which file it is about.
  async open(files: File[], folder = false): Promise<Found[]> {
    try {
      this.running = await (this.program ??= start());
    } catch {
      this.program = undefined;
      throw refuse("no-reducer", words.noReducer);
    }
    this.ask("open", files.map((f) => f.size), this.reader(files), files.map((f) => f.webkitRelativePath || f.name));
    if (folder) return [JSON.parse(this.ask("gather") as string) as Found];
    return files.map((_, i) => {
      try {
        return JSON.parse(this.ask("recognise", i) as string) as Found;
      } catch (err) {
        if (err instanceof Refusal) err.problem.file = i;
        throw err;
      }
    });
  }

  // reader answers bytes of a file to the program, at once: a Worker may wait.
  private reader(files: File[]): (file: number, from: number, length: number) => Uint8Array {
    const sync = new FileReaderSync();
    const total = files.reduce((sum, f) => sum + f.size, 0);
    let done = 0;
    return (file, from, length) => {
      const bytes = new Uint8Array(sync.readAsArrayBuffer(files[file]!.slice(from, from + length)));
      done += bytes.length;
      this.progress(Math.min(done, total), total);
      return bytes;
    };
  }

  reduce(pool: string): Summary {
    return JSON.parse(this.ask("reduce", pool) as string) as Summary;
  }

  narrow(without: string[], from: string, to: string): Summary {
    return JSON.parse(this.ask("narrow", without, from, to) as string) as Summary;
  }

  rows(from: number, to: number): string[][] {
    return JSON.parse(this.ask("rows", from, to) as string) as string[][];
  }

  // csv begins to hand over the table that is kept: next answers one piece
  // after the other, and an empty one in the end; size is how many bytes there
  // will be.
  csv(): { next: () => Piece; size: number } {
    const size = this.ask("csv") as number;
    return { next: () => this.ask("pull", 1 << 20) as Piece, size };
  }

  close(): void {
    if (this.running) this.ask("close");
  }

  // ask calls the program. One that has died, for want of memory, is started
  // anew at the next file.
  private ask(name: string, ...args: unknown[]): unknown {
    let answer: Answer | undefined;
    try {
      answer = this.running?.[name]?.(...args);
    } catch {
      answer = undefined;
    }
    if (!answer) {
      this.program = this.running = undefined;
      throw refuse("too-large", words.tooLarge);
    }
    if ("fault" in answer) throw refuse(answer.fault.code, answer.fault.message, ...answer.fault.detail);
    return answer.value;
  }
}
