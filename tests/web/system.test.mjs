// The system: health, version, providers, workers, hardware; each section on its own when the server is away.
import assert from "node:assert/strict";
import { checkAccessibility, desktop, phone, shoot, suite } from "./harness.mjs";

const sections = ["Health", "Version", "Workers", "Providers", "Hardware"];

suite("system", ({ server, test }) => {
  test("every section says how it is", desktop, async ({ page }) => {
    const { checks } = await server.ask("GET", "/readyz");
    const { version } = await server.ask("GET", "/version");
    const hardware = await server.ask("GET", "/api/v1/hardware");
    const { items } = await server.ask("GET", "/api/v1/workers");
    const tab = await page("/system");
    const section = (name) => tab.getByRole("region", { name });
    await section("Health").getByText("Everything that this server needs works.").waitFor();
    assert.equal(await section("Health").getByRole("listitem").count(), checks.length);
    await section("Version").getByText(`cauldron ${version}`).waitFor();
    await section("Providers").getByText("Ready").waitFor();
    await section("Hardware").getByText(hardware.cpu.isa, { exact: true }).waitFor();
    await section("Hardware").getByRole("meter", { name: "Memory", exact: true }).waitFor();
    await section("Workers").getByText(items[0].id).waitFor();
    await checkAccessibility(tab);
    await shoot(tab, "system-desktop");
  });

  test("it leads to the API's page and the metrics", desktop, async ({ page }) => {
    const tab = await page("/system");
    for (const [name, path] of [
      ["API documentation", "/docs"],
      ["Metrics", "/metrics"],
    ]) {
      const opened = tab.waitForEvent("popup");
      await tab.getByRole("link", { name }).click();
      const other = await opened;
      await other.waitForURL(`**${path}`);
      await other.close();
    }
  });

  test(
    "what changes is seen without reloading, and what cannot be asked says so",
    desktop,
    async ({ page }) => {
      const tab = await page("/system");
      await tab.getByText(/0 drawn/).waitFor();
      await server.draw();
      await tab.getByText(/1 drawn/).waitFor({ timeout: 30_000 });
      await server.stop();
      await tab.getByRole("alert").filter({ hasText: "Health could not be asked" }).waitFor({ timeout: 30_000 });
      await tab.getByText("Everything that this server needs works.").waitFor();
      await server.start();
      await tab.getByRole("alert").first().waitFor({ state: "detached", timeout: 60_000 });
    },
    { allowed: /Failed to load resource|WebSocket|ERR_/ },
  );

  test("it fits a phone, dark as well", phone, async ({ open, page }) => {
    const tab = await page("/system", await open({ colorScheme: "dark" }));
    for (const name of sections) await tab.getByRole("region", { name }).waitFor();
    await tab.getByText("Everything that this server needs works.").waitFor();
    assert.ok(await tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await checkAccessibility(tab);
    await shoot(tab, "system-phone");
  });
});
