// The queue: numbers, filters, priorities, places, cancelling, what failed for good, roles.
import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after } from "node:test";
import { checkAccessibility, desktop, phone, shoot, small, suite } from "./harness.mjs";

const source = resolve(import.meta.dirname, "../..");
// Models of its own: the weights of one go away between the request and the drawing.
const models = await mkdtemp(join(tmpdir(), "cauldron-web-models-"));
await cp(join(source, "models/demo"), join(models, "demo"), { recursive: true });
await cp(join(source, "models/demo"), join(models, "fragile"), { recursive: true });
after(() => rm(models, { recursive: true, force: true }));

const narrow = (tab) => tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
const rows = (tab) => tab.getByRole("table", { name: "Jobs" }).getByRole("row");

suite(
  "queue",
  ({ server, test }) => {
    const want = (prompt, more = {}) => server.ask("POST", "/api/v1/generate", { prompt, ...small, ...more });
    const waits = async (prompts) => {
      await server.ask("POST", "/api/v1/queue/pause");
      for (const prompt of prompts) await want(prompt);
    };
    /** Nothing waits and the queue runs, whatever a test left. */
    const settle = async () => {
      for (const job of (await server.ask("GET", "/api/v1/jobs?status=queued&limit=200")).items)
        await server.ask("POST", `/api/v1/jobs/${job.id}/cancel`);
      await server.ask("POST", "/api/v1/queue/resume");
    };

    test("an empty queue teaches what comes here", desktop, async ({ page }) => {
      const tab = await page("/queue");
      await tab.getByText("Nothing waits and nothing was drawn yet.").waitFor();
      await checkAccessibility(tab);
      await tab.getByRole("link", { name: "Draw a picture" }).click();
      await tab.waitForURL("**/");
    });

    test("what comes and goes is seen without reloading", desktop, async ({ page }) => {
      const tab = await page("/queue");
      await tab.getByRole("button", { name: "Pause the queue" }).click();
      await tab.getByText("The queue is paused.").waitFor();
      await want("a red circle that comes later");
      const row = rows(tab).filter({ hasText: "a red circle that comes later" });
      await row.getByText("Waiting").waitFor();
      await tab.getByRole("link", { name: "Interactive, waiting" }).getByText("1").waitFor();
      await checkAccessibility(tab);
      await shoot(tab, "queue-desktop");
      await tab.keyboard.press("p");
      await row.getByText("Done").waitFor();
      await tab.getByRole("button", { name: "Pause the queue" }).waitFor();
      assert.equal((await server.ask("GET", "/api/v1/queue")).paused, false);
    });

    test("priorities change, places are counted, one is cancelled", desktop, async ({ page }) => {
      await waits(["first of three", "second of three", "third of three"]);
      const tab = await page("/queue?status=queued");
      const details = tab.getByRole("button", { name: /third of three/, expanded: false });
      await details.click();
      await tab.getByText("2 jobs before it").waitFor();
      await checkAccessibility(tab);
      await tab.getByRole("combobox", { name: "Priority of first of three" }).selectOption("batch");
      await tab.getByText("1 job before it").waitFor();
      const jobs = (await server.ask("GET", "/api/v1/jobs?status=queued")).items;
      assert.equal(jobs.find((job) => job.recipe.prompt === "first of three").priority, "batch");
      await tab.getByRole("button", { name: "Cancel second of three" }).click();
      await rows(tab).filter({ hasText: "second of three" }).waitFor({ state: "detached" });
      await tab.getByText("next", { exact: true }).waitFor();
      await settle();
    });

    test("filters are kept in the address", desktop, async ({ page }) => {
      await waits(["it waits"]);
      const tab = await page("/queue");
      await tab.getByRole("combobox", { name: "State" }).selectOption("cancelled");
      await tab.waitForURL("**/queue?status=cancelled");
      await rows(tab).filter({ hasText: "second of three" }).waitFor();
      await rows(tab).filter({ hasText: "it waits" }).waitFor({ state: "detached" });
      await tab.reload();
      await rows(tab).filter({ hasText: "second of three" }).waitFor();
      await tab.getByRole("combobox", { name: "Priority" }).selectOption("batch");
      await tab.waitForURL("**priority=batch");
      await tab.getByRole("link", { name: "Interactive, waiting" }).click();
      await rows(tab).filter({ hasText: "it waits" }).waitFor();
      assert.equal(new URL(tab.url()).search, "?status=queued&priority=interactive");
      await settle();
    });

    test("jobs of an experiment are found by its name and lead to it", desktop, async ({ page }) => {
      await server.ask("POST", "/api/v1/queue/pause");
      const made = await server.ask("POST", "/api/v1/experiments", {
        name: "steps of a triangle",
        start: true,
        spec: {
          version: 1,
          type: "parameter_sweep",
          base: { prompt: "a green triangle", ...small },
          steps: [2, 3, 4],
        },
      });
      await want("no part of it");
      const tab = await page("/queue");
      await tab.getByRole("combobox", { name: "Experiment" }).selectOption({ label: "steps of a triangle" });
      await tab.waitForURL(`**experiment=${made.id}`);
      await tab.getByText("These are all 3.").waitFor();
      await tab.getByRole("button", { name: /a green triangle.*4 steps/ }).click();
      const link = tab.getByRole("link", { name: "steps of a triangle" });
      assert.equal(await link.getAttribute("href"), `/experiments/${made.id}`);
      // Only what fits the filter is cancelled.
      await tab.getByRole("button", { name: "Cancel all that wait" }).click();
      const question = tab.getByRole("alertdialog", { name: "Cancel 3 jobs that wait?" });
      await question.getByText("Only those that fit the filters above.").waitFor();
      await checkAccessibility(tab);
      await question.getByRole("button", { name: "Cancel", exact: true }).click();
      await question.waitFor({ state: "hidden" });
      assert.equal((await server.ask("GET", "/api/v1/queue")).queued, 4, "a question is no order");
      await tab.getByRole("button", { name: "Cancel all that wait" }).click();
      await question.getByRole("button", { name: "Cancel all that wait" }).click();
      await tab.getByText("3 jobs were cancelled.").waitFor();
      assert.equal((await server.ask("GET", "/api/v1/queue")).queued, 1);
      await settle();
    });

    test("what failed for good says why and is tried again", desktop, async ({ page }) => {
      const folder = join(models, "fragile/unet");
      const name = (await readdir(folder)).find((file) => file.endsWith(".safetensors"));
      const good = await readFile(join(folder, name));
      await server.ask("POST", "/api/v1/queue/pause");
      await want("a picture that breaks", { model: "fragile" });
      await writeFile(join(folder, name), good.subarray(0, 1000));
      const tab = await page("/queue");
      await tab.getByRole("button", { name: "Resume the queue" }).click();
      await tab.getByRole("link", { name: "Failed for good" }).getByText("1").waitFor();
      await tab.getByRole("link", { name: "Failed for good" }).click();
      const row = rows(tab).filter({ hasText: "a picture that breaks" });
      const { error } = (await server.ask("GET", "/api/v1/jobs/dead")).items[0];
      await row.getByText(error.message).waitFor();
      await checkAccessibility(tab);
      await shoot(tab, "queue-dead");
      await writeFile(join(folder, name), good);
      await tab.getByRole("button", { name: "Try a picture that breaks again" }).click();
      await tab.getByText("Nothing failed for good.").waitFor();
      await tab.getByRole("combobox", { name: "State" }).selectOption("succeeded");
      await rows(tab).filter({ hasText: "a picture that breaks" }).waitFor();
    });

    test("a phone does the same by touch", phone, async ({ page }) => {
      await waits(["one on a phone", "two on a phone"]);
      const tab = await page("/queue");
      await rows(tab).filter({ hasText: "two on a phone" }).waitFor();
      assert.ok(await narrow(tab), "nothing is wider than the screen");
      await tab.getByRole("button", { name: /two on a phone.*4 steps/ }).tap();
      await tab.getByText("1 job before it").waitFor();
      assert.ok(await narrow(tab), "nor are details");
      await checkAccessibility(tab);
      await shoot(tab, "queue-phone");
      await tab.getByRole("button", { name: "Cancel all that wait" }).tap();
      const question = tab.getByRole("alertdialog", { name: "Cancel 2 jobs that wait?" });
      await question.getByRole("button", { name: "Cancel all that wait" }).tap();
      await tab.getByText("2 jobs were cancelled.").waitFor();
      await tab.getByRole("button", { name: "Resume the queue" }).tap();
      await tab.getByRole("button", { name: "Pause the queue" }).waitFor();
    });

    test("a long list comes page by page", desktop, async ({ page }) => {
      await server.ask("POST", "/api/v1/queue/pause");
      for (let seed = 0; seed < 2; seed++) await want("many of a kind", { count: 60, seed: 1000 * seed });
      const tab = await page("/queue?status=queued");
      await rows(tab).filter({ hasText: "many of a kind" }).first().waitFor();
      for (let i = 0; i < 20 && !(await tab.getByText("These are all 120.").isVisible()); i++) {
        await tab.mouse.wheel(0, 4000);
        await tab.waitForTimeout(100);
      }
      await tab.getByText("These are all 120.").waitFor();
      await settle();
    });
  },
  ["--max-attempts", "1"],
  { environment: { CAULDRON_MODELS: models } },
);
