// Plays one journey of a member through a whole co-op. The first line of
// standard input says which. At each stop it prints what came so far as one
// line of JSON and waits for a line, while somebody else, a researcher or the
// clock, does their part; the last line says "done".
import fs from "node:fs";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { keyJourneys } from "./keys.mjs";
import { pageJourneys } from "./pages.mjs";
import { peopleJourneys } from "./people.mjs";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const order = JSON.parse((await lines.next()).value);
const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const result = { clicks: 0, complaints: [] };

const browser = await chromium.launch({
  executablePath: order.chromium,
  args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
});

// stop lets the others go on.
async function stop(step) {
  console.log(JSON.stringify({ ...result, step }));
  if ((await lines.next()).done) throw new Error("nobody is there to go on");
}

// visit opens a fresh browser profile and notes what it complains about.
async function visit({ width = 390, scheme = "light", javaScriptEnabled = true } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 844 }, colorScheme: scheme, javaScriptEnabled, acceptDownloads: true });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const note = (what) => result.complaints.push(what);
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && !/^Failed to load resource/.test(m.text()) && note(m.text()));
  page.on("pageerror", (e) => note(e.message));
  context.on("request", (r) => !r.url().startsWith(order.base) && !r.url().startsWith("blob:") && note(`a request to ${r.url()}`));
  return page;
}

async function click(page, selector) {
  result.clicks++;
  await page.click(selector);
}

// device gives the browser an authenticator, such as a telephone has: it keeps
// passkeys and has checked who holds it.
async function device(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, hasPrf: true,
      isUserVerified: true, automaticPresenceSimulation: true,
    },
  });
  return async () => (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials.length;
}

// look has axe-core look at the page, past a policy that allows no script but
// ours.
async function look(page, name) {
  const cdp = await page.context().newCDPSession(page);
  const found = await cdp.send("Runtime.evaluate", {
    expression: `${axe}; axe.run(document, {resultTypes: ["violations", "passes"]}).then(r => JSON.stringify(r.passes.length < 10 ? ["it looked at nothing"] : r.violations.map(v => v.id + ": " + v.nodes.map(n => n.target.join(" ")).join(", "))))`,
    awaitPromise: true,
    returnByValue: true,
  });
  for (const v of JSON.parse(found.result.value)) result.complaints.push(`axe, ${name}: ${v}`);
}

const at = (step) => `[data-step="${step}"]:not([hidden])`;

// signIn is for an account with a password.
async function signIn(page, login) {
  await page.goto(`${order.base}/login`);
  await page.fill("#account", login);
  await page.fill("#password", order.password);
  await page.click("button[type=submit]");
  await page.waitForSelector('form[action="/logout"]');
}

// join follows the invitation: a name, a passkey, the recovery code, and in.
async function join(page) {
  const passkeys = await device(page);
  await page.goto(order.link);
  await look(page, "join");
  await page.fill("#name", order.name);
  await click(page, 'form[action="/oauth/join"] button:not([disabled])');
  result.recovery = await page.innerText("#recovery-code");
  await look(page, "welcome");
  await click(page, "a.button");
  await page.waitForSelector('form[action="/logout"]');
  result.passkeys = await passkeys();
  result.hello = await page.innerText("h1");
  await look(page, "home");
}

// enter signs out and in again, with the passkey.
async function enter(page) {
  await page.click('form[action="/logout"] button');
  await page.click('a[href="/login"]');
  await look(page, "sign-in");
  await page.click('form[action="/oauth/login"][data-passkey] button:not([disabled])');
  await page.waitForSelector('form[action="/logout"]');
}

// share adds files, from the home page to the receipt.
async function share(page) {
  await click(page, 'a[href="/data/add"]');
  await page.waitForSelector(at("choose"));
  result.clicks++; // on the button that opens the file dialogue
  await page.setInputFiles("#files", order.files);
  await page.waitForSelector(`${at("look")}, #trouble-box:not([hidden])`);
  await click(page, "#look-on");
  await page.waitForSelector(at("answer"));
  await click(page, "input[name=preset][value=public]");
  await click(page, "#answer-on");
  await page.waitForSelector(at("check"));
  await click(page, "#make-passkey");
  await page.waitForSelector("[data-make=sheet]:not([hidden])");
  const groups = await page.$$eval("#sheet-code li", (all) => all.map((li) => li.firstChild.textContent));
  result.sheet = groups.join("-");
  for (const id of ["typed-first", "typed-second"]) await page.fill(`#${id}`, groups[Number(/\d/.exec(await page.innerText(`#${id}-label`))[0]) - 1]);
  await click(page, "#share");
  await page.waitForSelector(`${at("done")}, #send-stopped:not([hidden]), #trouble-box:not([hidden])`);
  if (!(await page.isVisible(at("done")))) throw new Error(await page.innerText("#add"));
  result.dataset = await page.innerText("#receipt-id");
  result.receipt = await page.evaluate(async () => (await fetch(document.getElementById("receipt-consent").href)).text());
}

// dataset goes from the home page to the page of what was shared.
async function dataset(page) {
  await page.goto(order.base);
  result.clicks = 0;
  await click(page, '.menu a[href="/data"]');
  await click(page, `main a[href="/data/${result.dataset}"]`);
}

const says = async (page, name) => {
  await look(page, name);
  return page.innerText("main");
};

// ballot casts a vote as a member does who finds it on the home page.
async function ballot(page, login, choice) {
  await signIn(page, login);
  await page.goto(order.base);
  await page.click('a[href^="/votes/"]:not([href="/votes/new"])');
  await page.check(`input[name=choice][value=${choice}]`);
  await look(page, "ballot");
  await page.click(`form[action^="/votes/"] button[type=submit]`);
  await page.waitForSelector("text=Your vote is cast");
}

const journeys = {
  // member joins by invitation, shares, sees the use, and takes it back.
  async member() {
    const page = await visit();
    await join(page);
    await share(page);
    await stop("shared");
    await page.click('.menu a[href="/uses"]');
    result.uses = await says(page, "uses");
    await enter(page);
    await dataset(page);
    await click(page, `form[action="/data/${result.dataset}/withdraw"] button`);
    await page.waitForSelector("text=Your consent is withdrawn");
    result.said = await says(page, "withdrawn");
    await stop("withdrawn");
    await page.goto(order.base);
    result.clicks = 0;
    await click(page, '.menu a[href="/data"]');
    await click(page, `main a[href="/data/${result.dataset}/revoke"]`);
    await look(page, "revoke");
    await click(page, `form[action="/data/${result.dataset}/revoke"] button`);
    await page.waitForSelector("#receipt");
    result.said = await says(page, "revoked");
    await stop("revoked");
    await page.click('.menu a[href="/uses"]');
    result.uses = await says(page, "uses at the end");
  },

  // law proposes a rule, has it checked, waits until it was tried, and two members
  // vote on it.
  async law() {
    const page = await visit({ width: 1280, scheme: "dark" });
    await signIn(page, "eva");
    await page.click('.menu a[href="/votes"]');
    await page.click('a[href="/votes/new"]');
    await page.fill("#title", order.title);
    await page.fill("#text", "A year is too long for copies of our days to lie around.");
    await page.fill("#policy", order.policy);
    await page.click("button[name=step][value=check]");
    await page.waitForSelector("#gate");
    result.gate = await says(page, "checked");
    await page.click("button[name=step][value=propose]");
    await page.waitForSelector("text=Your proposal is before the members");
    result.proposal = new URL(page.url()).pathname.split("/").pop();
    await look(page, "proposed");
    while (!(await page.locator("input[name=choice]").count())) {
      await page.waitForTimeout(100);
      await page.reload();
    }
    await look(page, "tried");
    await ballot(await visit(), "finn", "no");
    await ballot(await visit({ scheme: "dark" }), "eva", "yes");
    await stop("voted");
    const later = await visit({ scheme: "dark" });
    await signIn(later, "eva");
    await later.goto(`${order.base}/votes/${result.proposal}`);
    await later.click('main summary:has-text("as the computer reads it")');
    result.said = await says(later, "result");
    await later.click('.menu a[href="/votes"]');
    await later.click("main summary");
    result.law = await says(later, "law");
  },
};

Object.assign(journeys, keyJourneys({ order, result, visit, signIn, look, stop, browser }), pageJourneys({ order, result, visit, signIn, look }), peopleJourneys({ order, result, visit, signIn, stop }));

try {
  await journeys[order.journey]();
} catch (err) {
  result.failed = String(err?.stack ?? err);
  for (const page of browser.contexts().flatMap((c) => c.pages())) result.failed += `\n${page.url()}:\n${await page.innerText("body").catch(() => "gone")}`;
}
console.log(JSON.stringify({ ...result, step: "done" }));
await browser.close();
process.exit(0);
