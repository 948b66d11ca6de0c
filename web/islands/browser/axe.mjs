// Has axe-core look at a page, past a policy that allows no script but ours:
// every rule that axe has for WCAG 2.2 AA, with the size of targets, which axe
// leaves out unless it is asked.
import fs from "node:fs";
import { createRequire } from "node:module";

const source = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const sessions = new WeakMap(); // of the debugger, one for each page

// colours are the rules whose answer another theme can change; everything else
// is the same in both.
export const colours = ["color-contrast", "link-in-text-block"];

// axe answers a sentence for each violation, by all rules or by some.
export async function axe(page, only) {
  if (!sessions.has(page)) sessions.set(page, await page.context().newCDPSession(page));
  const run = async (expression) => {
    const { result, exceptionDetails } = await sessions.get(page).send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(`axe: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value;
  };
  if (!(await run("typeof window.axe === 'object'"))) await run(`${source}; 0`);
  const how = { resultTypes: ["violations", "passes"], ...(only ? { runOnly: only } : { rules: { "target-size": { enabled: true } } }) };
  return JSON.parse(await run(`axe.run(document, ${JSON.stringify(how)}).then((r) => JSON.stringify(
    r.passes.length < ${only ? 1 : 10} ? ["it looked at nothing"] : r.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.target.join(" ")).join(", "))))`));
}
