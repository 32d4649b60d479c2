import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import type { Handlers } from "@/api/socket";
import { problem, renderAt, serve } from "@/test/render";
import { Component } from "./ModelsPage";

let heard: Handlers = {};
vi.mock("@/api/socket", () => ({
  listen: (_rooms: string[], handlers: Handlers) => {
    heard = handlers;
    return () => {};
  },
}));

const models = [
  { name: "demo", provider: "native", architecture: "sd1", bytes: 13_452_126, width: 128, height: 128, loaded: true },
  { name: "broken", provider: "native", problem: "its unet is missing" },
];
const task = {
  id: "t",
  kind: "pull",
  model: "a/b",
  status: "running",
  done: 1,
  total: 4,
  created_at: "2026-11-21T21:00:00Z",
};
const answers = (role = "admin") => ({
  "GET /api/v1/me": () => ({ id: "u", name: "anna", role }),
  "GET /api/v1/models": () => ({ items: models }),
  "GET /api/v1/model-tasks": () => ({ items: [] as object[] }),
});

test("a broken model says why and is not offered for drawing", async () => {
  serve(answers());
  renderAt("/models", <Component />);
  expect(await screen.findByText(/its unet is missing/)).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Draw with demo" })).toHaveAttribute("href", "/?model=demo");
  expect(screen.queryByRole("link", { name: "Draw with broken" })).toBeNull();
});

test("events move a download, its end is said, and it is begun again after a failure", async () => {
  const { asked } = serve({
    ...answers(),
    "GET /api/v1/model-tasks": () => ({ items: [task] }),
    "POST /api/v1/model-tasks": () => ({ ...task, id: "t2" }),
  });
  renderAt("/models", <Component />);
  const bar = await screen.findByRole("progressbar", { name: "Download of a/b" });
  expect(bar).toHaveAttribute("aria-valuenow", "25");
  const tell = (news: object) => act(() => heard["model-task"]?.({ ...task, ...news } as never));
  tell({ done: 3 });
  await waitFor(() => expect(bar).toHaveAttribute("aria-valuenow", "75"));
  tell({ status: "failed", error: { code: "io", message: "the hub hung up" } });
  await waitFor(() => expect(screen.getAllByText("the hub hung up")).toHaveLength(2)); // in its place, and as news
  fireEvent.click(screen.getByRole("button", { name: "Go on: Download of a/b" }));
  await waitFor(() =>
    expect(asked.some(({ body }) => JSON.stringify(body) === '{"kind":"pull","model":"a/b"}')).toBe(true),
  );
});

test("a server that can do neither says so", async () => {
  serve({ ...answers("viewer"), "GET /api/v1/model-tasks": () => problem(503, "unavailable", "not now") });
  renderAt("/models", <Component />);
  expect(await screen.findByText(/cannot download or check models/)).toBeInTheDocument();
  expect(screen.getByText("Only an admin may download and check models.")).toBeInTheDocument();
});

test("details compute a digest and begin a check", async () => {
  serve({
    ...answers(),
    "GET /api/v1/models/demo/digest": () => ({ name: "demo", digest: "ab12" }),
    "POST /api/v1/model-tasks": () => ({
      ...task,
      kind: "verify",
      model: "demo",
      status: "succeeded",
      detail: "4 files",
    }),
  });
  renderAt("/models?model=demo", <Component />);
  const drawer = await screen.findByRole("dialog", { name: "demo" });
  fireEvent.click(await within(drawer).findByRole("button", { name: "Compute" }));
  expect(await within(drawer).findByText("ab12")).toBeInTheDocument();
  fireEvent.click(within(drawer).getByRole("button", { name: "Check its files" }));
  expect(await within(drawer).findByText("Done · 4 files")).toBeInTheDocument();
});

test("a download is refused where it was asked for", async () => {
  serve({
    ...answers(),
    "GET /api/v1/models": () => ({ items: [] }),
    "POST /api/v1/model-tasks": () =>
      problem(422, "invalid", "one part", [{ pointer: "/model", expected: "a repository of the hub" }]),
    "POST /api/v1/models/refresh": () => ({ items: [] }),
  });
  renderAt("/models", <Component />);
  expect(await screen.findByText(/No model is installed/)).toBeInTheDocument();
  fireEvent.click(screen.getByRole("button", { name: "Look again" }));
  expect(await screen.findByText("0 models are here.")).toBeInTheDocument();
  fireEvent.change(screen.getByLabelText("Repository"), { target: { value: "a/b" } });
  fireEvent.click(screen.getByRole("button", { name: "Download" }));
  expect(await screen.findByText("a repository of the hub")).toBeInTheDocument();
});
