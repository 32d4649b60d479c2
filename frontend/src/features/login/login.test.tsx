import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { problem, renderAt, serve } from "@/test/render";
import { Component } from "./LoginPage";
import { UserMenu } from "./UserMenu";

const socket = vi.hoisted(() => ({ reconnect: vi.fn(), disconnect: vi.fn().mockResolvedValue(undefined) }));
vi.mock("@/api/socket", () => socket);
const nobody = { "GET /api/v1/me": () => problem(401, "login_required", "log in") };

async function enter(): Promise<void> {
  fireEvent.change(await screen.findByLabelText(/^Name/), { target: { value: "ed" } });
  fireEvent.change(screen.getByLabelText(/^Password/), { target: { value: "secret" } });
  fireEvent.click(screen.getByRole("button", { name: "Log in" }));
}

test("a login leads back and gives the socket the new identity", async () => {
  const { asked } = serve({ ...nobody, "POST /api/v1/login": () => ({ id: "u", name: "ed", role: "editor" }) });
  const { router } = renderAt("/login?to=%2Fqueue%3Fstatus%3Ddead", <Component />);
  await enter();
  await waitFor(() => expect(router.state.location.pathname + router.state.location.search).toBe("/queue?status=dead"));
  expect(asked.at(-1)?.body).toEqual({ name: "ed", password: "secret" });
  expect(socket.reconnect).toHaveBeenCalled();
});

test("a refusal is said, and so is how long to wait", async () => {
  let answer = problem(401, "wrong_credentials", "no");
  serve({ ...nobody, "POST /api/v1/login": () => answer });
  renderAt("/login", <Component />);
  await enter();
  expect(await screen.findByText(/Wrong name or password/)).toBeInTheDocument();
  answer = new Response(JSON.stringify({ code: "too_many_attempts", detail: "wait" }), {
    status: 429,
    headers: { "Content-Type": "application/problem+json", "Retry-After": "90" },
  });
  await enter();
  expect(await screen.findByText("Too many wrong passwords. Try again in 1 min 30 s.")).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Log in" })).toBeDisabled();
});

test("without users there is nothing to log in to; who is logged in is told", async () => {
  serve({ "GET /api/v1/me": () => ({ id: null, name: "local", role: "admin" }) });
  const view = renderAt("/login?to=/models", <Component />);
  expect(await screen.findByText(/has no users/)).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Go on" })).toHaveAttribute("href", "/models");
  view.unmount();
  serve({ "GET /api/v1/me": () => ({ id: "u", name: "ed", role: "editor" }) });
  renderAt("/login", <Component />);
  expect(await screen.findByText("You are logged in as ed.")).toBeInTheDocument();
});

test("the way out ends the socket, then the session", async () => {
  const { asked } = serve({
    "GET /api/v1/me": () => ({ id: "u", name: "ed", role: "editor" }),
    "POST /api/v1/logout": () => new Response(null, { status: 204 }),
  });
  const { router } = renderAt("/", <UserMenu />);
  await screen.findByRole("button", { name: "Account of ed" });
  HTMLElement.prototype.hidePopover ??= () => {};
  fireEvent.click(screen.getByRole("menuitem", { name: "Log out", hidden: true }));
  await waitFor(() => expect(router.state.location.pathname).toBe("/login"));
  expect(socket.disconnect).toHaveBeenCalled();
  expect(asked.some(({ path }) => path === "/api/v1/logout")).toBe(true);
});
