// Goes through the pages with scripts in another language and keeps everything
// that they say. It uses the tools of house.mjs.
import fs from "node:fs";

export function languageJourneys({ order, result, visit, device }) {
  const at = (step) => `[data-step="${step}"]:not([hidden])`;

  return {
    async language() {
      const told = (result.told = { pages: {} });
      const page = await visit();
      const heard = async (name) => (told.pages[name] = await page.innerHTML("main"));
      const trouble = async (name) => {
        await page.waitForSelector("#trouble-box:not([hidden])");
        told[name] = await page.innerText("#trouble-box");
      };
      await page.context().addCookies([{ name: "language", value: order.language, url: order.base }]);
      await device(page);

      // The built-in sign-in, and what its script says where there is no passkey.
      await page.goto(`${order.base}/login`);
      await page.click('form[action="/oauth/login"][data-passkey] button:not([disabled])');
      await page.waitForFunction(() => document.querySelector(".state").textContent);
      told.refused = await page.innerText(".state");
      await heard("sign-in");
      await page.fill("#account", order.login);
      await page.fill("#password", order.password);
      await page.click("form:has(#password) button");
      await page.waitForSelector('form[action="/logout"]');

      await page.goto(`${order.base}/key`);
      await page.waitForSelector("#make-sheet:not([hidden])");
      await heard("key");
      await page.click("#make-sheet");
      await page.waitForSelector("[data-make=sheet]:not([hidden])");
      const code = await page.$$eval("#sheet-code li", (all) => all.map((li) => li.firstChild.textContent));
      const download = page.waitForEvent("download");
      await page.click("#sheet-save");
      told.sheet = fs.readFileSync(await (await download).path(), "utf8");
      await page.click("#sheet-done");
      await trouble("notTyped");
      await heard("sheet");
      for (const id of ["typed-first", "typed-second"]) await page.fill(`#${id}`, code[Number(/\d/.exec(await page.innerText(`#${id}-label`))[0]) - 1]);
      await page.click("#sheet-done");
      await page.waitForSelector("#key-said:not([hidden])");
      await heard("kept");
      await page.fill("#check-code", code.slice(1).join("-"));
      await page.click("#check-sheet");
      await trouble("short");

      await page.goto(`${order.base}/data/add`);
      await page.waitForSelector(at("choose"));
      await page.setInputFiles("#files", { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("nothing that anybody exports\n") });
      await trouble("unknown"); // by the reducer
      await page.setInputFiles("#files", order.files);
      await page.waitForSelector(at("look"));
      await page.click("#columns-said");
      await page.locator("#columns-list input:enabled").last().uncheck();
      told.heads = await page.$$eval("#table-head th", (all) => all.map((th) => th.title));
      await heard("look");
      await page.click("#look-on");
      await page.click("input[name=preset][value=own]");
      await page.click("#answer-on");
      await trouble("noPurpose"); // by the server
      await heard("answer");
      await page.click("input[name=preset][value=public]");
      await page.click("#answer-on");
      await page.waitForSelector(at("check"));
      await heard("check");
      await page.click("#share");
      await page.waitForSelector(`${at("done")}, #send-stopped:not([hidden]), #trouble-box:not([hidden])`);
      await heard("done");
    },
  };
}
