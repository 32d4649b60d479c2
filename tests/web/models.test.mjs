// Models: what is installed, details, digest, checks, downloads from a hub with their progress, stopping and going on.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { checkAccessibility, desktop, phone, shoot, suite } from "./harness.mjs";

const source = resolve(import.meta.dirname, "../..");
const models = await mkdtemp(join(tmpdir(), "cauldron-web-models-"));
await cp(join(source, "models/demo"), join(models, "demo"), { recursive: true });
const hub = spawn("python3", [join(import.meta.dirname, "hub.py")], { stdio: ["pipe", "pipe", "inherit"] });
const hubUrl = await new Promise((found) => createInterface({ input: hub.stdout }).once("line", found));
const slow = (seconds) => hub.stdin.write(`delay ${seconds}\n`);
after(async () => {
  hub.stdin.end();
  await rm(models, { recursive: true, force: true });
});

const narrow = (tab) => tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

suite(
  "models",
  ({ server, test }) => {
    test("a model shows what it is, and leads to drawing with it", desktop, async ({ page }) => {
      const tab = await page("/models");
      const card = tab.getByRole("listitem").filter({ has: tab.getByRole("heading", { name: "demo" }) });
      await card.getByText("128 × 128").waitFor();
      await card.getByText("sd1").waitFor();
      await checkAccessibility(tab);
      await shoot(tab, "models-desktop");
      const link = card.getByRole("link", { name: "Experiment with demo" });
      assert.equal(await link.getAttribute("href"), "/experiments/new?model=demo");
      await card.getByRole("link", { name: "Draw with demo" }).click();
      await tab.waitForURL("**/?model=demo");
    });

    test("details are an address; the digest is computed when asked; files are checked", desktop, async ({ page }) => {
      const tab = await page("/models");
      const button = tab.getByRole("button", { name: "Details of demo" });
      await button.click();
      await tab.waitForURL("**/models?model=demo");
      const drawer = tab.getByRole("dialog", { name: "demo" });
      await drawer.getByText("Samplers that fit").waitFor();
      await checkAccessibility(tab);
      const compute = drawer.getByRole("button", { name: "Compute" });
      if (await compute.isVisible()) await compute.click();
      const { digest } = await server.ask("GET", "/api/v1/models/demo/digest");
      await drawer.getByText(digest).waitFor();
      await drawer.getByRole("button", { name: "Check its files" }).click();
      await drawer.getByText(/^Done ·/).waitFor();
      await shoot(tab, "models-details");
      await tab.reload();
      await drawer.waitFor();
      await tab.keyboard.press("Escape");
      await drawer.waitFor({ state: "hidden" });
      assert.equal(new URL(tab.url()).search, "");
      await tab.getByRole("list").getByText("Check of demo").waitFor();
    });

    test("a download is watched, stopped, resumed, and its model can be used", desktop, async ({ page }) => {
      const tab = await page("/models");
      const field = tab.getByLabel("Repository");
      await field.fill("no repository");
      await tab.getByRole("button", { name: "Download", exact: true }).click();
      await tab.getByText("Owner and name with a slash between them").waitFor();
      await checkAccessibility(tab);
      slow(0.01);
      await field.fill(`${hubUrl}/maker/pulled`);
      await tab.getByRole("button", { name: "Download", exact: true }).click();
      const bar = tab.getByRole("progressbar", { name: "Download of maker/pulled" });
      await bar.waitFor();
      await tab.waitForFunction(() => Number(document.querySelector("[role=progressbar]")?.ariaValueNow) > 0);
      await checkAccessibility(tab);
      await shoot(tab, "models-download");
      await tab.getByRole("button", { name: "Stop: Download of maker/pulled" }).click();
      await tab.getByText("Stopped").waitFor();
      slow(0);
      await tab.getByRole("button", { name: "Go on: Download of maker/pulled" }).click();
      await tab.getByText("maker/pulled is here and can be used.").waitFor();
      await tab.getByRole("link", { name: "Draw with maker/pulled" }).waitFor();
      const drawn = await server.draw({ model: "maker/pulled" });
      assert.equal(drawn[0].status, "succeeded");
    });

    test("a repository that the hub does not have is said where it was asked for", desktop, async ({ page }) => {
      const tab = await page("/models");
      await tab.getByLabel("Repository").fill("maker/nothing");
      await tab.getByRole("button", { name: "Download", exact: true }).click();
      await tab.getByText("Download of maker/nothing failed").waitFor();
      const { items } = await server.ask("GET", "/api/v1/model-tasks");
      await tab.getByRole("listitem").getByText(items[0].error.message).waitFor();
      await checkAccessibility(tab);
    });

    test("a server without models teaches how to get one, and looks again", desktop, async ({ page }) => {
      const away = join(models, "..", `${models.split("/").at(-1)}-away`);
      await mkdir(away);
      await rename(join(models, "demo"), join(away, "demo"));
      const cache = join(server.folder, ".cache");
      await rename(cache, join(away, "cache"));
      try {
        const tab = await page("/models");
        await tab.getByRole("button", { name: "Look again" }).click();
        await tab.getByText("No model is installed, so nothing can be drawn yet.").waitFor();
        await tab.getByText(/cauldron models pull \S+/).waitFor();
        await checkAccessibility(tab);
        await shoot(tab, "models-empty");
        await rename(join(away, "demo"), join(models, "demo"));
        await tab.getByRole("button", { name: "Look again" }).click();
        await tab.getByRole("heading", { name: "demo" }).waitFor();
      } finally {
        await rename(join(away, "cache"), cache);
        await rm(away, { recursive: true, force: true });
      }
    });

    test("a phone has cards, and details from below", phone, async ({ page }) => {
      const tab = await page("/models");
      await tab.getByRole("button", { name: "Details of demo" }).tap();
      const drawer = tab.getByRole("dialog", { name: "demo" });
      await drawer.getByText("Samplers that fit").waitFor();
      assert.ok(await narrow(tab), "nothing is wider than the screen");
      await checkAccessibility(tab);
      await shoot(tab, "models-details-phone");
      await drawer.getByRole("button", { name: "Close" }).tap();
      await drawer.waitFor({ state: "hidden" });
      await checkAccessibility(tab);
    });
  },
  [],
  { environment: { CAULDRON_MODELS: models, HF_ENDPOINT: hubUrl }, alone: true },
);
