// Looks at every page there is. It uses the tools of house.mjs.
// kind is what pages of one kind have in common: the path without what names one
// thing.
const kind = (url) => new URL(url).pathname.replace(/^\/(pools|consent|goodbye|email\/confirm)\/[^/]+$/, "/$1/*").replace(/[0-9a-f]{8}-[0-9a-f-]{27}|P[0-9]{4}|[0-9a-f]{64}|\b20[0-9]{2}\b/g, "*");

export function pageJourneys({ order, result, visit, signIn, everywhere }) {
  // crawl follows every link from the front page, to one page of each kind that
  // nobody has seen. Who is sent elsewhere, such as to sign in, has seen nothing.
  async function crawl(page, known) {
    const tried = new Set();
    const queue = ["/", ...order.also].map((at) => order.base + at);
    for (let url = queue.shift(); url; url = queue.shift()) {
      if (known.has(kind(url)) || tried.has(kind(url))) continue;
      tried.add(kind(url));
      const answer = await page.goto(url).catch(() => null); // a download ends the navigation
      const type = answer ? await answer.headerValue("content-type") : "";
      if (!type.startsWith("text/html") || known.has(kind(page.url()))) continue;
      known.add(kind(page.url()));
      result.pages.push(new URL(page.url()).pathname);
      await everywhere(page, kind(page.url()));
      const links = await page.$$eval("a[href]:not([download])", (all) => all.map((a) => a.href));
      queue.push(...links.filter((to) => to.startsWith(order.base + "/") && !to.startsWith(order.base + "/v1/")).map((to) => to.split("#")[0]));
    }
  }

  // wrong sends a page's form empty, which then points at what is at fault.
  async function wrong(page, at) {
    await page.goto(order.base + at);
    await Promise.all([page.waitForEvent("load"), page.click(`form[action="${at}"] button[type=submit]`)]);
    await page.waitForSelector(".trouble[role=alert]");
    if (!(await page.locator("[aria-invalid=true]").count())) result.complaints.push(`${at}: no field is marked`);
    await everywhere(page, `${at} wrong`);
  }

  return {
    async pages() {
      result.pages = [];
      const known = new Set();
      for (const login of ["", ...order.logins]) {
        const page = await visit();
        if (login) await signIn(page, login);
        known.delete("/"); // it is another for everybody
        await crawl(page, known);
        if (order.wrong?.[login]) await wrong(page, order.wrong[login]);
        await page.context().close();
      }
    },
  };
}
