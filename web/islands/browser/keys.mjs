// Journeys with a member's own key. They use the tools of house.mjs.
import fs from "node:fs";

export function keyJourneys({ order, result, visit, signIn, everywhere: seen, stop, browser }) {
  const told = (result.told = {});

  // authenticator gives a page's browser a place for passkeys, which may or may
  // not be able to lock a key.
  async function authenticator(page, hasPrf = true) {
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("WebAuthn.enable");
    const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
      options: { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, hasPrf, isUserVerified: true, automaticPresenceSimulation: true },
    });
    return {
      count: async () => (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials.length,
      uses: async () => (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials.reduce((sum, c) => sum + c.signCount, 0),
    };
  }

  const said = (page) => page.innerText("#trouble-said");
  const trouble = async (page) => {
    await page.waitForSelector("#trouble-box:not([hidden])");
    return said(page);
  };
  const codeOf = async (page) => (await page.$$eval("#sheet-code li", (all) => all.map((li) => li.firstChild.textContent))).join("-");

  // typeBack types what the page asks for, read from the member's own copy.
  async function typeBack(page, code) {
    for (const id of ["typed-first", "typed-second"]) {
      const n = Number(/\d/.exec(await page.innerText(`#${id}-label`))[0]);
      await page.fill(`#${id}`, code.split("-")[n - 1].toLowerCase());
    }
  }

  // confirmed takes the link of a refusal, shows in a new tab that it is the
  // member, and comes back to this one.
  async function confirmed(page) {
    await page.waitForSelector("#trouble-confirm:not([hidden])");
    told.unsure = await said(page);
    const opened = page.context().waitForEvent("page");
    await page.click("#trouble-confirm a");
    const tab = await opened;
    await tab.fill("#account", order.login);
    await tab.fill("#password", order.password);
    await tab.click("button[type=submit]");
    await tab.waitForURL(`${order.base}/key`);
    await tab.close();
  }

  const kept = (page) => page.waitForSelector("[data-key=kept]:not([hidden])");
  const note = async (page) => {
    await page.waitForSelector("#key-said:not([hidden])");
    return page.innerText("#key-said");
  };

  // another is the note that takes the place of one.
  const another = async (page, was) => {
    await page.waitForFunction((was) => !["", was].includes(document.getElementById("key-said").innerText), was);
    return note(page);
  };

  async function saved(page, button) {
    const download = page.waitForEvent("download");
    await page.click(button);
    return fs.readFileSync(await (await download).path(), "utf8");
  }

  // key opens the page, in a browser of its own.
  async function key(hasPrf = true, lacking = "") {
    const page = await visit();
    const passkeys = await authenticator(page, hasPrf);
    if (lacking) await page.addInitScript(lacking);
    await signIn(page, order.login);
    await page.goto(`${order.base}/key`);
    return { page, passkeys };
  }

  return {
    // keys makes a key, checks its sheet, and opens it on a second device.
    async keys() {
      const { page, passkeys } = await key();
      await page.waitForSelector("#make-passkey:not([hidden])");
      await seen(page, "make");
      await page.evaluate(() => (navigator.credentials.create = () => Promise.reject(new DOMException("", "NotAllowedError"))));
      await page.click("#make-passkey");
      told.notUsed = await trouble(page);
      await page.evaluate(() => delete navigator.credentials.create);
      await page.click("#make-passkey");
      await page.waitForSelector("[data-make=sheet]:not([hidden])");
      await seen(page, "sheet");
      const code = await codeOf(page);
      told.sheet = await saved(page, "#sheet-save");
      await page.focus("#typed-first");
      told.hidden = await codeOf(page);
      await page.click("#sheet-done");
      told.notTyped = await trouble(page);
      await stop("typed"); // nothing is stored yet
      await typeBack(page, code);
      await page.click("#sheet-done");
      await kept(page);
      told.made = await note(page);
      await seen(page, "kept");
      told.passkeys = await passkeys.count();
      told.code = code;

      await page.fill("#check-code", code.slice(0, -1));
      await page.click("#check-sheet");
      told.short = await trouble(page);
      const third = code.split("-")[2];
      await page.fill("#check-code", code.replace(third, third.slice(0, 4) + (third[4] === "7" ? "8" : "7")));
      await page.click("#check-sheet");
      await page.waitForFunction(() => document.getElementById("trouble-said").textContent.includes("Group"));
      told.mistyped = await said(page);
      await page.fill("#check-code", ` ${code.toLowerCase().replaceAll("-", " ").replaceAll("0", "o").replaceAll("1", "l")} `);
      await page.click("#check-sheet");
      told.checked = await another(page, told.made);
      await stop("made");

      // A second device has the sheet and nothing else.
      const other = await key();
      await kept(other.page);
      await other.page.click("#add-passkey");
      await other.page.waitForSelector("#unlock:not([hidden])");
      await seen(other.page, "unlock");
      await other.page.click("#unlock-passkey");
      told.noPasskey = await trouble(other.page);
      await other.page.fill("#unlock-code", code);
      await other.page.click("#unlock-sheet");
      told.added = await note(other.page);
      await seen(other.page, "two-devices");
      await other.page.click("#add-passkey");
      told.twice = await trouble(other.page);

      // The first tab has not seen that. Its key is still open.
      await page.click("#new-sheet");
      await page.waitForSelector("[data-make=sheet]:not([hidden])");
      await typeBack(page, await codeOf(page));
      await page.click("#sheet-done");
      told.stale = await trouble(page);
      told.ways = await page.locator("#locks > li").count();
      await stop("stale");

      // The second device uses its passkey, asked for anew, to take the key out.
      const before = await other.passkeys.uses();
      await other.page.reload();
      await kept(other.page);
      await other.page.click("#export");
      await other.page.waitForSelector("#unlock:not([hidden])");
      const download = other.page.waitForEvent("download");
      await other.page.click("#unlock-passkey");
      told.identity = fs.readFileSync(await (await download).path(), "utf8");
      told.asked = (await other.passkeys.uses()) > before;
      await other.page.click("#export");
      await other.page.waitForSelector("#unlock:not([hidden])"); // again
      await other.page.click("#unlock-not");

      // A new sheet, and the old one opens nothing.
      await other.page.click("#new-sheet");
      await other.page.waitForSelector("#unlock:not([hidden])");
      await other.page.click("#unlock-passkey");
      await other.page.waitForSelector("[data-make=sheet]:not([hidden])");
      told.newCode = await codeOf(other.page);
      await typeBack(other.page, told.newCode);
      await other.page.click("#sheet-done");
      await other.page.waitForSelector("#trouble-confirm:not([hidden])");
      await stop("unsure"); // both sheets are as they were
      await confirmed(other.page);
      await other.page.click("#sheet-done");
      await kept(other.page);
      await other.page.fill("#check-code", code);
      await other.page.click("#check-sheet");
      told.oldSheet = await trouble(other.page);

      // The first device is lost.
      const lost = "#locks > li:has-text('Passkey') button";
      await other.page.click(lost);
      await confirmed(other.page);
      const saying = await other.page.innerText("#key-said");
      await other.page.click(lost);
      told.removed = await another(other.page, saying);
      await stop("removed");

      // Later the page asks who is there before a sheet opens anything.
      await other.page.reload();
      await kept(other.page);
      await other.page.fill("#check-code", told.newCode);
      await other.page.click("#check-sheet");
      await confirmed(other.page);
      await other.page.click("#check-sheet");
      told.late = await note(other.page);
      await stop("late");
    },

    // unfit is a browser whose passkeys lock nothing, and one that has none.
    async unfit() {
      const { page } = await key(false);
      await page.waitForSelector("#make-passkey:not([hidden])");
      await page.click("#make-passkey");
      await page.waitForSelector("[data-make=sheet]:not([hidden])");
      const none = await key(false, "delete window.PublicKeyCredential;");
      await none.page.waitForSelector("[data-make=begin]:not([hidden])");
      told.offered = await none.page.isVisible("#make-passkey");
      told.said = await none.page.innerText("#maker");
      await none.page.click("#make-sheet");
      await none.page.waitForSelector("[data-make=sheet]:not([hidden])");
      await typeBack(none.page, await codeOf(none.page));
      await none.page.click("#sheet-done");
      await kept(none.page);
      told.ways = await none.page.locator("#locks > li").count();
      told.warned = await none.page.isVisible("#one-way");
      await seen(none.page, "one-way");
      const lacking = await key(true, "delete window.Worker;");
      await lacking.page.waitForSelector("#unable:not([hidden])");
      told.unable = await lacking.page.innerText("#unable");
      const plain = await visit({ javaScriptEnabled: false });
      await signIn(plain, order.login);
      await plain.goto(`${order.base}/key`);
      told.plain = await plain.innerText("main");
    },

    // file keeps the key as a file and locks it later.
    async file() {
      const { page } = await key();
      await page.waitForSelector("#make-passkey:not([hidden])");
      told.identity = await saved(page, "#make-file");
      await page.waitForSelector("[data-make=file]:not([hidden])");
      await seen(page, "file");
      await page.click("#file-done");
      await page.waitForSelector("[data-key=bring]:not([hidden])");
      await stop("filed");
      await page.reload();
      await page.waitForSelector("[data-key=bring]:not([hidden])");
      await seen(page, "bring");
      await page.click("#bring-on");
      await page.waitForSelector("#unlock:not([hidden])");
      await page.setInputFiles("#unlock-file", { name: "other.txt", mimeType: "text/plain", buffer: Buffer.from(order.other) });
      told.otherFile = await trouble(page);
      await page.setInputFiles("#unlock-file", { name: "none.txt", mimeType: "text/plain", buffer: Buffer.from("no key here") });
      await page.waitForFunction(() => document.getElementById("trouble-said").textContent.includes("no key"));
      await page.setInputFiles("#unlock-file", { name: "mine.txt", mimeType: "text/plain", buffer: Buffer.from(told.identity) });
      await page.waitForSelector("[data-make=begin]:not([hidden])");
      await page.click("#make-passkey");
      await page.waitForSelector("[data-make=sheet]:not([hidden])");
      told.code = await codeOf(page);
      await typeBack(page, told.code);
      await page.click("#sheet-done");
      await kept(page);
      told.ways = await page.locator("#locks > li").count();
    },

    // open opens the member's own copy, after it was altered, cut and refused.
    async open() {
      const { page } = await key();
      await page.goto(`${order.base}/data/${order.dataset}/open`);
      const content = `**/v1/datasets/${order.dataset}/content`;
      const use = async (identity) => {
        await page.click("#open-copy");
        await page.waitForSelector("#unlock:not([hidden])");
        await page.setInputFiles("#unlock-file", { name: "key.txt", mimeType: "text/plain", buffer: Buffer.from(identity) });
      };
      const again = async () => {
        const text = await trouble(page);
        await page.evaluate(() => (document.getElementById("trouble-box").hidden = true));
        return text;
      };
      const change = async (alter) => {
        await page.unrouteAll();
        if (alter) await page.context().route(content, async (route) => alter(route, await (await route.fetch()).body()));
      };
      await page.waitForSelector("#open-copy");
      await seen(page, "open");
      await change((route, body) => {
        body[body.length - 1] ^= 1;
        return route.fulfill({ body, headers: { "Content-Length": String(body.length) } });
      });
      await use(order.identity);
      told.altered = await again();
      await page.context().unrouteAll();
      await change((route, body) => route.fulfill({ body: body.subarray(0, body.length - 70_000 > 0 ? body.length - 70_000 : 900), headers: { "Content-Length": String(body.length) } }));
      await use(order.identity);
      told.cut = await again();
      await page.context().unrouteAll();
      await change((route) => route.fulfill({ status: 410, contentType: "application/problem+json", body: JSON.stringify({ type: "urn:datacoop:problem:revoked", title: "Gone." }) }));
      await use(order.identity);
      told.gone = await again();
      await page.context().unrouteAll();
      await use(order.identity);
      await page.waitForSelector("#opened:not([hidden])");
      await seen(page, "opened");
      told.begins = await page.innerText("#opened-text");
      told.table = await saved(page, "#save-copy");
      const plain = await visit({ javaScriptEnabled: false });
      await signIn(plain, order.login);
      await plain.goto(`${order.base}/data/${order.dataset}/open`);
      told.plain = await plain.innerText("main");
    },

    // custody shares data whose only key is the member's, and approves a request
    // for it on another device, where only the key is known.
    async custody() {
      const mine = { name: "key.txt", mimeType: "text/plain", buffer: Buffer.from(order.identity) };
      const here = await key();
      await here.page.goto(`${order.base}/data/add`);
      await here.page.waitForSelector("[data-step=choose]:not([hidden])");
      await here.page.setInputFiles("#files", order.files);
      await here.page.click("#look-on");
      await here.page.click("input[name=preset][value=public]");
      await here.page.click("#answer-on");
      await here.page.waitForSelector("[data-step=check]:not([hidden])");
      await here.page.click("#custody summary");
      await here.page.check("#custody-self");
      await here.page.click("#share");
      await here.page.waitForSelector("#unlock:not([hidden])");
      await seen(here.page, "custody");
      await here.page.setInputFiles("#unlock-file", mine);
      await here.page.waitForSelector("[data-step=done]:not([hidden]), #send-stopped:not([hidden]), #trouble-box:not([hidden])");
      told.dataset = await here.page.innerText("#receipt-id");
      await stop("shared");
      const there = await key();
      await there.page.goto(`${order.base}/approvals`);
      await there.page.click(".approve");
      await there.page.setInputFiles("#unlock-file", mine);
      await there.page.waitForSelector("article .note, #trouble-box:not([hidden])");
      told.approved = await there.page.innerText("#main");
    },

    // approve says yes to requests for data whose only key is the member's.
    async approve() {
      const { page } = await key();
      await page.goto(`${order.base}/approvals`);
      await page.waitForSelector(".approve:not([hidden])");
      await seen(page, "approvals");
      await page.click(".approve");
      await page.waitForSelector("#unlock:not([hidden])");
      await page.setInputFiles("#unlock-file", { name: "key.txt", mimeType: "text/plain", buffer: Buffer.from(order.identity) });
      told.notMine = await trouble(page);
      await stop("refused"); // nothing was answered
      await page.click("summary:has-text('I added the file with the program')");
      await page.setInputFiles("#signer-file", { name: "x.pem", mimeType: "text/plain", buffer: Buffer.from("-----BEGIN X-----\nAAAA\n-----END X-----\n") });
      await page.waitForFunction(() => document.getElementById("trouble-said").textContent.includes("no signing key"));
      await page.setInputFiles("#signer-file", { name: "signing.pem", mimeType: "text/plain", buffer: Buffer.from(order.signing) });
      await page.waitForSelector("#signer-known:not([hidden])");
      await page.click(".approve");
      await page.waitForSelector("article .note");
      told.approved = await page.innerText("article .note");
      await seen(page, "approved");
    },
  };
}
