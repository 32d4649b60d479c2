import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import type { Job } from "@/api/client";
import { problem, renderAt, serve } from "@/test/render";
import { Component } from "./QueuePage";

vi.mock("@/api/socket", () => ({ listen: () => () => {} }));

const queue = {
  queued: 2,
  running: 0,
  delayed: 1,
  dead: 1,
  paused: false,
  by_priority: { interactive: 1, batch: 1 },
  oldest_seconds: 12,
  workers: 1,
};
const me = (role: string) => ({ id: "u", name: "ed", role });
const job = (id: string, more: Partial<Job> = {}): Job => ({
  id,
  status: "queued",
  priority: "batch",
  model: "demo",
  attempts: 1,
  max_attempts: 5,
  created_at: "2026-11-21T21:00:00Z",
  recipe: { prompt: `prompt ${id}`, steps: 4, width: 64, height: 64, sampler: "euler", seed: 7 },
  ...more,
});
const jobs = [
  job("a"),
  job("b", { run_after: "2026-11-21T22:00:00Z", run_id: "r" }),
  job("c", { status: "failed", dead: true, error: { code: "io", message: "the weights are gone" } }),
  job("d", { status: "succeeded", started_at: "2026-11-21T21:00:01Z", finished_at: "2026-11-21T21:00:03Z" }),
];
const answers = (role: string) => ({
  "GET /api/v1/me": () => me(role),
  "GET /api/v1/queue": () => queue,
  "GET /api/v1/experiments": () => ({ items: [{ id: "e", name: "steps", run: { id: "r" } }], next_cursor: null }),
  "GET /api/v1/jobs": () => ({ items: jobs, next_cursor: null }),
  "GET /api/v1/jobs/dead": () => ({ items: [jobs[2]], next_cursor: null }),
  "GET /api/v1/jobs/:id": () => job("b", { position: 3, run_after: "2026-11-21T22:00:00Z", run_id: "r" }),
});

test("jobs show their state, and what failed says why", async () => {
  serve(answers("admin"));
  renderAt("/queue", <Component />);
  expect(await screen.findByText("the weights are gone")).toBeInTheDocument();
  const table = screen.getByRole("table", { name: "Jobs" });
  expect(within(table).getByText("To be tried again")).toBeInTheDocument();
  expect(within(table).getByText("Done")).toBeInTheDocument();
  expect(screen.getByText("12 s")).toBeInTheDocument();
  fireEvent.click(screen.getByRole("button", { name: /^prompt b/ }));
  expect(await screen.findByText("3 jobs before it")).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "steps" })).toHaveAttribute("href", "/experiments/e");
});

test("a viewer changes nothing, an editor does not pause", async () => {
  serve(answers("viewer"));
  renderAt("/queue", <Component />);
  await screen.findByText("the weights are gone");
  expect(screen.queryByRole("button", { name: /Cancel|Try|Pause/ })).toBeNull();
  expect(screen.queryByRole("combobox", { name: /Priority of/ })).toBeNull();
});

test("a refused change of priority is taken back", async () => {
  serve({ ...answers("admin"), "PATCH /api/v1/jobs/:id": () => problem(409, "conflict", "it runs already") });
  renderAt("/queue", <Component />);
  const choice = await screen.findByRole("combobox", { name: "Priority of prompt a" });
  fireEvent.change(choice, { target: { value: "interactive" } });
  expect(await screen.findByText("it runs already")).toBeInTheDocument();
  await waitFor(() => expect(choice).toHaveValue("batch"));
});

test("a job is cancelled, a dead one tried again, the queue paused", async () => {
  let paused = false;
  const { asked } = serve({
    ...answers("admin"),
    "GET /api/v1/queue": () => ({ ...queue, paused }),
    "POST /api/v1/jobs/:id/cancel": () => job("a", { status: "cancelled" }),
    "POST /api/v1/jobs/:id/requeue": () => job("c"),
    "POST /api/v1/queue/pause": () => {
      paused = true;
      return { ...queue, paused };
    },
  });
  renderAt("/queue", <Component />);
  fireEvent.click(await screen.findByRole("button", { name: "Cancel prompt a" }));
  fireEvent.click(screen.getByRole("button", { name: "Try prompt c again" }));
  fireEvent.click(screen.getByRole("button", { name: "Pause the queue" }));
  expect(await screen.findByText(/The queue is paused/)).toBeInTheDocument();
  const posted = asked.filter(({ method }) => method === "POST").map(({ path }) => path);
  expect(posted.sort()).toEqual(["/api/v1/jobs/a/cancel", "/api/v1/jobs/c/requeue", "/api/v1/queue/pause"]);
});

test("a dead one is dismissed", async () => {
  const { asked } = serve({
    ...answers("admin"),
    "DELETE /api/v1/jobs/:id": () => new Response(null, { status: 204 }),
  });
  renderAt("/queue?status=dead", <Component />);
  fireEvent.click(await screen.findByRole("button", { name: /^Dismiss / }));
  expect(await screen.findByText(/It is off the list/)).toBeInTheDocument();
  expect(asked.find(({ method }) => method === "DELETE")?.path).toBe("/api/v1/jobs/c");
});

test("all that died are tried again, and what could not be is counted", async () => {
  serve({ ...answers("admin"), "POST /api/v1/jobs/:id/requeue": () => problem(409, "conflict", "it is back already") });
  renderAt("/queue?status=dead", <Component />);
  fireEvent.click(await screen.findByRole("button", { name: "Try all again" }));
  const question = await screen.findByRole("alertdialog", { name: "Try 1 job again?" });
  fireEvent.click(within(question).getByRole("button", { name: "Try all again" }));
  expect(await screen.findByText("1 could not be changed: it is back already")).toBeInTheDocument();
});

test("the server's refusal is shown with a way to try again", async () => {
  serve({ "GET /api/v1/jobs": () => problem(500, "internal", "the disk is full") });
  renderAt("/queue", <Component />);
  expect(await screen.findByText("the disk is full")).toBeInTheDocument();
  expect(screen.getAllByRole("button", { name: "Try again" }).length).toBeGreaterThan(0);
});
