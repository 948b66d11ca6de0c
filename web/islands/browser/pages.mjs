// Looks at every page there is. It uses the tools of house.mjs.
import path from "node:path";

// kind is what pages of one kind have in common: the path without what names one
// thing.
const kind = (url) => new URL(url).pathname.replace(/^\/(pools|consent)\/[a-z]+$/, "/$1/*").replace(/[0-9a-f]{8}-[0-9a-f-]{27}|P[0-9]{4}|[0-9a-f]{64}|\b20[0-9]{2}\b/g, "*");

export function pageJourneys({ order, result, visit, signIn, look }) {
  let shots = 0;

  // seen has axe look at the page in both themes and at both widths, and keeps
  // pictures for people.
  async function seen(page, name) {
    for (const [width, colorScheme] of [[390, "light"], [1280, "light"], [1280, "dark"], [390, "dark"]]) {
      await page.setViewportSize({ width, height: 844 });
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      if (width === 1280 && colorScheme === "dark") await page.waitForTimeout(250); // Pico fades from one theme to the other
      await look(page, `${name} ${width} ${colorScheme}`);
      if (order.shots) await page.screenshot({ path: path.join(order.shots, `${String(shots).padStart(2, "0")}${name.replaceAll(/[^a-z]+/g, "-")}-${width}-${colorScheme}.png`), fullPage: true });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) result.complaints.push(`${name} at ${width}: ${wide} pixels too wide`);
    }
    await page.emulateMedia({ colorScheme: "light" });
    shots++;
  }

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
      await seen(page, kind(page.url()));
      const links = await page.$$eval("a[href]:not([download])", (all) => all.map((a) => a.href));
      queue.push(...links.filter((to) => to.startsWith(order.base + "/") && !to.startsWith(order.base + "/v1/")).map((to) => to.split("#")[0]));
    }
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
        await page.context().close();
      }
    },
  };
}
