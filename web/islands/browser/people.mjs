// Journeys of those who work with the co-op: stewards, and a researcher. They
// use the tools of house.mjs.
import fs from "node:fs";

export function peopleJourneys({ order, result, visit, signIn, everywhere, stop }) {
  const told = (result.told = result.told ?? {});
  const main = (page) => page.innerText("main");

  // press sends a form of the page and waits for what it leads to.
  async function press(page, button) {
    await Promise.all([page.waitForEvent("load"), page.click(button)]);
    return main(page);
  }

  async function steward(login) {
    const page = await visit({ width: 1280 });
    await signIn(page, login);
    return page;
  }

  return {
    // steward vets a researcher, stops every delivery, and lets them go on with a
    // second steward.
    async steward() {
      const first = await steward("ada");
      await first.click('.menu a[href="/steward/vetting"]');
      await first.fill("#name", order.name);
      await first.selectOption("#kind", "university");
      await first.fill("#region", "de");
      await first.fill("#email", "lab@example.org");
      told.vetted = await press(first, 'form[action="/steward/vetting"] button');
      const [client, secret] = await first.$$eval("dl.words code", (all) => all.map((c) => c.textContent));
      Object.assign(told, { client, secret });
      await everywhere(first, "vetted");
      told.once = await press(first, 'main a[href="/steward/vetting"]');

      const member = await visit();
      await signIn(member, "eva");
      await first.click('.menu a[href="/steward/incidents"]');
      await first.fill("#reason", order.reason);
      told.stopped = await press(first, 'form[action="/steward/incidents"] button');
      await member.goto(order.base);
      told.banner = await member.innerText("body");
      await everywhere(member, "stopped");
      await everywhere(first, "incidents");
      await stop("stopped"); // nobody gets anything
      told.asked = await press(first, 'form[action="/steward/incidents/lift"] button');
      told.alone = await first.locator('form[action="/steward/incidents/lift"]').count();
      await stop("asked"); // nor after one steward thought better of it
      const second = await steward("bea");
      await second.goto(`${order.base}/steward/incidents`);
      told.toAgree = await main(second);
      told.lifted = await press(second, 'form[action="/steward/incidents/lift"] button');
      await member.goto(order.base);
      told.noBanner = await member.innerText("body");
    },

    // treasury closes a period, lets two treasurers release its payout, and shows
    // the member who is paid.
    async treasury() {
      const member = await visit();
      await signIn(member, "eva");
      await member.goto(`${order.base}/money/account`);
      await member.fill("#holder", "Eva Example");
      await member.fill("#iban", order.iban);
      told.account = await press(member, 'form[action="/money/account"] button');
      const steps = async (login) => {
        const page = await steward(login);
        await page.click('.menu a[href="/steward/treasury"]');
        const does = (step) => `form[action="/steward/periods/${order.period}/${step}"]`;
        return [page, does, async (step) => {
          await page.goto(`${order.base}/steward/treasury`);
          await page.check(`${does(step)} input[name=sure]`);
          return press(page, `${does(step)} button`);
        }];
      };
      const [first, form, does] = await steps("bea");
      await everywhere(first, "treasury");
      await first.click(`${form("close")} button`); // the box is not ticked, so the browser keeps it here
      told.unticked = await first.locator(`${form("close")} input:invalid`).count();
      told.closed = await does("close");
      await stop("closed");
      await member.goto(`${order.base}/money/${order.period}`);
      told.statement = await main(member);
      await everywhere(member, "statement");
      told.settled = await does("settle");
      told.once = await does("release");
      await everywhere(first, "released once");
      told.twice = await does("release");
      await stop("once"); // one alone has moved nothing
      const [second, , agrees] = await steps("cem");
      told.released = await agrees("release");
      await everywhere(second, "released");
      const download = second.waitForEvent("download");
      await second.click(`a[href="/steward/periods/${order.period}/payout.xml"]`);
      told.file = fs.readFileSync(await (await download).path(), "utf8");
      await member.goto(`${order.base}/money`);
      told.paid = await main(member);
    },

    // bereaved notes that a member has died, has a second steward confirm it, and
    // goes to the page that the heirs get. Each step takes a proof of its own.
    async bereaved() {
      const at = `${order.base}/steward/bereavement`;
      const sure = async (page, login, button) => {
        told.proof = await press(page, button);
        await page.fill("#account", login);
        await page.fill("#password", order.password);
        told.proven = await press(page, "form:has(#password) button");
        return press(page, 'form[action^="/steward/bereavement"] button');
      };
      const first = await steward("ada");
      await first.click('.menu a[href="/steward/bereavement"]');
      await first.fill("#account", "eva");
      await first.selectOption("#evidence", "court");
      told.whose = await press(first, 'form[action="/steward/bereavement/check"] button');
      await everywhere(first, "whose account");
      await first.check("input[name=seen]");
      told.noted = await sure(first, "ada", 'form[action="/steward/bereavement"] button');
      await everywhere(first, "death noted");
      await stop("noted"); // nothing is closed by one
      const second = await steward("bea");
      await second.goto(at);
      await everywhere(second, "to confirm");
      await second.check("input[name=seen]");
      told.confirmed = await sure(second, "bea", 'form[action$="/confirm"] button');
      await everywhere(second, "death confirmed");
      await stop("confirmed"); // the waiting time goes by
      await first.goto(at);
      told.letter = await sure(first, "ada", 'form[action$="/letter"] button');
      await everywhere(first, "letter");
      const heirs = await visit();
      await heirs.goto(await first.innerText("main code.long"));
      told.heirs = await main(heirs);
      await everywhere(heirs, "heirs");
    },

    // researcher asks for data in the console, pays, and tells what came of it.
    async researcher() {
      const page = await visit({ scheme: "dark" });
      await page.goto(`${order.base}/console`);
      await everywhere(page, "console door");
      await page.fill("#client_id", order.client);
      await page.fill("#client_secret", "not the secret");
      told.wrong = await press(page, 'form[action="/console"] button');
      await page.fill("#client_id", order.client);
      await page.fill("#client_secret", order.secret);
      told.empty = await press(page, 'form[action="/console"] button');
      await everywhere(page, "console");
      await page.click('.menu a[href="/console/keys"]');
      await page.fill("#recipient", order.recipient);
      told.challenge = await press(page, 'form[action="/console/keys"] button');
      await everywhere(page, "console keys");
      await stop("challenged"); // it is opened where the key is
      await page.click('.menu a[href="/console/ask"]');
      await page.selectOption("#pool", "wearables");
      await page.fill("#title", order.title);
      await page.selectOption("#dpv", "AcademicResearch");
      await page.fill("#days", "30");
      await page.selectOption("#duo", "DUO:0000007");
      told.refused = await press(page, "button[name=step][value=check]");
      await page.selectOption("#duo", "DUO:0000042");
      told.tried = await press(page, "button[name=step][value=check]");
      await everywhere(page, "console tried");
      await stop("tried"); // nothing was asked
      await page.selectOption("#recipient", { index: 1 });
      await page.click("details:has(input[value=returns]) summary");
      await page.check("input[name=says][value=returns]");
      told.made = await press(page, "button[name=step][value=submit]");
      result.said = new URL(page.url()).pathname.split("/").pop();
      const request = `/console/requests/${result.said}`;
      told.accepted = await press(page, `form[action="${request}/accept"] button`);
      await everywhere(page, "console accepted");
      await page.click('.menu a[href="/console"]');
      told.waits = await main(page);
      await everywhere(page, "console waits");
      await stop("accepted"); // the money comes, and the files are fetched
      await page.goto(order.base + request);
      told.paid = await main(page);
      await page.fill("#summary", "Short.");
      const report = `form[action="${request}/report"] button[type=submit]`;
      told.short = await press(page, report);
      await page.fill("#summary", order.report);
      await page.check(`form[action="${request}/report"] input[name=deleted]`);
      told.reported = await press(page, report);
      await everywhere(page, "console reported");
      await page.click('.menu a[href="/console"]');
      told.left = await press(page, 'form[action="/console/leave"] button');
    },
  };
}
