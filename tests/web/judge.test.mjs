// Blind pairs: keys, touch, undo, offline votes, and the scores that come of them.
import assert from "node:assert/strict";
import { checkAccessibility, desktop, phone, shoot, suite } from "./harness.mjs";

const spec = {
  version: 1,
  type: "parameter_sweep",
  base: { model: "demo", cfg_scale: 4, width: 64, height: 64 },
  prompts: ["a red circle", "a blue square"],
  samplers: ["euler", "heun"],
  steps: [2, 4, 8],
};
const network = /ERR_INTERNET_DISCONNECTED|ERR_FAILED|WebSocket|Failed to load/;

suite("judge", ({ server, test }) => {
  /** A fresh jury: votes of earlier tests are of other experiments. */
  let count = 0;
  const experiment = async (name = "Judged") => {
    count++;
    return server.experiment({ ...spec, prompts: [`a red circle ${count}`, `a blue square ${count}`] }, name);
  };
  const votes = async (id) => (await server.ask("GET", `/api/v1/votes?experiment_id=${id}`)).items;
  const until = async (check) => {
    for (let tries = 0; ; tries++) {
      const found = await check();
      if (found || tries > 100) return found;
      await new Promise((done) => setTimeout(done, 100));
    }
  };
  const left = (tab, judged) => tab.getByText(new RegExp(`^${judged} judged, `)).waitFor();

  test("keys judge, labels stay hidden, a vote is taken back", desktop, async ({ page }) => {
    const { id } = await experiment();
    const tab = await page(`/experiments/${id}/judge`);

    await tab.getByRole("button", { name: "Picture A is better" }).waitFor();
    const text = await tab.locator("main").innerText();
    assert.ok(!/euler|heun/.test(text), "nothing names what is compared");
    await checkAccessibility(tab);
    await shoot(tab, "judge-desktop");
    for (const [index, key] of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].entries()) {
      await tab.keyboard.press(key);
      await left(tab, index + 1);
    }
    assert.ok(await until(async () => (await votes(id)).length === 4));
    assert.deepEqual((await votes(id)).map(({ choice }) => choice).reverse(), ["left", "right", "tie", "skip"]);
    await tab.keyboard.press("Backspace");
    await left(tab, 3);
    await tab.keyboard.press("u");
    await left(tab, 2);
    assert.ok(await until(async () => (await votes(id)).length === 2));
  });

  test("taps and swipes judge, pairs do not come again after a reload", phone, async ({ page }) => {
    const { id } = await experiment("On the phone");
    const tab = await page("/judge");
    await tab.getByRole("link", { name: /On the phone/ }).tap();
    const top = tab.getByRole("button", { name: "Picture A is better" });
    await top.tap();
    await left(tab, 1);
    const client = await tab.context().newCDPSession(tab);
    const swipe = async (dx, dy) => {
      const box = await top.boundingBox();
      const x = box.x + box.width / 2;
      const y = box.y + box.height / 2;
      const touch = (type, points) => client.send("Input.dispatchTouchEvent", { type, touchPoints: points });
      await touch("touchStart", [{ x, y }]);
      for (const part of [0.3, 0.6, 1]) await touch("touchMove", [{ x: x + dx * part, y: y + dy * part }]);
      await touch("touchEnd", []);
    };
    await swipe(-120, 4);
    await left(tab, 2);
    await swipe(120, 4);
    await left(tab, 3);
    await swipe(0, -120);
    await left(tab, 4);
    assert.ok(await until(async () => (await votes(id)).length === 4));
    const choices = (await votes(id)).map(({ choice }) => choice).reverse();
    assert.deepEqual(choices, ["left", "left", "right", "tie"]);
    assert.ok(
      await tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
      "nothing is wider than the screen",
    );
    await checkAccessibility(tab);
    await shoot(tab, "judge-phone");
    await tab.reload();
    await left(tab, 4);
    await tab.goto(`${server.url}/judge`);
    await tab.getByRole("link", { name: "Go on" }).tap();
    await left(tab, 4);
  });

  test(
    "votes wait for a connection",
    phone,
    async ({ page, open }) => {
      const { id } = await experiment("Offline");
      const context = await open();
      const tab = await page(`/judge?experiment=${id}`, context);
      const button = tab.getByRole("button", { name: "A is better", exact: true });
      await button.waitFor();
      await context.setOffline(true);
      await button.tap();
      await left(tab, 1);
      await button.tap();
      await left(tab, 2);
      assert.equal((await votes(id)).length, 0);
      await context.setOffline(false);
      assert.ok(await until(async () => (await votes(id)).length === 2));
      assert.ok((await votes(id)).every(({ choice }) => choice === "left"));
    },
    { allowed: network },
  );

  test("one may choose what differs, be told afterwards, and judge to the end", desktop, async ({ page }) => {
    const { id } = await experiment("To the end");
    const tab = await page(`/experiments/${id}/judge`);
    await tab.getByRole("button", { name: "Options" }).click();
    await tab.getByRole("checkbox", { name: "Say afterwards what they were" }).check({ force: true });
    await tab.getByRole("checkbox", { name: "Steps" }).uncheck({ force: true });
    await checkAccessibility(tab);
    await tab.keyboard.press("Escape");
    await tab.waitForURL(/axes=sampler/);

    await tab.getByText("0 judged, 6 pairs left").waitFor();
    for (let judged = 1; judged <= 6; judged++) {
      await tab.getByRole("button", { name: "A is better", exact: true }).click();
      if (judged === 1) await tab.getByText(/A: Sampler (euler|heun)\. B: Sampler (euler|heun)\./).waitFor();
    }
    await tab.getByText("All pairs are judged").waitFor();
    await checkAccessibility(tab);
    assert.ok(await until(async () => (await votes(id)).length === 6));
    await tab.getByRole("link", { name: "See the scores" }).click();
    const scores = tab.getByRole("region", { name: "Sampler, by the votes" });
    await scores.waitFor();
    await scores.getByRole("button", { name: "Table" }).click();
    await tab.getByLabel("Whose votes count").selectOption("me");
    await tab.waitForURL(/by=me/);
    await tab.getByText("6 votes; judges: 1; skipped: 0.").waitFor();
    await checkAccessibility(tab);
    await shoot(tab, "scores-desktop");
  });

  test("nothing to judge teaches the next step", phone, async ({ page }) => {
    const draft = await server.ask("POST", "/api/v1/experiments", { name: "A draft", spec });
    const tab = await page(`/experiments/${draft.id}/judge`);
    await tab.getByText("Nothing to judge yet").waitFor();
    await checkAccessibility(tab);
    await tab.goto(`${server.url}/experiments/${draft.id}/judge?show=scores`);
    await tab.getByText("Nothing to judge yet").waitFor();
  });
});
