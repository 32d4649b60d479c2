// Settings: the look, messages, installing, what is kept without a connection, servers.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { checkAccessibility, desktop, phone, Server, shoot, suite } from "./harness.mjs";

suite("settings", ({ server, test }) => {
  const other = new Server();
  before(() => other.start());
  after(() => other.remove());

  test("the look changes at once and is kept", desktop, async ({ page }) => {
    const tab = await page("/settings");
    const dark = () => tab.evaluate(() => document.documentElement.classList.contains("dark"));
    await tab.getByRole("radio", { name: "Dark" }).check();
    assert.equal(await dark(), true);
    await checkAccessibility(tab);
    await shoot(tab, "settings-dark");
    await tab.getByRole("slider", { name: "Tiles of the gallery" }).fill("256");
    await tab.getByText("256 pixels").waitFor();
    await tab.getByRole("checkbox", { name: "Live previews" }).uncheck();
    await tab.reload();
    assert.equal(await dark(), true);
    await tab.getByText("256 pixels").waitFor();
    assert.equal(await tab.getByRole("checkbox", { name: "Live previews" }).isChecked(), false);
    await tab.getByRole("radio", { name: "Light" }).check();
    assert.equal(await dark(), false);
    await checkAccessibility(tab);
  });

  test("this server says who it is, and why it hears no others", desktop, async ({ page }) => {
    const found = await server.ask("GET", "/api/v1/discovery");
    const tab = await page("/settings");
    const panel = tab.getByRole("region", { name: "Servers" });
    await panel.getByText(found.self.name).waitFor();
    if (!found.available) await panel.getByText(found.detail).waitFor();
    await panel.getByText("No other server is known yet.").waitFor();
  });

  test("a server is added by hand, renamed, opened, forgotten and had back", desktop, async ({ page }) => {
    const tab = await page("/settings");
    const panel = tab.getByRole("region", { name: "Servers" });
    const field = panel.getByLabel("Add a server");
    const add = panel.getByRole("button", { name: "Add", exact: true });
    await field.fill("what is this");
    await add.click();
    await panel.getByText("An address such as").waitFor();
    await field.fill(server.url);
    await add.click();
    await panel.getByText("That is the server you are using.").waitFor();
    await field.fill(new URL(other.url).host);
    await add.click();
    const name = new URL(other.url).host;
    await panel.getByRole("link", { name: `Open ${name}` }).waitFor();
    await checkAccessibility(tab);
    await panel.getByRole("button", { name: `Rename ${name}` }).click();
    await panel.getByRole("textbox", { name: "Name" }).fill("the attic");
    await tab.keyboard.press("Enter");
    await panel.getByRole("link", { name: "Open the attic" }).waitFor();
    await shoot(tab, "settings-servers");
    await tab.reload();
    await panel.getByRole("button", { name: "Forget the attic" }).click();
    await panel.getByText("the attic").waitFor({ state: "detached" });
    await tab.getByRole("button", { name: "Undo" }).click();
    await panel.getByRole("link", { name: "Open the attic" }).click();
    await tab.waitForURL(`${other.url}/`);
  });

  test("notifications say what stands in their way", desktop, async ({ page }) => {
    const tab = await page("/settings");
    const panel = tab.getByRole("region", { name: "Notifications" });
    await panel.getByRole("status").first().getByText(/./).waitFor();
    // Chromium without a window refuses them from the start, or on being asked.
    const on = panel.getByRole("button", { name: "Turn on" });
    if (await on.isVisible()) await on.click();
    await panel.getByText(/told to refuse them|cannot receive them/).waitFor();
    await checkAccessibility(tab);
  });

  test("what was seen is counted and cleared; what waits is sent or dropped", desktop, async ({ open, page }) => {
    await server.draw();
    const context = await open();
    const tab = await page("/gallery", context);
    await tab.getByRole("img").first().waitFor();
    await tab.evaluate(() => navigator.serviceWorker.ready);
    await tab.reload();
    await tab.getByRole("img").first().waitFor();
    await tab.waitForFunction(async () => (await (await caches.open("cauldron-pictures")).keys()).length > 0);
    await tab.goto(`${server.url}/settings`);
    const panel = tab.getByRole("region", { name: "Without a connection" });
    await panel.getByText(/^[1-9]\d*$/).waitFor();
    await panel.getByRole("button", { name: "Clear what is kept" }).click();
    const question = tab.getByRole("alertdialog");
    await checkAccessibility(tab);
    await question.getByRole("button", { name: "Clear what is kept" }).click();
    await panel.getByText("0", { exact: true }).waitFor();
    assert.equal(await tab.evaluate(async () => (await (await caches.open("cauldron-pictures")).keys()).length), 0);
    await panel.getByText("nothing", { exact: true }).waitFor();
  });

  test("it fits a phone", phone, async ({ page }) => {
    const tab = await page("/settings");
    await tab.getByRole("region", { name: "Servers" }).getByText("this one", { exact: true }).waitFor();
    await tab.getByText("In the browser's menu").waitFor();
    assert.ok(await tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await checkAccessibility(tab);
    await shoot(tab, "settings-phone");
    await tab.getByText("Dark", { exact: true }).tap();
    await checkAccessibility(tab);
  });
});
