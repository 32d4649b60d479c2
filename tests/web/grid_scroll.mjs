// How smoothly a grid of 10,000 cells scrolls. Not a test: it prints figures.
//
//   node tests/web/grid_scroll.mjs                 its own server and experiment
//   node tests/web/grid_scroll.mjs URL EXPERIMENT  of a server that runs
//
// The cells are 100 x 100 settings over few different pictures (drawn once, reused), each with an address of its own, so
// that the browser fetches and decodes every thumbnail that comes by. A wheel scrolls for four seconds; what counts is
// the time between animation frames, and the processor time of the page in one. A frame is dropped when it comes 1.5 frames late or more (25 ms at 60 Hz).

import { chromium } from "playwright-core";
import { Server, small } from "./harness.mjs";

const SIDE = Number(process.env.SIDE ?? 100);
const SECONDS = 4;

async function experiment(server) {
  const settings = (name, parameter, values) => ({
    name,
    values: Array.from({ length: SIDE }, (_, i) => ({
      label: `${name} ${i + 1}`,
      set: { [parameter]: values[i % values.length] },
    })),
  });
  const spec = {
    version: 1,
    type: "parameter_sweep",
    base: { model: "demo", prompt: "a red circle left of a blue square", ...small },
    axes: [settings("row", "cfg_scale", [2, 3, 4, 5, 6]), settings("column", "steps", [2, 4, 6, 8])],
  };
  return (await server.experiment(spec, "Ten thousand cells")).id;
}

/** Runs in the page: frames while it is scrolled. */
const watch = () => {
  const frames = [];
  let last = performance.now();
  let running = true;
  const tick = (now) => {
    frames.push(now - last);
    last = now;
    if (running) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  window.endWatch = () => {
    running = false;
    return frames.slice(2);
  };
};

/** Processor seconds of the page's main thread: unlike frames they do not depend on what else the machine does. */
async function work(cdp) {
  const { metrics } = await cdp.send("Performance.getMetrics");
  return metrics.find((one) => one.name === "TaskDuration").value;
}

async function scroll(tab, cdp, { x, y }) {
  const box = await tab.locator("[role=grid]").boundingBox();
  const at = { x: Math.round(box.x + box.width / 2), y: Math.round(box.y + box.height / 2) };
  await tab.evaluate(watch);
  const before = await work(cdp);
  await cdp.send("Input.synthesizeScrollGesture", {
    ...at,
    xDistance: -x * SECONDS,
    yDistance: -y * SECONDS,
    speed: Math.max(Math.abs(x), Math.abs(y)),
    gestureSourceType: "mouse",
    preventFling: true,
  });
  const frames = await tab.evaluate(() => window.endWatch());
  const busy = (await work(cdp)) - before;
  const rest = await tab.evaluate(() => {
    const grid = document.querySelector("[role=grid]");
    return { top: grid.scrollTop, left: grid.scrollLeft, cells: document.querySelectorAll("[data-cell]").length };
  });
  return { frames, busy, ...rest };
}

function told(name, { frames, busy, top, left, cells }) {
  const total = frames.reduce((sum, one) => sum + one, 0);
  const sorted = [...frames].sort((a, b) => a - b);
  const dropped = frames.filter((one) => one > 25).length;
  const fps = (frames.length / total) * 1000;
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
  console.log(
    `${name.padEnd(34)} ${String(frames.length).padStart(4)} frames ${fps.toFixed(1).padStart(5)} fps  dropped ${String(dropped).padStart(3)}` +
      `  work ${((busy * 1000) / frames.length).toFixed(1)} ms a frame  99 %: ${p99.toFixed(1)} ms  longest ${(sorted.at(-1) ?? 0).toFixed(1)} ms  at ${Math.round(left)},${Math.round(top)}  cells ${cells}`,
  );
}

const [url, id] = process.argv.slice(2);
const server = new Server();
if (url) server.url = url;
else await server.start();
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  const experimentId = id ?? (await experiment(server));
  for (const [device, viewport] of [
    ["1280 x 800", { width: 1280, height: 800 }],
    ["1920 x 1080", { width: 1920, height: 1080 }],
  ])
    for (const throttle of [1, 4])
      for (const size of [144, 64]) {
        const context = await browser.newContext({ viewport });
        await context.addInitScript(
          (cellSize) =>
            localStorage.setItem(
              "cauldron-settings",
              JSON.stringify({ state: { cellSize, theme: "light" }, version: 1 }),
            ),
          size,
        );
        const tab = await context.newPage();
        const cdp = await context.newCDPSession(tab);
        await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
        await tab.goto(`${server.url}/experiments/${experimentId}/grid`);
        await tab.locator(`[role=grid][aria-rowcount="${SIDE + 1}"]`).waitFor({ timeout: 60_000 });
        await tab.getByText(/Loading cells/).waitFor({ state: "hidden", timeout: 60_000 });
        await tab.waitForTimeout(1000);
        await cdp.send("Emulation.setCPUThrottlingRate", { rate: throttle });
        const what = `${device}, ${size} px, ${throttle}x:`;
        told(`${what} down`, await scroll(tab, cdp, { x: 0, y: 1500 }));
        told(`${what} across`, await scroll(tab, cdp, { x: 1500, y: 0 }));
        told(`${what} fast`, await scroll(tab, cdp, { x: 0, y: -6000 }));
        await context.close();
      }
} finally {
  await browser.close();
  if (!url) await server.remove();
}
