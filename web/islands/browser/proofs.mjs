// Journeys of somebody whose last proof is too old. They use the tools of
// house.mjs.
export function proofJourneys({ order, result, visit, join, everywhere, stop }) {
  const told = (result.told = result.told ?? {});
  const main = (page) => page.innerText("main");
  const passkey = 'form[action="/oauth/login"][data-passkey] button:not([disabled])';
  const on = 'form[action^="/data/"] button, form[action^="/votes/"] button';

  // press presses what leads to another page, and reads that.
  async function press(page, button) {
    await Promise.all([page.waitForEvent("load"), page.click(button)]);
    return main(page);
  }

  return {
    // proof revokes and votes with a passkey, once it has thought better of it.
    async proof() {
      const page = await visit();
      const device = await join(page);
      result.cookie = (await page.context().cookies()).map((c) => `${c.name}=${c.value}`).join("; ");
      await stop("joined"); // there are data and a vote, and some minutes go by

      await page.click('.menu a[href="/data"]');
      await page.click('main a[href$="/revoke"]');
      const found = await device.lose();
      told.led = await press(page, 'form[action$="/revoke"] button');
      await everywhere(page, "once more");
      await page.click(passkey);
      await page.waitForFunction(() => document.querySelector(".state").textContent);
      told.refused = await page.innerText(".state");
      await page.goto(`${order.base}/confirm`);
      told.waits = await main(page);
      await everywhere(page, "confirm");
      told.left = await press(page, 'main a[href="/"]');
      await page.click('.menu a[href="/data"]');
      told.still = await main(page);
      await stop("left"); // nothing is destroyed

      await found();
      await page.goto(`${order.base}/confirm`);
      await press(page, 'a[href^="/confirm/start"]');
      told.proven = await press(page, passkey);
      await everywhere(page, "go on");
      await stop("proven"); // nor by a proof alone
      told.revoked = await press(page, on);
      await stop("revoked");

      await page.goto(order.base);
      await page.click('a[href^="/votes/"]:not([href="/votes/new"])');
      await page.check("input[name=choice][value=no]");
      told.again = await press(page, 'form[action^="/votes/"] button[type=submit]');
      told.vote = await press(page, passkey);
      await stop("unvoted"); // what proves one thing proves no other
      told.voted = await press(page, on);
    },
  };
}
