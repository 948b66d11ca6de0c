// Runs the committed reducer in node. Standard input: {"wasm": path, "jobs":
// [[path, …], …]}. Standard output: for each job a line with the pool and the
// SHA-256 of the CSV, or the code of the refusal.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import "../vendor/go/wasm_exec.js";

const { wasm, jobs } = JSON.parse(fs.readFileSync(0, "utf8"));
const go = new globalThis.Go();
const { instance } = await WebAssembly.instantiate(fs.readFileSync(wasm), go.importObject);
void go.run(instance);
const reducer = globalThis.reducer;

class Refused extends Error {}

function ask(name, ...args) {
  const answer = reducer[name](...args);
  if (answer.fault) throw new Refused(answer.fault.code);
  return answer.value;
}

function reduce(paths) {
  const files = paths.map((p) => fs.readFileSync(p));
  ask("open", files.map((f) => f.length), (file, from, length) => new Uint8Array(files[file].subarray(from, from + length)), paths.map((p) => path.basename(p)));
  const { pool } = JSON.parse(ask("recognise", 0));
  ask("reduce", pool);
  const size = ask("csv");
  const sum = createHash("sha256");
  let read = 0;
  for (;;) {
    const bytes = ask("pull", 1 << 16);
    if (!bytes.length) break;
    sum.update(bytes);
    read += bytes.length;
  }
  if (read !== size) throw new Error(`${read} bytes, ${size} announced`);
  return `${pool} ${sum.digest("hex")}`;
}

for (const paths of jobs) {
  try {
    console.log(reduce(paths));
  } catch (err) {
    if (!(err instanceof Refused)) throw err;
    console.log(err.message);
  }
}
process.exit(0);
