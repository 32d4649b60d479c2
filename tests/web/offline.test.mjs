// The installed app: the shell and what was seen without a server, decisions that are sent later, messages of the
// server as notifications.
import assert from "node:assert/strict";
import { desktop, phone, suite } from "./harness.mjs";

/** A page that the service worker answers for. */
async function controlled(page, address, context) {
  const tab = await page(address, context);
  await tab.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller)
      await new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done, { once: true }));
  });
  await tab.reload();
  return tab;
}

const shown = (tab) =>
  tab.waitForFunction(() => {
    const pictures = [...document.querySelectorAll("main img[src*=thumbnail]")];
    return pictures.length >= 3 && pictures.every((one) => one.complete && one.naturalWidth > 0);
  });

suite("offline", ({ test }) => {
  // What the browser logs of requests that find no server, and nothing else.
  const allowed = /Failed to load resource|WebSocket connection|ERR_|service worker|Failed to fetch/i;

  for (const device of [desktop, phone])
    test(
      "the gallery opens without the server, and a rating is sent when it is back",
      device,
      async ({ page, server }) => {
        await server.draw({ prompt: "two yellow stars", count: 3, seed: device === phone ? 50 : 1 });
        const tab = await controlled(page, "/gallery");
        await shown(tab);
        await tab.waitForLoadState("networkidle");
        await server.stop();
        await tab.reload();
        await tab.getByRole("heading", { level: 1, name: "Gallery" }).waitFor();
        await shown(tab);
        await tab.locator("main img[src*=thumbnail]").first().click();
        const dialog = tab.getByRole("dialog");
        await dialog.getByRole("button", { name: "4 stars" }).click();
        await tab.getByText("1 change waits for the server").waitFor();
        await tab.reload();
        await tab.getByText("1 change waits for the server").waitFor();
        await server.start();
        await tab.getByText("1 change waits for the server").waitFor({ state: "hidden", timeout: 30_000 });
        const { items } = await server.ask("GET", "/api/v1/generations?rating_min=4");
        assert.equal(items.filter((one) => one.rating === 4).length, device === phone ? 2 : 1);
      },
      { allowed },
    );

  test(
    "an experiment that was looked at can be read without the server",
    desktop,
    async ({ page, server }) => {
      const spec = { version: 1, type: "convergence", base: { width: 64, height: 64 }, prompts: ["a red circle"] };
      const made = await server.experiment(
        { ...spec, samplers: ["euler", "ddim"], steps: [2, 4] },
        "kept for the train",
      );
      const tab = await controlled(page, `/experiments/${made.id}/grid`);
      await shown(tab);
      await tab.waitForLoadState("networkidle");
      await server.stop();
      await tab.reload();
      await tab.getByRole("heading", { level: 1, name: "kept for the train" }).waitFor();
      await shown(tab);
      await server.start();
    },
    { allowed },
  );

  test("a message of the server becomes a notification", desktop, async ({ open, page, server }) => {
    const context = await open({ permissions: ["notifications"] });
    const tab = await controlled(page, "/settings", context);
    const cdp = await context.newCDPSession(tab);
    const registered = new Promise((done) =>
      cdp.on(
        "ServiceWorker.workerRegistrationUpdated",
        ({ registrations }) => registrations[0] && done(registrations[0]),
      ),
    );
    await cdp.send("ServiceWorker.enable");
    const { registrationId } = await registered;
    await cdp.send("ServiceWorker.deliverPushMessage", {
      origin: server.url,
      registrationId,
      data: JSON.stringify({ title: "12 pictures are done", body: "Steps", url: "/experiments/1", tag: "one" }),
    });
    const found = await tab.waitForFunction(async () => {
      const list = await (await navigator.serviceWorker.ready).getNotifications();
      return list.map(({ title, body, data }) => ({ title, body, url: data.url }))[0];
    });
    assert.deepEqual(await found.jsonValue(), { title: "12 pictures are done", body: "Steps", url: "/experiments/1" });
  });

  test("the app can be installed", desktop, async ({ page }) => {
    const tab = await page("/");
    const cdp = await tab.context().newCDPSession(tab);
    const { errors, url } = await cdp.send("Page.getAppManifest");
    assert.ok(url.endsWith("/manifest.webmanifest"));
    assert.deepEqual(errors, []);
    const { installabilityErrors } = await cdp.send("Page.getInstallabilityErrors");
    assert.deepEqual(
      installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito"),
      [],
    );
  });
});
