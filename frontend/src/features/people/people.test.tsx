import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { problem, renderAt, serve } from "@/test/render";
import { Component } from "./PeoplePage";
import { agentName, endOfDay, inDays, keyState, kindName } from "./people";

vi.mock("@/api/socket", () => ({ reconnect: vi.fn() }));

const now = Date.parse("2026-11-21T21:00:00Z");
const at = "2026-11-21T20:00:00Z";
const anna = { id: "u1", name: "anna", role: "admin", disabled: false, created_at: at };
const ben = { id: "u2", name: "ben", role: "editor", disabled: true, created_at: at, last_login_at: at };
const answers = (role = "admin") => ({
  "GET /api/v1/me": () => ({ id: "u1", name: "anna", role }),
  "GET /api/v1/users": () => ({ items: [anna, ben], next_cursor: null }),
  "GET /api/v1/sessions": () => ({
    items: [
      { id: "s1", current: true, created_at: at, seen_at: at, expires_at: at },
      { id: "s2", current: false, agent: "curl/8", created_at: at, seen_at: at, expires_at: at },
      { id: "s3", current: false, agent: "wget/1", created_at: at, seen_at: at, expires_at: at },
    ],
  }),
  "GET /api/v1/api-keys": () => ({
    items: [
      { id: "k1", name: "night", prefix: "sc_ab", scopes: ["read"], created_at: at },
      { id: "k2", name: "old", prefix: "sc_cd", scopes: ["read"], created_at: at, revoked_at: at },
    ],
  }),
  "GET /api/v1/events": () => ({
    items: [
      { id: "e1", kind: "login", user_id: "u2", subject: "u2", created_at: at },
      { id: "e2", kind: "login_failed", subject: "mallory", address: "10.0.0.9", created_at: at },
      { id: "e3", kind: "queue_paused", subject: "queue", created_at: at },
      { id: "e4", kind: "moon_rose", user_id: "u9", created_at: at },
    ],
    next_cursor: null,
  }),
});

test("browsers, kinds, ends", () => {
  expect(agentName("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")).toBe("Firefox on Linux");
  expect(agentName("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537 Chrome/140 Safari/537")).toBe(
    "Chromium on Android",
  );
  expect(agentName("curl/8.5")).toBe("curl");
  expect(agentName(null)).toBe("A program");
  expect(kindName("login_failed")).toBe("Login refused");
  expect(kindName("moon_rose")).toBe("moon rose");
  expect(endOfDay("2020-01-01", now)).toBeUndefined();
  expect(endOfDay("", now)).toBeUndefined();
  expect(Date.parse(endOfDay("2027-01-01", now) ?? "")).toBeGreaterThan(now);
  expect(inDays(1, now)).toBe("2026-11-22T21:00:00.000Z");
  const key = { id: "k", name: "k", prefix: "sc", scopes: [], created_at: at };
  expect(keyState(key, now)).toBeUndefined();
  expect(keyState({ ...key, expires_at: at }, now)).toBe("expired");
  expect(keyState({ ...key, revoked_at: at }, now)).toBe("revoked");
});

test("sessions end, one or all others; a wrong present password is said at its field", async () => {
  const { asked } = serve({
    ...answers("viewer"),
    "DELETE /api/v1/sessions/:id": () => new Response(null, { status: 204 }),
    "POST /api/v1/me/password": () =>
      problem(422, "wrong_credentials", "no", [{ pointer: "/old_password", expected: "your present password" }]),
  });
  renderAt("/people", <Component />);
  fireEvent.click(await screen.findByRole("button", { name: "End the session of curl" }));
  fireEvent.click(screen.getByRole("button", { name: "End all others" }));
  const question = await screen.findByRole("alertdialog", { name: "End 2 other sessions?" });
  fireEvent.click(within(question).getByRole("button", { name: "End all others" }));
  await waitFor(() => expect(asked.filter(({ method }) => method === "DELETE").length).toBe(3));
  fireEvent.change(screen.getByLabelText(/^Present password/), { target: { value: "x" } });
  for (const label of [/^New password/, /^The same again/])
    fireEvent.change(screen.getByLabelText(label), { target: { value: "seven quiet lighthouses" } });
  fireEvent.click(screen.getByRole("button", { name: "Change", hidden: true }));
  expect(await screen.findByText("your present password")).toBeInTheDocument();
  expect(screen.queryByRole("link", { name: "Users" })).toBeNull();
});

test("a key is made and its secret is gone when it was kept; one is revoked", async () => {
  const { asked } = serve({
    ...answers(),
    "POST /api/v1/api-keys": () => ({
      api_key: { id: "k3", name: "new", prefix: "sc_ef", scopes: ["read"], created_at: at },
      key: "sc_ef_secret",
    }),
    "DELETE /api/v1/api-keys/:id": () => new Response(null, { status: 204 }),
  });
  renderAt("/people?tab=keys", <Component />);
  expect(await screen.findByText("revoked")).toBeInTheDocument();
  fireEvent.change(screen.getByLabelText("What it is for"), { target: { value: "new" } });
  fireEvent.change(screen.getByRole("combobox", { name: "It ends" }), { target: { value: "never" } });
  fireEvent.click(screen.getByRole("button", { name: "Create the key" }));
  expect(await screen.findByText("sc_ef_secret")).toBeInTheDocument();
  expect(asked.find(({ method }) => method === "POST")?.body).toEqual({
    name: "new",
    scopes: ["read", "write"],
    expires_at: null,
  });
  fireEvent.click(screen.getByRole("button", { name: "I have kept it" }));
  expect(screen.queryByText("sc_ef_secret")).toBeNull();
  fireEvent.click(screen.getByRole("button", { name: "Revoke the key night" }));
  const question = await screen.findByRole("alertdialog");
  fireEvent.click(within(question).getByRole("button", { name: "Revoke" }));
  await waitFor(() => expect(asked.at(-2)?.method === "DELETE" || asked.at(-1)?.method === "DELETE").toBe(true));
});

test("users are added, enabled, given another password, removed; refusals are said", async () => {
  const { asked } = serve({
    ...answers(),
    "POST /api/v1/users": () => problem(409, "conflict", "there is a ben already"),
    "PATCH /api/v1/users/u2": () => ({ ...ben, disabled: false }),
    "PATCH /api/v1/users/u1": () => problem(409, "conflict", "the last admin stays"),
    "DELETE /api/v1/users/u2": () => new Response(null, { status: 204 }),
  });
  renderAt("/people?tab=users", <Component />);
  const row = (await screen.findByRole("combobox", { name: "Role of ben" })).closest("[role=row]") as HTMLElement;
  fireEvent.click(within(row).getByRole("button", { name: "Enable" }));
  expect(await screen.findByText("ben may log in again.")).toBeInTheDocument();
  fireEvent.change(screen.getByRole("combobox", { name: "Role of anna" }), { target: { value: "viewer" } });
  expect(await screen.findByText("the last admin stays")).toBeInTheDocument();
  fireEvent.change(screen.getByLabelText(/^Name/), { target: { value: "ben" } });
  for (const label of [/^New password/, /^The same again/])
    fireEvent.change(screen.getByLabelText(label), { target: { value: "seven quiet lighthouses" } });
  fireEvent.click(screen.getByRole("button", { name: "Add" }));
  expect(await screen.findByText("there is a ben already")).toBeInTheDocument();
  fireEvent.click(within(row).getByRole("button", { name: "Rename" }));
  const dialog = await screen.findByRole("dialog", { name: "Rename ben" });
  fireEvent.change(within(dialog).getByLabelText(/^Name/), { target: { value: "benjamin" } });
  fireEvent.click(within(dialog).getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(asked.some(({ body }) => JSON.stringify(body) === '{"name":"benjamin"}')).toBe(true);
});

test("the record names who and what", async () => {
  const { asked } = serve(answers());
  renderAt("/people?tab=events", <Component />);
  const table = await screen.findByRole("table", { name: "Events" });
  const row = (text: string) => within(table).getByText(text).closest("[role=row]") as HTMLElement;
  await waitFor(() => expect(row("10.0.0.9")).toHaveTextContent("nobody"));
  expect(row("Queue paused")).toHaveTextContent("the local admin");
  expect(row("moon rose")).toHaveTextContent("a removed user");
  fireEvent.change(screen.getByRole("combobox", { name: "What happened" }), { target: { value: "login" } });
  await waitFor(() => expect(asked.at(-1)?.query.get("kind")).toBe("login"));
});

test("a server without users explains itself and takes the first admin", async () => {
  serve({
    ...answers(),
    "GET /api/v1/me": () => ({ id: null, name: "local", role: "admin" }),
    "POST /api/v1/users": () => anna,
  });
  const { router } = renderAt("/people", <Component />);
  expect(await screen.findByText("cauldron user add NAME --role admin")).toBeInTheDocument();
  fireEvent.change(screen.getByLabelText(/^Name/), { target: { value: "anna" } });
  for (const label of [/^New password/, /^The same again/])
    fireEvent.change(screen.getByLabelText(label), { target: { value: "seven quiet lighthouses" } });
  fireEvent.click(screen.getByRole("button", { name: "Add" }));
  await waitFor(() => expect(router.state.location.pathname).toBe("/login"));
});
