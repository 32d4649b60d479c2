// Logging in and out, roles, accounts, API keys, users, the record; and a server without users.
import assert from "node:assert/strict";
import { checkAccessibility, desktop, phone, shoot, suite } from "./harness.mjs";

const password = "correct horse battery";
const other = "seven quiet lighthouses";
const narrow = (tab) => tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
// The browser itself logs answers such as 401 and 429 as errors.
const refused = { allowed: /status of (401|409|422|429)/ };
const users = ["anna", "ed", "vi", "gone", "pat", "slow", "tom"].map((name) => [
  name,
  { anna: "admin", vi: "viewer" }[name] ?? "editor",
  password,
]);

async function enter(tab, name, secret = password) {
  await tab.getByLabel("Name").fill(name);
  await tab.getByLabel("Password", { exact: true }).fill(secret);
  await tab.getByRole("button", { name: "Log in" }).click();
}

suite(
  "people",
  ({ server, test }) => {
    /** A tab of somebody who logged in before. */
    const as = async (open, page, name, address) => {
      const context = await open();
      const answer = await context.request.post(`${server.url}/api/v1/login`, { data: { name, password } });
      assert.equal(answer.status(), 200);
      return page(address, context);
    };

    test(
      "whoever is not logged in is led to the login and back again",
      desktop,
      async ({ page }) => {
        const tab = await page("/queue?status=queued");
        await tab.waitForURL("**/login?to=*");
        await tab.getByLabel("Name").waitFor();
        await checkAccessibility(tab);
        await shoot(tab, "login-desktop");
        await enter(tab, "ed", "a wrong password");
        await tab.getByRole("alert").getByText("Wrong name or password.").waitFor();
        await checkAccessibility(tab);
        await tab.getByLabel("Password", { exact: true }).fill(password);
        await tab.keyboard.press("Enter");
        await tab.waitForURL("**/queue?status=queued");
        await tab.getByRole("button", { name: "Account of ed" }).waitFor();
        // The socket is of the new user: a job that comes is seen without reloading.
        await tab.getByText("No job is like that.").waitFor();
        await tab.getByRole("button", { name: "Account of ed" }).click();
        await checkAccessibility(tab);
        await tab.getByRole("menuitem", { name: "Log out" }).click();
        await tab.waitForURL("**/login");
        assert.equal((await tab.request.get(`${server.url}/api/v1/me`)).status(), 401);
      },
      refused,
    );

    test(
      "guessing has to wait, and the page says how long",
      desktop,
      async ({ page }) => {
        const tab = await page("/login");
        // The sixth has to wait for its answer.
        for (let i = 0; i < 6; i++) {
          const answer = tab.waitForResponse("**/api/v1/login");
          await enter(tab, "slow", "a wrong password");
          await answer;
        }
        await tab.getByText(/Too many wrong passwords. Try again in \d+ seconds?\./).waitFor();
        assert.ok(await tab.getByRole("button", { name: "Log in" }).isDisabled());
        await checkAccessibility(tab);
      },
      refused,
    );

    test(
      "a phone logs in, and out under More",
      phone,
      async ({ page }) => {
        const tab = await page("/login?to=/gallery");
        await tab.getByLabel("Name").fill("vi");
        await tab.getByLabel("Password", { exact: true }).fill(password);
        await tab.getByRole("button", { name: "Log in" }).tap();
        await tab.waitForURL("**/gallery");
        await tab.getByRole("button", { name: "More" }).tap();
        await tab.getByRole("menuitem", { name: "Account: vi" }).waitFor();
        await shoot(tab, "more-phone");
        await tab.getByRole("menuitem", { name: "Log out" }).tap();
        await tab.waitForURL("**/login");
        await checkAccessibility(tab);
      },
      refused,
    );

    test(
      "a login leads into the app only",
      desktop,
      async ({ open, page }) => {
        const tab = await page("/login?to=//evil.example/x", await open());
        await enter(tab, "ed");
        await tab.waitForURL(`${server.url}/`);
      },
      refused,
    );

    test("a viewer looks: what changes things is not there", desktop, async ({ open, page }) => {
      const tab = await as(open, page, "vi", "/people?tab=users");
      await tab.getByRole("heading", { name: "Sessions" }).waitFor();
      assert.equal(await tab.getByRole("link", { name: "Users" }).count(), 0);
      assert.equal(await tab.getByRole("link", { name: "Events" }).count(), 0);
      await tab.goto(`${server.url}/queue`);
      await tab
        .getByRole("region", { name: "How busy the queue is" })
        .or(tab.getByLabel("How busy the queue is"))
        .first()
        .waitFor();
      assert.equal(await tab.getByRole("button", { name: /Pause the queue|Cancel all/ }).count(), 0);
      await tab.goto(`${server.url}/models`);
      await tab.getByText("Only an admin may download and check models.").waitFor();
      assert.equal(await tab.getByRole("button", { name: "Look again" }).count(), 0);
      await tab.goto(`${server.url}/people?tab=keys`);
      assert.ok(await tab.getByRole("checkbox", { name: /manage people/ }).isDisabled());
      assert.ok(await tab.getByRole("checkbox", { name: /draw, rate/ }).isDisabled());
    });

    test(
      "the own password and sessions",
      desktop,
      async ({ open, page }) => {
        const tab = await as(open, page, "pat", "/people");
        const elsewhere = await open({
          userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        });
        const url = `${server.url}/api/v1/login`;
        for (let i = 0; i < 2; i++) await (await open()).request.post(url, { data: { name: "pat", password } });
        await elsewhere.request.post(url, {
          data: { name: "pat", password },
          headers: { "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" },
        });
        await tab.reload();
        const sessions = tab.getByRole("table", { name: "Sessions" });
        await sessions.getByText("this one").waitFor();
        await checkAccessibility(tab);
        await shoot(tab, "people-account");
        await tab.getByRole("button", { name: "End the session of Firefox on Linux" }).click();
        await sessions.getByText("Firefox on Linux").waitFor({ state: "detached" });
        assert.equal((await elsewhere.request.get(`${server.url}/api/v1/me`)).status(), 401);
        await tab.getByRole("button", { name: "End all others" }).click();
        await tab.getByRole("alertdialog").getByRole("button", { name: "End all others" }).click();
        await tab.getByRole("alertdialog").waitFor({ state: "hidden" });
        assert.equal(await sessions.getByRole("row").count(), 2, "the header and this one");
        await tab.getByLabel("Present password").fill("not this one");
        await tab.getByLabel("New password").fill("short");
        await tab.getByRole("button", { name: "Change" }).click();
        await tab.locator("[data-part=error-text]").getByText("At least 10 characters.").waitFor();
        await tab.getByLabel("New password").fill(other);
        await tab.getByLabel("The same again").fill("something else");
        await tab.getByText("This is not the same.").waitFor();
        await tab.getByLabel("The same again").fill(other);
        await tab.getByRole("button", { name: "Change" }).click();
        await tab.locator("[data-part=error-text]").first().waitFor();
        await checkAccessibility(tab);
        await tab.getByLabel("Present password").fill(password);
        await tab.getByRole("button", { name: "Change" }).click();
        await tab.getByText("The password is changed").waitFor();
        await tab.reload();
        await sessions.getByText("this one").waitFor();
        await server.ask("POST", "/api/v1/login", { name: "pat", password: other });
      },
      refused,
    );

    test("an API key is made, shown once, used and revoked", desktop, async ({ open, page }) => {
      const tab = await as(open, page, "ed", "/people?tab=keys");
      await tab.getByText("You have no API keys.").waitFor();
      await tab.getByRole("button", { name: "Create the key" }).click();
      await tab.getByText("Say what it is for.").waitFor();
      await tab.getByLabel("What it is for").fill("night runs");
      await tab.getByRole("combobox", { name: "It ends" }).selectOption("date");
      await tab.getByRole("button", { name: "Create the key" }).click();
      await tab.getByText("Choose a day in the future.").waitFor();
      await checkAccessibility(tab);
      await tab.getByRole("combobox", { name: "It ends" }).selectOption("30");
      await tab.getByRole("button", { name: "Create the key" }).click();
      const secret = await tab.locator("[data-secret]").textContent();
      assert.match(secret, /^sc_/);
      await checkAccessibility(tab);
      await shoot(tab, "people-key");
      const headers = { Authorization: `Bearer ${secret}` };
      const me = await server.ask("GET", "/api/v1/me", undefined, headers);
      assert.deepEqual([me.name, me.scopes], ["ed", ["read", "write"]]);
      await tab.getByRole("button", { name: "I have kept it" }).click();
      assert.equal(await tab.getByText(secret).count(), 0);
      await tab.getByRole("button", { name: "Revoke the key night runs" }).click();
      await tab.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
      await tab.getByText("The key was revoked.").waitFor();
      await assert.rejects(server.ask("GET", "/api/v1/me", undefined, headers), /401/);
    });

    test(
      "an admin adds, changes, locks out and removes users",
      desktop,
      async ({ open, page }) => {
        const tab = await as(open, page, "anna", "/people?tab=users");
        const table = tab.getByRole("table", { name: "Users" });
        await table.getByText("gone", { exact: true }).waitFor();
        await checkAccessibility(tab);
        await shoot(tab, "people-users");
        await tab.getByLabel("Name", { exact: true }).fill("new one");
        await tab.getByRole("combobox", { name: "Role", exact: true }).selectOption("viewer");
        await tab.getByLabel("New password").fill(password);
        await tab.getByLabel("The same again").fill(password);
        await tab.getByRole("button", { name: "Add", exact: true }).click();
        await tab.getByText("new one was added.").waitFor();
        await server.ask("POST", "/api/v1/login", { name: "new one", password });
        await tab.getByRole("combobox", { name: "Role of new one" }).selectOption("editor");
        const row = (name) => table.getByRole("row").filter({ hasText: name });
        await row("new one").getByRole("button", { name: "Disable" }).click();
        await row("new one").getByText("disabled").waitFor();
        await assert.rejects(server.ask("POST", "/api/v1/login", { name: "new one", password }), /401/);
        await tab.getByRole("button", { name: "Undo" }).click();
        await row("new one").getByRole("button", { name: "Disable" }).waitFor();
        assert.equal((await server.ask("POST", "/api/v1/login", { name: "new one", password })).role, "editor");
        await row("new one").getByRole("button", { name: "Give another password" }).click();
        const dialog = tab.getByRole("dialog", { name: "Another password for new one" });
        await dialog.getByLabel("New password").fill(other);
        await dialog.getByLabel("The same again").fill(other);
        await checkAccessibility(tab);
        await dialog.getByRole("button", { name: "Save" }).click();
        await tab.getByText("new one has another password.").waitFor();
        await server.ask("POST", "/api/v1/login", { name: "new one", password: other });
        await row("gone").getByRole("button", { name: "Rename" }).click();
        await tab.getByRole("dialog", { name: "Rename gone" }).getByLabel("Name").fill("went");
        await tab.getByRole("dialog", { name: "Rename gone" }).getByRole("button", { name: "Save" }).click();
        await row("went").getByRole("button", { name: "Remove" }).click();
        await tab.getByRole("alertdialog", { name: "Remove went?" }).getByRole("button", { name: "Remove" }).click();
        await row("went").waitFor({ state: "detached" });
        await tab.getByRole("combobox", { name: "Role of anna" }).selectOption("viewer");
        await tab.getByText(/last admin/).waitFor();
        assert.equal(await tab.getByRole("combobox", { name: "Role of anna" }).inputValue(), "admin");
      },
      refused,
    );

    test("the record says who did what", desktop, async ({ open, page }) => {
      const tab = await as(open, page, "anna", "/people?tab=events");
      const table = tab.getByRole("table", { name: "Events" });
      await table.getByText("Logged in").first().waitFor();
      await checkAccessibility(tab);
      await shoot(tab, "people-events");
      await tab.getByRole("combobox", { name: "What happened" }).selectOption("login_failed");
      await tab.waitForURL("**kind=login_failed");
      await table.getByRole("row").filter({ hasText: "slow" }).first().getByText("Login refused").waitFor();
      await table.getByText("Logged in").first().waitFor({ state: "hidden" });
    });

    test("every part fits a phone", phone, async ({ open, page }) => {
      const tab = await as(open, page, "anna", "/people");
      for (const [part, sign] of [
        ["Users", "Role of tom"],
        ["API keys", "What it is for"],
        ["Events", "What happened"],
        ["Account", "Present password"],
      ]) {
        await tab.getByRole("navigation", { name: "Parts" }).getByRole("link", { name: part }).tap();
        await tab.getByLabel(sign).waitFor();
        assert.ok(await narrow(tab), `${part}: nothing is wider than the screen`);
        await checkAccessibility(tab);
        await shoot(tab, `people-${part.toLowerCase().replace(" ", "-")}-phone`);
      }
    });
  },
  [],
  { users },
);

suite("a server without users", ({ server, test }) => {
  test(
    "explains itself and takes its first admin",
    desktop,
    async ({ page }) => {
      const tab = await page("/login");
      await tab.getByText("This server has no users").waitFor();
      await checkAccessibility(tab);
      await tab.goto(`${server.url}/people`);
      await tab.getByText("cauldron user add NAME --role admin").waitFor();
      assert.equal(await tab.getByRole("button", { name: /Account of/ }).count(), 0);
      await checkAccessibility(tab);
      await tab.getByLabel("Name").fill("root");
      await tab.getByLabel("New password").fill(password);
      await tab.getByLabel("The same again").fill(password);
      await tab.getByRole("button", { name: "Add", exact: true }).click();
      await tab.waitForURL("**/login?to=/people");
      await enter(tab, "root");
      await tab.waitForURL("**/people");
      await tab.getByText("You are root.").waitFor();
    },
    refused,
  );
});
