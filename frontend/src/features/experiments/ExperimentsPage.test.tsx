import { QueryClient } from "@tanstack/react-query";
import { configure, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Experiment } from "@/api/client";
import { problem, renderAt, serve } from "@/test/render";
import { Component } from "./ExperimentsPage";
import { exampleNames, exampleSpec, isExample } from "./examples";
import { editListed, ended, filterOf, type ProgressEvent, withProgress } from "./queries";

configure({ asyncUtilTimeout: 10_000 });
const heard = vi.hoisted(() => ({ handlers: {} as Record<string, (payload: unknown) => void> }));
vi.mock("@/api/socket", () => ({
  listen: (_rooms: string[], handlers: Record<string, (payload: unknown) => void>) => {
    heard.handlers = handlers;
    return () => {};
  },
}));

const run = {
  id: "r1",
  experiment_id: "e1",
  number: 1,
  status: "running",
  total: 10,
  completed: 2,
  failed: 1,
  cancelled: 0,
  impossible: 1,
  reused: 0,
  eta_seconds: 30,
};
const experiment = (more: object = {}) =>
  ({
    id: "e1",
    name: "Samplers",
    type: "convergence",
    status: "running",
    config: { version: 1, type: "convergence" },
    run,
    runs: 2,
    created_at: "2026-11-21T20:00:00Z",
    updated_at: "2026-11-21T20:00:00Z",
    url: "",
    ...more,
  }) as Experiment;

function open(items: Experiment[], address = "/experiments", answers: Parameters<typeof serve>[0] = {}) {
  const server = serve({
    "GET /api/v1/experiments": ({ query }) => ({
      items: items.filter((one) => one.name.includes(query.get("q") ?? "")),
      next_cursor: null,
    }),
    "GET /api/v1/generations": () => ({ items: [], next_cursor: null }),
    "GET /api/v1/models": () => ({ items: [{ name: "demo", provider: "native" }] }),
    "POST /api/v1/experiments": () => experiment({ id: "made" }),
    "GET /api/v1/experiments/:id/spec": () => ({ version: 1 }),
    ...answers,
  });
  return { ...server, ...renderAt(address, <Component />) };
}

beforeEach(() => {
  heard.handlers = {};
});

describe("the list of experiments", { timeout: 30_000 }, () => {
  it("teaches where there is none, and draws an example", async () => {
    const { asked, router } = open([]);
    await screen.findByText("Find out what makes good pictures");
    const draw = screen.getAllByRole("button", { name: "Draw it" })[0] as HTMLElement;
    await waitFor(() => expect(draw).toBeEnabled());
    fireEvent.click(draw);
    await waitFor(() => expect(router.state.location.pathname).toBe("/experiments/made"));
    expect(asked.find((one) => one.method === "POST")?.body).toMatchObject({
      start: true,
      spec: { type: "convergence" },
    });
  });

  it("shows how far a run is, and hears how it goes on", async () => {
    open([experiment()]);
    expect(await screen.findByText(/4 of 10 · 30 s left|4 of 10 · · 30 s left|4 of 10/)).toBeInTheDocument();
    expect(screen.getByText(/1 failed · 1 impossible · 2 runs/)).toBeInTheDocument();
    await waitFor(() => expect(heard.handlers["experiment:e1:progress"]).toBeDefined());
    heard.handlers["experiment:e1:progress"]?.({
      ...run,
      experiment_id: "e1",
      run_id: "r1",
      completed: 7,
      latest_image: { generation_id: "g", url: "", thumbnail_url: "/t?size=256" },
    });
    expect(await screen.findByText(/9 of 10/)).toBeInTheDocument();
    heard.handlers["experiment:e1:progress"]?.({
      ...run,
      experiment_id: "e1",
      run_id: "r1",
      status: "completed",
      latest_image: null,
    });
    await waitFor(() => expect(screen.queryByText(/of 10/)).not.toBeNull());
  });

  it("filters by what the address says", async () => {
    const { asked, router } = open([experiment()], "/experiments?q=Sam&type=convergence&status=nonsense");
    await screen.findByRole("link", { name: "Samplers" });
    const query = asked.find((one) => one.path === "/api/v1/experiments")?.query;
    expect([query?.get("q"), query?.get("type"), query?.get("status")]).toEqual(["Sam", "convergence", null]);
    fireEvent.change(screen.getByLabelText("Search names"), { target: { value: "nothing like it" } });
    await screen.findByText("No experiment is like that");
    expect(router.state.location.search).toContain("q=nothing");
    fireEvent.click(screen.getByRole("button", { name: "Clear the filter" }));
    await screen.findByRole("link", { name: "Samplers" });
    expect(screen.getByLabelText<HTMLInputElement>("Search names").value).toBe("");
    fireEvent.change(screen.getByLabelText("Status"), { target: { value: "running" } });
    await waitFor(() => expect(router.state.location.search).toBe("?status=running"));
  });

  const menu = async (item: string) => {
    const user = userEvent.setup();
    await user.click(await screen.findByRole("button", { name: "Actions on Samplers" }));
    await screen.findByRole("menuitem", { name: item });
    await user.keyboard(`${item.slice(0, 3)}{Enter}`);
  };

  it("deletes, and takes that back", async () => {
    let there = [experiment()];
    const { asked } = open(there, "/experiments", {
      "GET /api/v1/experiments": () => ({ items: there, next_cursor: null }),
      "DELETE /api/v1/experiments/:id": () => {
        there = [];
        return new Response(null, { status: 204 });
      },
      "POST /api/v1/experiments/:id/restore": () => {
        there = [experiment()];
        return there[0];
      },
    });
    await menu("Delete");
    await waitFor(() => expect(screen.queryByRole("link", { name: "Samplers" })).toBeNull());
    fireEvent.click(await screen.findByText("Undo"));
    await screen.findByRole("link", { name: "Samplers" });
    expect(asked.some((one) => one.path === "/api/v1/experiments/e1/restore")).toBe(true);
  });

  it("puts back what the server will not delete, and says why", async () => {
    open([experiment()], "/experiments", {
      "DELETE /api/v1/experiments/:id": () => problem(409, "conflict", "it is running; cancel it first"),
    });
    await menu("Delete");
    expect(await screen.findByText("it is running; cancel it first")).toBeInTheDocument();
    expect(screen.getByRole("link", { name: "Samplers" })).toBeInTheDocument();
  });

  it("opens drafts in the builder and exports from the menu", async () => {
    const { asked } = open([experiment({ status: "draft", run: null, runs: 0 })]);
    const link = await screen.findByRole("link", { name: "Samplers" });
    expect(link).toHaveAttribute("href", "/experiments/e1/edit");
    expect(within(link.closest("li") as HTMLElement).getByText(/Not started yet/)).toBeInTheDocument();
    await menu("Export JSON");
    await waitFor(() => expect(asked.some((one) => one.path.endsWith("/spec"))).toBe(true));
  });

  it("clones into the builder", async () => {
    const { router } = open([experiment()]);
    await menu("Clone");
    await waitFor(() => expect(router.state.location.search).toBe("?clone=e1"));
  });

  it("answers to keys", async () => {
    const { router } = open([experiment(), experiment({ id: "e2", name: "Second" })]);
    await screen.findByRole("link", { name: "Second" });
    fireEvent.keyDown(document.body, { key: "ArrowDown" });
    expect(screen.getByRole("link", { name: "Samplers" })).toHaveFocus();
    fireEvent.keyDown(document.body, { key: "ArrowDown" });
    expect(screen.getByRole("link", { name: "Second" })).toHaveFocus();
    fireEvent.keyDown(document.body, { key: "ArrowUp" });
    expect(screen.getByRole("link", { name: "Samplers" })).toHaveFocus();
    fireEvent.keyDown(document.body, { key: "/" });
    expect(screen.getByLabelText("Search names")).toHaveFocus();
    fireEvent.keyDown(document.body, { key: "n" });
    await waitFor(() => expect(router.state.location.pathname).toBe("/experiments/new"));
  });
});

describe("what is cached of the list", () => {
  it("follows events of the run it knows", () => {
    const event = {
      ...run,
      experiment_id: "e1",
      run_id: "r1",
      status: "paused",
      completed: 5,
      latest_image: null,
    } as ProgressEvent;
    expect(withProgress(experiment(), event)).toMatchObject({ status: "paused", run: { completed: 5, number: 1 } });
    expect(withProgress(experiment(), { ...event, run_id: "other" }).run?.completed).toBe(2);
    expect(ended(experiment().run as never)).toBe(4);
  });

  it("takes out, changes, and leaves alone", () => {
    const client = new QueryClient();
    const pages = { pages: [{ items: [experiment()], next_cursor: null }], pageParams: [""] };
    client.setQueryData(["experiments", {}], pages);
    editListed(client, "nobody", () => undefined);
    expect(client.getQueryData(["experiments", {}])).toBe(pages);
    editListed(client, "e1", (one) => ({ ...one, name: "new" }));
    expect(client.getQueryData(["experiments", {}])).toMatchObject({ pages: [{ items: [{ name: "new" }] }] });
    editListed(client, "e1", () => undefined);
    expect(client.getQueryData(["experiments", {}])).toMatchObject({ pages: [{ items: [] }] });
  });

  it("reads the filter and the examples by name", () => {
    expect(filterOf(new URLSearchParams("type=cfg&status=draft&q= x "))).toEqual({
      type: "cfg",
      status: "draft",
      q: "x",
    });
    expect(filterOf(new URLSearchParams("type=x"))).toEqual({});
    expect(isExample("steps") && !isExample("nothing") && !isExample(null)).toBe(true);
    for (const name of exampleNames) expect(exampleSpec(name, "m").base?.model).toBe("m");
  });
});
