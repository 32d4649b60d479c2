// How fast the app is there: node tests/web/vitals.mjs [RUNS]. Each page is loaded in a fresh profile on the local
// server with the processor slowed four times (CDP), as a middling phone; prints the median of: first and largest
// contentful paint, layout shift, time to interactive (the last long task's end), blocking time, bytes of script.
// Exits 1 when a largest paint takes 1.5 s or longer.
import { chromium } from "playwright-core";
import { phone, Server } from "./harness.mjs";

const runs = Number(process.argv[2] ?? 5);
const slower = 4;
const limit = 1500;

/** In the page, before anything else. */
function observe() {
  const seen = { lcp: 0, shift: 0, blocking: 0, interactive: 0 };
  window.vitals = seen;
  const watch = (type, each) =>
    new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true });
  watch("largest-contentful-paint", (entry) => {
    seen.lcp = entry.startTime;
    seen.element = entry.element?.tagName;
  });
  watch("layout-shift", (entry) => {
    if (!entry.hadRecentInput) seen.shift += entry.value;
  });
  watch("longtask", (entry) => {
    seen.blocking += Math.max(0, entry.duration - 50);
    seen.interactive = entry.startTime + entry.duration;
  });
}

async function load(browser, url) {
  const { name: _, ...settings } = phone;
  const context = await browser.newContext({ ...settings, serviceWorkers: "block" });
  const tab = await context.newPage();
  await tab.addInitScript(observe);
  const cdp = await context.newCDPSession(tab);
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: slower });
  await tab.goto(url);
  await tab.waitForLoadState("networkidle");
  await tab.waitForTimeout(1000);
  const found = await tab.evaluate(() => {
    const script = performance
      .getEntriesByType("resource")
      .filter((one) => one.name.endsWith(".js"))
      .reduce((sum, one) => sum + one.encodedBodySize, 0);
    const fcp = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
    return { ...window.vitals, fcp, script };
  });
  await context.close();
  return found;
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

const server = new Server();
await server.start();
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
let slow = false;
try {
  for (let seed = 1; seed <= 40; seed++) await server.draw({ seed, prompt: "two yellow stars" });
  const spec = { version: 1, type: "convergence", base: { width: 64, height: 64 }, prompts: ["a red circle"] };
  const experiment = await server.experiment({ ...spec, samplers: ["euler", "heun", "ddim"], steps: [2, 4, 8, 12] });
  const pages = [
    "/",
    "/experiments",
    `/experiments/${experiment.id}`,
    `/experiments/${experiment.id}/grid`,
    "/gallery",
    "/queue",
  ];
  console.log(`processor ${slower} times slower, ${runs} runs, medians; ms, but shift without unit and script in kB`);
  for (const page of pages) {
    const all = [];
    for (let run = 0; run < runs; run++) all.push(await load(browser, server.url + page));
    const of = (key) => median(all.map((one) => one[key]));
    const lcp = of("lcp");
    slow ||= lcp >= limit;
    console.log(
      `${page.replace(experiment.id, ":id").padEnd(24)} fcp ${of("fcp").toFixed(0).padStart(5)}  lcp ${lcp.toFixed(0).padStart(5)} (${all[0].element})` +
        `  interactive ${of("interactive").toFixed(0).padStart(5)}  blocking ${of("blocking").toFixed(0).padStart(5)}` +
        `  shift ${of("shift").toFixed(3)}  script ${(of("script") / 1000).toFixed(0)}`,
    );
  }
} finally {
  await browser.close();
  await server.remove();
}
process.exit(slow ? 1 : 0);
