// Journeys of those who work with the co-op: stewards, and a researcher. They
// use the tools of house.mjs.

export function peopleJourneys({ order, result, visit, signIn, stop }) {
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
      told.once = await press(first, 'main a[href="/steward/vetting"]');

      const member = await visit();
      await signIn(member, "eva");
      await first.click('.menu a[href="/steward/incidents"]');
      await first.fill("#reason", order.reason);
      told.stopped = await press(first, 'form[action="/steward/incidents"] button');
      await member.goto(order.base);
      told.banner = await member.innerText("body");
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

    // researcher asks for data in the console, pays, and tells what came of it.
    async researcher() {
      const page = await visit({ scheme: "dark" });
      await page.goto(`${order.base}/console`);
      await page.fill("#client_id", order.client);
      await page.fill("#client_secret", "not the secret");
      told.wrong = await press(page, 'form[action="/console"] button');
      await page.fill("#client_id", order.client);
      await page.fill("#client_secret", order.secret);
      told.empty = await press(page, 'form[action="/console"] button');
      await page.click('.menu a[href="/console/keys"]');
      await page.fill("#recipient", order.recipient);
      told.challenge = await press(page, 'form[action="/console/keys"] button');
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
      await stop("tried"); // nothing was asked
      await page.selectOption("#recipient", { index: 1 });
      await page.click("details:has(input[value=returns]) summary");
      await page.check("input[name=says][value=returns]");
      told.made = await press(page, "button[name=step][value=submit]");
      result.said = new URL(page.url()).pathname.split("/").pop();
      const request = `/console/requests/${result.said}`;
      told.accepted = await press(page, `form[action="${request}/accept"] button`);
      await stop("accepted"); // the money comes, and the files are fetched
      await page.goto(order.base + request);
      told.paid = await main(page);
      await page.fill("#summary", "Short.");
      const report = `form[action="${request}/report"] button[type=submit]`;
      told.short = await press(page, report);
      await page.fill("#summary", order.report);
      await page.check(`form[action="${request}/report"] input[name=deleted]`);
      told.reported = await press(page, report);
      await page.click('.menu a[href="/console"]');
      told.left = await press(page, 'form[action="/console/leave"] button');
    },
  };
}
