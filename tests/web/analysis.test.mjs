// What a run shows: figures, their points under pointer and keyboard, the pictures behind them, the choice in the address.
import assert from "node:assert/strict";
import { checkAccessibility, desktop, phone, shoot, suite } from "./harness.mjs";

const spec = {
  version: 1,
  type: "convergence",
  base: { model: "demo", cfg_scale: 4, width: 64, height: 64 },
  prompts: ["a red circle", "a blue square"],
  samplers: ["euler", "heun"],
  steps: [2, 4, 8, 12],
  replicates: { count: 2 },
};
const figure = (tab, name) => tab.getByRole("region", { name, exact: true });

suite("analysis", ({ server, test }) => {
  let made;
  const experiment = async () => {
    made ??= await server.experiment(spec, "Analysed");
    return `/experiments/${made.id}/analysis`;
  };

  for (const device of [desktop, phone])
    for (const theme of ["light", "dark"])
      test(`every figure is there, ${theme}`, device, async ({ page, open }) => {
        const tab = await page(await experiment(), await open({ colorScheme: theme }));
        for (const name of [
          "Convergence over Steps",
          "Cost against quality",
          "Importance",
          "Marginal effects",
          "Ranking",
        ])
          await figure(tab, name).waitFor();
        await tab.getByRole("group", { name: "Points of the curves" }).getByRole("button").first().waitFor();
        await tab.getByText("Rests on 32 finished cells, 24 measured.").waitFor();
        assert.ok(
          await tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
          "nothing is wider than the screen",
        );
        await checkAccessibility(tab);
        await shoot(tab, `analysis-${device.name}-${theme}`);
      });

  test("points open their pictures by mouse and by keyboard", desktop, async ({ page }) => {
    const tab = await page(await experiment());
    const points = tab.getByRole("group", { name: "Points of the curves" });
    await points.getByRole("button", { name: /Sampler heun, Steps 2/ }).click();
    const strip = tab.getByRole("region", { name: "Pictures behind the number" });
    await strip.getByText("Sampler heun, Steps 2: 4 pictures").waitFor();
    assert.equal(await strip.getByRole("img").count(), 4);
    await tab.keyboard.press("ArrowRight");
    await tab.keyboard.press("Enter");
    await strip.getByText("Sampler heun, Steps 4: 4 pictures").waitFor();
    await tab.keyboard.press("ArrowUp");
    await tab.keyboard.press("Enter");
    await strip.getByText("Sampler euler, Steps 4: 4 pictures").waitFor();
    await checkAccessibility(tab);
    await strip.getByRole("img").first().click();
    await tab.waitForURL(/view=/);
    await tab.getByRole("dialog").waitFor();
    await tab.keyboard.press("Escape");
    await tab.getByRole("dialog").waitFor({ state: "hidden" });
    await strip.getByRole("button", { name: "Hide the pictures" }).click();
    await strip.waitFor({ state: "detached" });
  });

  test("rows and effects open their pictures by touch", phone, async ({ page }) => {
    const tab = await page(await experiment());
    const strip = tab.getByRole("region", { name: "Pictures behind the number" });
    await figure(tab, "Marginal effects")
      .getByRole("button", { name: /^seed|^8/ })
      .first()
      .tap();
    await strip.getByText(/: (8|16) pictures/).waitFor();
    await figure(tab, "Ranking").getByRole("button", { name: "Sampler euler, Steps 8" }).tap();
    await strip.getByText("Sampler euler, Steps 8: 4 pictures").waitFor();
  });

  test("the choice is in the address, and changes what is shown", desktop, async ({ page }) => {
    const tab = await page(await experiment());
    await tab.getByLabel("Measure").selectOption("psnr");
    await tab.waitForURL(/measure=psnr/);
    await figure(tab, "Ranking").getByRole("columnheader", { name: "PSNR to the reference" }).waitFor();
    await tab.getByLabel("Tolerance").fill("0.3");
    await tab.waitForURL(/tolerance=0.3/);
    await tab.getByLabel("Compared with").selectOption({ label: "Steps 2" });
    await tab.waitForURL(/reference=/);
    await tab.reload();
    assert.equal(await tab.getByLabel("Measure").inputValue(), "psnr");
    await tab.getByLabel("Measure").selectOption("memory");
    await tab.getByText("Rests on 32 finished cells, 32 measured.").waitFor();
    await checkAccessibility(tab);
  });

  test("the ranking sorts, and figures have their numbers as tables", desktop, async ({ page }) => {
    const tab = await page(await experiment());
    const ranking = figure(tab, "Ranking");
    await ranking.getByRole("button", { name: "Seconds" }).click();
    await ranking.locator('th[aria-sort="ascending"]', { hasText: "Seconds" }).waitFor();
    const seconds = await ranking.locator("tbody tr td:nth-child(3)").allTextContents();
    assert.deepEqual(
      seconds.map(Number),
      seconds.map(Number).toSorted((a, b) => a - b),
    );
    const curves = figure(tab, "Convergence over Steps");
    await curves.getByRole("button", { name: "Table" }).click();
    assert.equal(await curves.getByRole("row").count(), 1 + 8);
    await curves.getByText("the reference itself").first().waitFor();
    const legend = curves.getByRole("button", { name: "Sampler heun", exact: true });
    await legend.click();
    await curves.getByRole("button", { name: /Sampler heun, Steps 2/ }).waitFor({ state: "detached" });
    await checkAccessibility(tab);
  });

  test("what cannot be said yet is said", desktop, async ({ page }) => {
    const few = await server.experiment(
      { ...spec, prompts: ["a green circle"], samplers: ["euler"], steps: [2, 4], replicates: undefined },
      "Few",
    );
    const tab = await page(`/experiments/${few.id}/analysis`);
    await tab.getByText("Each setting was drawn once", { exact: false }).waitFor();
    const draft = await server.ask("POST", "/api/v1/experiments", { name: "A draft", spec });
    await tab.goto(`${server.url}/experiments/${draft.id}/analysis`);
    await tab.getByText("Nothing to say yet").waitFor();
    await checkAccessibility(tab);
  });
});
