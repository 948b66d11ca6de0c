// Plays one journey of a member through a whole co-op. The first line of
// standard input says which. At each stop it prints what came so far as one
// line of JSON and waits for a line, while somebody else, a researcher or the
// clock, does their part; the last line says "done".
import path from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { axe, colours } from "./axe.mjs";
import { keyJourneys } from "./keys.mjs";
import { languageJourneys } from "./languages.mjs";
import { pageJourneys } from "./pages.mjs";
import { peopleJourneys } from "./people.mjs";
import { proofJourneys } from "./proofs.mjs";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const order = JSON.parse((await lines.next()).value);
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
  return {
    count: async () => (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials.length,
    // lose takes the passkeys out of the device and answers what puts them back.
    lose: async () => {
      const { credentials } = await cdp.send("WebAuthn.getCredentials", { authenticatorId });
      await cdp.send("WebAuthn.clearCredentials", { authenticatorId });
      return () => Promise.all(credentials.map((credential) => cdp.send("WebAuthn.addCredential", { authenticatorId, credential })));
    },
  };
}

// look has axe-core look at the page.
async function look(page, name, only) {
  for (const v of await axe(page, only)) result.complaints.push(`axe, ${name}: ${v}`);
}

// everywhere has axe-core look at the page in both themes and at both widths, and
// keeps pictures for people. What the theme cannot change is looked at in one.
let shots = 0;
async function everywhere(page, name) {
  const [before, n] = [page.viewportSize(), String(shots++).padStart(2, "0")];
  for (const [width, colorScheme, only] of [[390, "light"], [390, "dark", colours], [1280, "dark"], [1280, "light", colours]]) {
    await page.setViewportSize({ width, height: 844 });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" }); // Pico would fade from one theme to the other
    await look(page, `${name} ${width} ${colorScheme}`, only);
    if (order.shots) await page.screenshot({ path: path.join(order.shots, `${order.journey}-${n}${name.replaceAll(/[^a-z]+/g, "-")}-${width}-${colorScheme}.png`), fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) result.complaints.push(`${name} at ${width}: ${wide} pixels too wide`);
  }
  await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
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

// join follows the invitation: a name, a passkey, the recovery code, and in. It
// answers the device.
async function join(page) {
  const passkeys = await device(page);
  await page.goto(order.link);
  await everywhere(page, "join");
  await page.fill("#name", order.name);
  await click(page, 'form[action="/oauth/join"] button:not([disabled])');
  result.recovery = await page.innerText("#recovery-code");
  await everywhere(page, "welcome");
  await click(page, "a.button");
  await page.waitForSelector('form[action="/logout"]');
  result.passkeys = await passkeys.count();
  result.hello = await page.innerText("h1");
  await look(page, "home");
  return passkeys;
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

const says = async (page, name, see = look) => {
  await see(page, name);
  return page.innerText("main");
};

// ballot casts a vote as a member does who finds it on the home page.
async function ballot(page, login, choice) {
  await signIn(page, login);
  await page.goto(order.base);
  await page.click('a[href^="/votes/"]:not([href="/votes/new"])');
  await page.check(`input[name=choice][value=${choice}]`);
  await everywhere(page, "ballot");
  await page.click(`form[action^="/votes/"] button[type=submit]`);
  await page.waitForSelector("text=Your vote is cast");
}

// back goes back in the browser to the page that asked whether to revoke, presses
// its button again if it is still there, and answers what is said then.
async function back(page) {
  await page.goBack();
  const again = page.locator(`form[action="/data/${result.dataset}/revoke"] button`);
  if (await again.count()) await Promise.all([page.waitForEvent("load"), again.click()]);
  return says(page, "back after revoking");
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
    await everywhere(page, "revoke");
    await click(page, `form[action="/data/${result.dataset}/revoke"] button`);
    await page.waitForSelector("#receipt");
    result.said = await says(page, "revoked", everywhere);
    await stop("revoked");
    result.told = { back: await back(page) };
    await page.click('.menu a[href="/uses"]');
    result.uses = await says(page, "uses at the end");
    await page.goto(order.base);
    result.clicks = 0;
    await click(page, 'form[action="/pause"] button');
    await page.waitForSelector("text=Everything is paused");
    result.told.paused = await says(page, "paused", everywhere);
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
    result.gate = await says(page, "checked", everywhere);
    await page.click("button[name=step][value=propose]");
    await page.waitForSelector("text=Your proposal is before the members");
    result.proposal = new URL(page.url()).pathname.split("/").pop();
    await look(page, "proposed");
    while (!(await page.locator("input[name=choice]").count())) {
      await page.waitForTimeout(500);
      await page.reload();
    }
    await everywhere(page, "tried");
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

Object.assign(journeys, languageJourneys({ order, result, visit, device }), keyJourneys({ order, result, visit, signIn, everywhere, stop, browser }), pageJourneys({ order, result, visit, signIn, everywhere }), peopleJourneys({ order, result, visit, signIn, everywhere, stop }), proofJourneys({ order, result, visit, join, everywhere, stop }));

try {
  await journeys[order.journey]();
} catch (err) {
  result.failed = String(err?.stack ?? err);
  for (const page of browser.contexts().flatMap((c) => c.pages())) result.failed += `\n${page.url()}:\n${await page.innerText("body").catch(() => "gone")}`;
}
console.log(JSON.stringify({ ...result, step: "done" }));
await browser.close();
process.exit(0);
