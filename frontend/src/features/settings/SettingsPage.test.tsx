import { fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { install, installWay, useInstall } from "@/pwa/install";
import { useOutbox } from "@/pwa/outbox";
import { useSettings } from "@/store/settings";
import { problem, renderAt, serve } from "@/test/render";
import { Component } from "./SettingsPage";

const push = {
  state: "on",
  busy: false,
  error: undefined as unknown,
  enable: vi.fn(),
  disable: vi.fn(),
  test: vi.fn(),
};
vi.mock("@/pwa/push", () => ({ usePush: () => push }));

beforeEach(() => {
  push.state = "on";
  serve({ "GET /api/v1/discovery": () => problem(503, "unavailable", "not now") });
});

test("the look is set", () => {
  renderAt("/settings", <Component />);
  fireEvent.click(screen.getByRole("radio", { name: "Dark" }));
  fireEvent.change(screen.getByRole("slider", { name: /Cells/ }), { target: { value: "192" } });
  fireEvent.change(screen.getByRole("slider", { name: /Tiles/ }), { target: { value: "256" } });
  fireEvent.click(screen.getByRole("checkbox", { name: "Live previews" }));
  expect(useSettings.getState()).toMatchObject({ theme: "dark", cellSize: 192, tileSize: 256, previews: false });
});

test("a message is sent to try it, and its refusal is said", async () => {
  push.test.mockResolvedValueOnce({ status: 201 }).mockResolvedValueOnce({ status: 410, detail: "gone" });
  renderAt("/settings", <Component />);
  const button = screen.getByRole("button", { name: "Send one to try it" });
  fireEvent.click(button);
  expect(await screen.findByText(/should arrive in a moment/)).toBeInTheDocument();
  fireEvent.click(button);
  expect(await screen.findByText("It answered 410. gone")).toBeInTheDocument();
  fireEvent.click(screen.getByRole("button", { name: "Turn off" }));
  expect(push.disable).toHaveBeenCalledOnce();
});

test("they are turned on where they are off", () => {
  push.state = "off";
  renderAt("/settings", <Component />);
  fireEvent.click(screen.getByRole("button", { name: "Turn on" }));
  expect(push.enable).toHaveBeenCalledOnce();
});

test("what waits to be sent is dropped only after a question", async () => {
  const waiting = [{ id: "1", at: 0, method: "PATCH" as const, path: "/x", body: {} }];
  useOutbox.setState({ waiting });
  renderAt("/settings", <Component />);
  expect(screen.getByText("1 change")).toBeInTheDocument();
  fireEvent.click(screen.getByRole("button", { name: "Drop them" }));
  const question = await screen.findByRole("alertdialog", { name: "Drop 1 change that was not sent?" });
  fireEvent.click(question.querySelectorAll("button")[1] as HTMLElement);
  await waitFor(() => expect(useOutbox.getState().waiting).toEqual([]));
});

test("ways to install", async () => {
  const about = { standalone: false, secure: true, prompt: false, agent: "Firefox" };
  expect(installWay(about)).toBe("menu");
  expect(installWay({ ...about, agent: "iPhone" })).toBe("ios");
  expect(installWay({ ...about, prompt: true })).toBe("prompt");
  expect(installWay({ ...about, secure: false, prompt: true })).toBe("insecure");
  expect(installWay({ ...about, standalone: true })).toBe("installed");
  const prompt = { prompt: vi.fn().mockResolvedValue(undefined), userChoice: Promise.resolve({ outcome: "accepted" }) };
  useInstall.setState({ prompt: prompt as never });
  await install();
  expect(useInstall.getState()).toMatchObject({ prompt: undefined, installed: true });
});
