// Plays one journey in Chromium, as a member would, and prints what came of it
// as one line of JSON. Standard input says which: see the functions at the end.
import fs from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";
import { axe, colours } from "./axe.mjs";

const order = JSON.parse(fs.readFileSync(0, "utf8"));
const result = { clicks: 0, complaints: [] };
const wait = { timeout: order.timeout ?? 180_000 };

const browser = await chromium.launch({
  executablePath: order.chromium,
  args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
  proxy: { server: order.proxy, bypass: "<-loopback>" },
});

// visit opens a fresh browser profile, with everything that it complains about
// noted: errors, and violations of the content security policy.
async function visit({ width = 390, scheme = "light", javaScriptEnabled = true } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 844 }, colorScheme: scheme, javaScriptEnabled, acceptDownloads: true });
  context.setDefaultTimeout(wait.timeout);
  const page = await context.newPage();
  const note = (what) => result.complaints.push(what);
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && !/^Failed to load resource/.test(m.text()) && note(m.text()));
  page.on("pageerror", (e) => note(e.message));
  context.on("request", (r) => !r.url().startsWith(order.base) && !r.url().startsWith("blob:") && note(`a request to ${r.url()}`));
  if (order.forget) await newcomer(page);
  return page;
}

// newcomer makes of a member one who has no key yet, on a device that keeps
// passkeys. What the page stores of the new key is noted instead.
async function newcomer(page) {
  await page.route("**/v1/me", noRecipient);
  await page.route("**/v1/me/sealed-identity", async (route) => {
    if (route.request().method() !== "PUT") return route.fulfill({ status: 404, contentType: "application/problem+json", body: JSON.stringify({ title: "None." }) });
    result.sealed = route.request().postData();
    await route.fulfill({ status: 204, headers: { ETag: '"1"' } });
  });
  await page.route("**/v1/me/recipient", (route) => route.fulfill({ json: route.request().postDataJSON() })); // the account has had a key all along
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, hasPrf: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
}

// noRecipient answers as for a member who has no key yet.
async function noRecipient(route) {
  if (route.request().method() !== "GET") return route.continue();
  await route.fulfill({ json: { recipient: "" } });
}

async function click(page, selector) {
  result.clicks++;
  await page.click(selector);
}

// shot keeps a picture of the page, for people to look at, and has axe-core look
// at it too; in all of the themes that were ordered, or in that of the visit.
let shots = 0;
async function shot(page, name) {
  const n = String(shots++).padStart(2, "0");
  for (const [i, colorScheme] of (order.themes ?? [undefined]).entries()) {
    if (colorScheme) await page.emulateMedia({ colorScheme, reducedMotion: "reduce" }); // Pico would fade from one to the other
    const called = [name, colorScheme].filter(Boolean).join("-");
    if (order.axe) for (const v of await axe(page, i ? colours : undefined)) result.complaints.push(`axe, ${called}: ${v}`);
    if (order.shots) await page.screenshot({ path: path.join(order.shots, `${order.tag}-${n}-${called}.png`), fullPage: true });
  }
}

const at = (step) => `[data-step="${step}"]:not([hidden])`;

async function signIn(page) {
  await page.fill("#account", order.login);
  await page.fill("#password", order.password);
  await click(page, "button[type=submit]");
}

// open goes straight to the page, through the sign-in.
async function open(page) {
  await page.goto(`${order.base}/data/add`);
  await signIn(page);
  await page.waitForSelector(`${at("choose")}, ${at("pending")}`);
}

// choose gives files to the page and answers what was refused about them.
async function choose(page, files) {
  result.clicks++; // on the button that opens the file dialogue
  await page.setInputFiles("#files", files);
  await page.waitForSelector(`${at("look")}, #trouble-box:not([hidden])`);
  return (await page.isVisible("#trouble-box")) ? page.innerText("#trouble-box") : "";
}

// drop lets go of files or a folder above the page, as a hand does that has brought
// them from elsewhere.
async function drop(page, files) {
  const cdp = await page.context().newCDPSession(page);
  const area = await page.locator("#drop").boundingBox();
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) await cdp.send("Input.dispatchDragEvent", { type, x: area.x + area.width / 2, y: area.y + area.height / 2, data });
  await cdp.detach();
}

// turned turns a page of the table over and back, and answers what was said of
// each and the first row of the second.
async function turned(page) {
  const says = async (text) => {
    await page.waitForFunction((t) => document.getElementById("rows-said").textContent.includes(t), text);
    return page.innerText("#rows-said");
  };
  const first = await says("1 ");
  await page.click("#rows-after");
  const second = await says("21");
  const row = await page.$$eval("#table-rows tr:first-child td", (all) => all.map((td) => td.textContent));
  await page.click("#rows-before");
  await page.waitForFunction((t) => document.getElementById("rows-said").textContent === t, first);
  return { first, second, row: row.join(",") };
}

// through walks from the table to the button that shares.
async function through(page) {
  await shot(page, "look");
  if (order.without) {
    await page.click(".columns summary");
    for (const name of order.without) await page.uncheck(`#columns-list input[value=${name}]`);
    await shot(page, "columns");
  }
  if (order.from) await page.fill("#from", order.from);
  if (order.to) await page.fill("#to", order.to);
  if (order.without || order.from) await page.waitForFunction((t) => document.getElementById("extent").textContent.includes(t), order.extent);
  result.extent = await page.innerText("#extent");
  await click(page, "#look-on");
  await page.waitForSelector(at("answer"));
  await click(page, `input[name=preset][value=${order.preset ?? "public"}]`);
  await shot(page, "answer");
  await click(page, "#answer-on");
  await page.waitForSelector(`${at("check")}, #trouble-box:not([hidden])`);
  await shot(page, "check");
  if (await page.isVisible("#make-passkey")) await makeKey(page);
}

// makeKey makes a key with a passkey, writes its code down and types back what
// the page asks for.
async function makeKey(page) {
  await click(page, "#make-passkey");
  await page.waitForSelector("[data-make=sheet]:not([hidden])");
  await shot(page, "sheet");
  const groups = await page.$$eval("#sheet-code li", (all) => all.map((li) => li.firstChild.textContent));
  result.sheet = groups.join("-");
  for (const id of ["typed-first", "typed-second"]) await page.fill(`#${id}`, groups[Number(/\d/.exec(await page.innerText(`#${id}-label`))[0]) - 1]);
  await shot(page, "typed");
}

// finish waits for the receipt.
async function finish(page) {
  await page.waitForSelector(`${at("done")}, #send-stopped:not([hidden]), #trouble-box:not([hidden])`);
  if (!(await page.isVisible(at("done")))) throw new Error(await page.innerText("#add"));
  result.dataset = await page.innerText("#receipt-id");
  result.receipt = await page.evaluate(async () => (await fetch(document.getElementById("receipt-consent").href)).text());
  await shot(page, "done");
}

// stalled waits until the proxy holds a part of the upload back.
async function stalled() {
  for (let i = 0; i < 1800; i++) {
    if ((await (await fetch(`${order.control}/stalled`)).text()) === "yes") return;
    await new Promise((go) => setTimeout(go, 100));
  }
  throw new Error("nothing was held back");
}

// hurried lets a thousand times as much time go by for a page, so that it knows
// soon how fast it is. It answers what reads all that the page has said of that.
async function hurried(page) {
  await page.evaluate(() => {
    const [now, begun] = [performance.now.bind(performance), performance.now()];
    performance.now = () => begun + (now() - begun) * 1000;
    window.figures = [];
    const said = document.getElementById("send-figures");
    new MutationObserver(() => window.figures.push(said.textContent)).observe(said, { childList: true, characterData: true, subtree: true });
  });
  return () => page.evaluate(() => window.figures);
}

const journeys = {
  // first counts the clicks from the first visit to the receipt.
  async first() {
    const page = await visit(order.look);
    await page.goto(order.base);
    await click(page, 'a[href="/login"]');
    await signIn(page);
    await click(page, 'a[href="/data/add"]');
    await page.waitForSelector(at("choose"));
    await shot(page, "choose");
    result.refused = await choose(page, order.files);
    await through(page);
    await click(page, "#share");
    await finish(page);
  },

  // share adds data without counting.
  async share() {
    const page = await visit(order.look);
    await open(page);
    await shot(page, "choose");
    result.refused = await choose(page, order.files);
    await through(page);
    await page.click("#share");
    await finish(page);
  },

  // folders adds one export after the other, as a member with many accounts
  // would; one that is a folder is chosen as such.
  async folders() {
    const page = await visit(order.look);
    await open(page);
    result.datasets = [];
    result.left = [];
    for (const { files, folder } of order.sets) {
      await page.goto(`${order.base}/data/add`);
      await page.waitForSelector(at("choose"));
      await page.setInputFiles(folder ? "#folder" : "#files", folder || files);
      await page.waitForSelector(`${at("look")}, #trouble-box:not([hidden])`);
      if (await page.isVisible("#trouble-box")) throw new Error(`${files ?? folder}: ${await page.innerText("#trouble-box")}`);
      result.left.push((await page.isVisible("#left")) ? await page.innerText("#left") : "");
      await through(page);
      await page.click("#share");
      await finish(page);
      result.datasets.push(result.dataset);
    }
  },

  // dropped drops a file, then a folder, turns the pages of its table and shares it.
  async dropped() {
    const page = await visit(order.look);
    await open(page);
    await drop(page, order.files);
    await page.waitForSelector(`${at("look")}, #trouble-box:not([hidden])`);
    result.said = await page.innerText("#add");
    await page.click(`${at("look")} [data-to=choose]`);
    await page.waitForSelector(at("choose"));
    await drop(page, [order.folder]);
    await page.waitForSelector(`${at("look")}, #trouble-box:not([hidden])`);
    result.text = await page.innerText("#add");
    result.sentences = await turned(page);
    await through(page);
    await page.click("#share");
    await finish(page);
  },

  // memory adds data in a browser that has no private file system.
  async memory() {
    const page = await visit(order.look);
    const less = 'navigator.storage.getDirectory = () => Promise.reject(new Error("none here"));\n';
    await page.route("**/worker.js", (route) => route.fulfill({ contentType: "text/javascript", body: less + order.worker }));
    await open(page);
    await choose(page, order.files);
    await through(page);
    await page.click("#share");
    await stalled();
    result.said = await page.innerText("#send-going");
    await fetch(`${order.control}/release`);
    await finish(page);
  },

  // refused chooses files that cannot be added and reads why.
  async refused() {
    const page = await visit(order.look);
    await open(page);
    result.sentences = {};
    for (const files of order.files) {
      result.sentences[path.basename(files[0])] = await choose(page, files);
      if (Object.keys(result.sentences).length === 1) await shot(page, "refused");
    }
    // nothing is lost: the next file is read as if nothing had happened
    result.after = await choose(page, order.good);
  },

  // full shares on a device whose room runs out in the middle, and again when
  // there is room.
  async full() {
    const page = await visit(order.look);
    const less = `{
      const write = FileSystemSyncAccessHandle.prototype.write;
      let room = 300_000;
      FileSystemSyncAccessHandle.prototype.write = function (bytes, how) {
        if (room > 0 && (room -= bytes.length) <= 0) throw new DOMException("", "QuotaExceededError");
        return write.call(this, bytes, how);
      };
    }\n`;
    await page.route("**/worker.js", (route) => route.fulfill({ contentType: "text/javascript", body: less + order.worker }));
    await open(page);
    await choose(page, order.files);
    await through(page);
    await page.click("#share");
    await page.waitForSelector("#send-stopped:not([hidden])", { timeout: 40_000 });
    result.said = await page.innerText("#send-stopped");
    await shot(page, "full");
    await page.click("#stopped-again");
    await finish(page);
  },

  // plain reads the page with JavaScript switched off, and then in a browser
  // that lacks what is needed.
  async plain() {
    const page = await visit({ ...order.look, javaScriptEnabled: false });
    await page.goto(`${order.base}/data/add`);
    await signIn(page);
    await page.waitForURL("**/data/add");
    result.text = await page.innerText("main");
    await shot(page, "plain");
    const old = await visit(order.look);
    await old.addInitScript("delete window.Worker;");
    await old.goto(`${order.base}/data/add`);
    await signIn(old);
    await old.waitForSelector("#unable:not([hidden])");
    result.text += await old.innerText("main");
  },

  // resume loses the connection, then the page itself, and goes on.
  async resume() {
    const page = await visit(order.look);
    await open(page);
    await choose(page, order.files);
    await through(page);
    await page.click("#share");
    await stalled();
    await shot(page, "sending");
    await page.reload();
    await page.waitForSelector(at("pending"));
    result.pending = await page.innerText(at("pending"));
    await shot(page, "pending");
    const other = await page.context().newPage();
    await other.goto(`${order.base}/data/add`);
    await other.waitForSelector("#trouble-box:not([hidden])");
    result.otherTab = await other.innerText("#trouble-said");
    await other.close();
    await page.click("#pending-on");
    await finish(page);
  },

  // drop gives up what an earlier visit left, and begins anew.
  async drop() {
    const page = await visit(order.look);
    await open(page);
    await choose(page, order.files);
    await through(page);
    await page.click("#share");
    await stalled();
    await page.reload();
    await page.waitForSelector(at("pending"));
    await page.click("#pending-drop");
    await page.waitForSelector(at("choose"));
    await page.reload();
    await page.waitForSelector(at("choose"));
    await choose(page, order.files);
    await through(page);
    await page.click("#share");
    await finish(page);
  },

  // expired is signed out in the middle of an upload.
  async expired() {
    const page = await visit(order.look);
    await open(page);
    await choose(page, order.files);
    await through(page);
    const figures = await hurried(page);
    await page.click("#share");
    await stalled();
    result.figures = await figures();
    const home = await page.context().newPage();
    await home.goto(order.base);
    await home.click('form[action="/logout"] button');
    await home.waitForSelector('a[href="/login"]');
    await home.close();
    await fetch(`${order.control}/release`);
    await page.waitForSelector("#send-stopped:not([hidden])");
    result.said = await page.innerText("#send-stopped");
    await shot(page, "signed-out");
    const tab = page.context().waitForEvent("page");
    await page.click("#stopped-sign-in");
    const login = await tab;
    await login.waitForSelector("#account");
    await signIn(login);
    await login.waitForURL("**/data");
    await login.close();
    await page.click("#stopped-again");
    await finish(page);
  },
};

try {
  await journeys[order.journey]();
} catch (err) {
  result.failed = String(err?.stack ?? err) + "\n" + result.complaints.join("\n");
  for (const page of browser.contexts().flatMap((c) => c.pages())) result.failed += `\n${page.url()}:\n${await page.innerText("body").catch(() => "gone")}`;
}
console.log(JSON.stringify(result));
await browser.close();
process.exit(0);
