// Tasks: a document with its problems and its check, the sample and its approval, records that succeeded and failed, callbacks.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { after } from "node:test";
import { checkAccessibility, desktop, phone, shoot, suite } from "./harness.mjs";

const narrow = (tab) => tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
const prompts = ["a red circle", "a blue square", "two yellow stars", "a green triangle", "an orange circle"];
const records = [
  ...prompts.map((prompt, i) => ({ id: `r${i}`, prompt, kind: i % 2 ? "odd" : "even" })),
  { id: "bad", prompt: 7 },
];
const document = (name, more = {}) => ({
  version: 1,
  name,
  source: { type: "jsonl", path: "prompts.jsonl" },
  model: { model: "demo", parameters: { steps: 4, width: 64, height: 64 } },
  destination: { url: `file:${name}` },
  ...more,
});

/** Refuses until it is told otherwise; what it took, by the event's id. */
const taken = new Map();
let refuses = true;
const receiver = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    if (!refuses) taken.set(request.headers["webhook-id"], request.headers["cauldron-event"]);
    response.writeHead(refuses ? 410 : 204).end();
  });
});
await new Promise((done) => receiver.listen(0, "127.0.0.1", done));
const hook = `http://127.0.0.1:${receiver.address().port}/`;
after(() => receiver.close());

async function furnish(server) {
  const folder = join(server.folder, "data/datasets");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "prompts.jsonl"), records.map((one) => `${JSON.stringify(one)}\n`).join(""));
}

async function ended(server, id) {
  for (;;) {
    const task = await server.ask("GET", `/api/v1/tasks/${id}`);
    if (["completed", "failed", "cancelled"].includes(task.status)) return task;
    await new Promise((done) => setTimeout(done, 100));
  }
}

suite(
  "tasks",
  ({ server, test }) => {
    test("an empty list says what a task is", desktop, async ({ page }) => {
      const tab = await page("/tasks");
      await tab.getByText("Draw a whole dataset").waitFor();
      await checkAccessibility(tab);
      await tab.getByRole("link", { name: "New task" }).click();
      await tab.waitForURL("**/tasks/new");
    });

    test(
      "a document's problems stand at their lines; a check says what would happen; it is started",
      desktop,
      async ({ page }) => {
        await furnish(server);
        const tab = await page("/tasks/new");
        const editor = tab.getByRole("textbox", { name: "Document of the task" });
        await editor.fill(JSON.stringify({ ...document("checked"), colour: "red" }, null, 2));
        await tab.getByRole("button", { name: "Check" }).click();
        await tab.getByRole("button", { name: /colour/ }).waitFor();
        await checkAccessibility(tab);
        await shoot(tab, "task-problems");
        await editor.fill(JSON.stringify(document("checked"), null, 2));
        await tab.getByRole("button", { name: "Check" }).click();
        await tab.getByText("6 records, 5 pictures: 0 exist already", { exact: false }).waitFor();
        await tab.getByText("Record 6 (bad)", { exact: false }).waitFor();
        await tab.getByText("Something stands in the way.").waitFor();
        await checkAccessibility(tab);
        await shoot(tab, "task-check");
        await tab.getByRole("button", { name: "Start" }).click();
        await tab.waitForURL(/\/tasks\/[0-9a-f-]{36}$/);
        await tab.getByText("6 of 6 · 1 failed").waitFor();
        const id = new URL(tab.url()).pathname.split("/").at(-1);
        assert.equal((await ended(server, id)).counts.succeeded, 5);
        // The same name again: said, and offered as a second round.
        await tab.goto(`${server.url}/tasks/new`);
        await editor.fill(JSON.stringify(document("checked"), null, 2));
        await tab.getByRole("button", { name: "Start" }).click();
        await tab.getByRole("alert").waitFor();
        await tab.getByRole("button", { name: "Run again with this document" }).click();
        await tab.waitForURL(`**/tasks/${id}`);
        await tab.getByText("Known from former rounds").waitFor();
      },
      { allowed: /status of (422|409)/ },
    );

    test("records are found by state and reason, and their pictures open", desktop, async ({ page }) => {
      const { items } = await server.ask("GET", "/api/v1/tasks");
      const tab = await page(`/tasks/${items[0].id}`);
      const table = tab.getByRole("table", { name: "Records" });
      await table.getByText("r0", { exact: true }).waitFor();
      await tab.getByLabel("State").selectOption("failed");
      await table.getByText("field 'prompt'", { exact: false }).waitFor();
      await table.getByText("r0", { exact: true }).waitFor({ state: "hidden" });
      assert.equal(new URL(tab.url()).searchParams.get("status"), "failed");
      await checkAccessibility(tab);
      await tab.getByLabel("State").selectOption("");
      await tab.getByRole("searchbox", { name: "Record's id" }).fill("r3");
      await table.getByText("r4", { exact: true }).waitFor({ state: "hidden" });
      await shoot(tab, "task-records");
      await table.getByRole("link", { name: "Picture of r3" }).click();
      await tab.getByRole("dialog").getByText("a green triangle").first().waitFor();
      await tab.keyboard.press("Escape");
      const [csv] = await Promise.all([
        tab.waitForEvent("download"),
        tab
          .getByRole("button", { name: "Export" })
          .click()
          .then(() => tab.getByRole("menuitem", { name: "Table (CSV)" }).click()),
      ]);
      assert.match(csv.suggestedFilename(), /^task-.*\.csv$/);
    });

    test("a sample waits for a word, then the rest is drawn", desktop, async ({ page }) => {
      const made = await server.ask("POST", "/api/v1/tasks", {
        document: document("sampled", { canary: { count: 3, by: ["kind"] } }),
      });
      const tab = await page(`/tasks/${made.id}`);
      const approve = tab.getByRole("button", { name: "Good: draw the rest" });
      await approve.waitFor();
      await tab.getByText("3 records were drawn first.", { exact: false }).waitFor();
      await tab.waitForFunction(() => document.querySelectorAll("ul img").length === 3);
      await checkAccessibility(tab);
      await shoot(tab, "task-sample");
      const link = await tab.getByRole("link", { name: "Look at it as an experiment" }).getAttribute("href");
      assert.match(link, /^\/experiments\/[0-9a-f-]{36}\/grid$/);
      await approve.click();
      await tab.getByText("6 of 6 · 1 failed").waitFor();
      const task = await ended(server, made.id);
      assert.deepEqual([task.counts.succeeded, task.reused], [5, 3], "the sample is not drawn twice");
    });

    test("what nobody took can be sent again", desktop, async ({ page }) => {
      const made = await server.ask("POST", "/api/v1/tasks", {
        document: document("told", { callbacks: { url: hook, on: ["batch", "end"], batch: 4, allow_private: true } }),
      });
      await ended(server, made.id);
      const tab = await page(`/tasks/${made.id}`);
      const all = tab.getByRole("button", { name: "Send all dead ones again" });
      await all.waitFor({ timeout: 20_000 });
      await checkAccessibility(tab);
      refuses = false;
      await all.click();
      await tab.getByText("0 wait, 3 were taken, 0 are dead").waitFor({ timeout: 20_000 });
      assert.deepEqual([...taken.values()].sort(), ["batch", "batch", "end"]);
      const before = taken.size;
      await tab.getByRole("button", { name: /^Send again: End/ }).click();
      await tab.getByText("1 event is sent again.").waitFor();
      await tab.getByText("0 wait, 3 were taken, 0 are dead").waitFor({ timeout: 20_000 });
      assert.equal(taken.size, before, "the same event, by its id");
    });

    test("on a phone: the list, one task paused, resumed, cancelled and forgotten", phone, async ({ page }) => {
      const slow = document("slow", {
        source: { type: "jsonl", path: "many.jsonl" },
        callbacks: { url: hook, allow_private: true },
      });
      const many = Array.from(
        { length: 400 },
        (_, i) => `${JSON.stringify({ id: `m${i}`, prompt: `a red circle ${i}` })}\n`,
      );
      await writeFile(join(server.folder, "data/datasets/many.jsonl"), many.join(""));
      const made = await server.ask("POST", "/api/v1/tasks", { document: slow });
      const tab = await page("/tasks");
      await tab.getByRole("link", { name: "slow" }).waitFor();
      assert.ok(await narrow(tab), "nothing is wider than the phone");
      await checkAccessibility(tab);
      await shoot(tab, "tasks-phone");
      await tab.getByRole("link", { name: "slow" }).click();
      await tab.getByRole("button", { name: "Pause" }).click();
      await tab.getByRole("button", { name: "Go on" }).waitFor();
      assert.equal((await server.ask("GET", `/api/v1/tasks/${made.id}`)).status, "paused");
      assert.ok(await narrow(tab), "nothing is wider than the phone");
      await checkAccessibility(tab);
      await shoot(tab, "task-phone");
      await tab.getByRole("button", { name: "Go on" }).click();
      await tab.getByRole("button", { name: "Pause" }).waitFor();
      await tab.getByRole("button", { name: "Cancel" }).click();
      await tab.getByRole("alertdialog").getByRole("button", { name: "Cancel the task" }).click();
      await tab.getByRole("button", { name: "Forget" }).waitFor();
      const told = await server.ask("GET", `/api/v1/tasks/${made.id}/callbacks`);
      assert.deepEqual(
        told.items.map(({ kind }) => kind),
        ["end"],
        "the receiver hears of the end",
      );
      await tab.getByRole("button", { name: "Forget" }).click();
      await tab.getByRole("alertdialog").getByRole("button", { name: "Forget" }).click();
      await tab.waitForURL("**/tasks");
      await tab.getByRole("link", { name: "slow" }).waitFor({ state: "hidden" });
    });
  },
  ["--callbacks-private", "on"],
);
