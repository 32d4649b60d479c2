import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useOutbox } from "@/pwa/outbox";
import { problem, renderAt, serve } from "@/test/render";
import { Component as JudgePage } from "./JudgePage";
import { Component as JudgePanel } from "./JudgePanel";
import { useSeat } from "./store";

vi.setConfig({ testTimeout: 20_000 });
beforeEach(() => {
  localStorage.clear();
  useSeat.setState({ last: undefined, reveal: false });
  useOutbox.setState({ waiting: [], refused: [] });
});
afterEach(() => vi.unstubAllGlobals());

const side = (id: string, sampler: string) => ({
  generation_id: id,
  image: { url: `/${id}.png` },
  axes: { sampler, prompt: "p" },
});
const pair = (n: number) => ({
  left: side(`l${n}`, "euler"),
  right: side(`r${n}`, "heun"),
  prompt: "a red circle",
  differs: ["sampler"],
});
const experiment = {
  id: "e",
  name: "Samplers",
  status: "completed",
  config: {},
  runs: 1,
  updated_at: "2026-01-01T00:00:00Z",
  run: { id: "r", number: 1, completed: 4, total: 4 },
};
const base = {
  "GET /api/v1/me": () => ({ name: "local", role: "admin" }),
  "GET /api/v1/experiments/e": () => experiment,
  "GET /api/v1/experiments": () => ({
    items: [experiment, { ...experiment, id: "d", name: "Draft", run: null }],
    next_cursor: null,
  }),
  "GET /api/v1/experiments/e/grid": () => ({
    run: experiment.run,
    items: [],
    next_cursor: null,
    axes: ["sampler", "steps"].map((name) => ({ name, parameter: name, values: [{ label: "1" }, { label: "2" }] })),
  }),
  "GET /api/v1/experiments/e/pairs": () => ({ items: [pair(1), pair(2)], remaining: 2, judged: 5 }),
  "POST /api/v1/votes": () => Response.json({}, { status: 201 }),
  "DELETE /api/v1/votes/:id": () => new Response(null, { status: 204 }),
};
const show = (answers: Record<string, () => unknown> = {}, address = "/experiments/e/judge") => {
  const served = serve({ ...base, ...answers });
  return { ...served, ...renderAt(address, <JudgePanel />, "/experiments/:id/judge") };
};

describe("judging", () => {
  it("by keys, with labels hidden, to the end, and back", async () => {
    const user = userEvent.setup();
    const { asked } = show();
    expect(await screen.findByText("5 judged, 2 pairs left")).toBeInTheDocument();
    expect(document.body.textContent).not.toMatch(/euler|heun/);
    await user.keyboard("{ArrowLeft}");
    expect(await screen.findByText("6 judged, 1 pair left")).toBeInTheDocument();
    await user.keyboard("{ArrowUp}");
    expect(await screen.findByText("All pairs are judged")).toBeInTheDocument();
    await waitFor(() => expect(asked.filter(({ method }) => method === "POST").length).toBe(2));
    const [first, second] = asked
      .filter(({ method }) => method === "POST")
      .map(({ body }) => body as Record<string, unknown>);
    expect(first).toMatchObject({ left: "l1", right: "r1", choice: "left" });
    expect(second).toMatchObject({ left: "l2", right: "r2", choice: "tie" });
    expect(String(first?.id)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    await user.click(screen.getByRole("button", { name: "Undo" }));
    expect(await screen.findByText("6 judged, 1 pair left")).toBeInTheDocument();
    await waitFor(() =>
      expect(asked.at(-1)).toMatchObject({ method: "DELETE", path: `/api/v1/votes/${String(second?.id)}` }),
    );
  });

  it("says afterwards what they were, when that is wanted", async () => {
    const user = userEvent.setup();
    show();
    await screen.findByText("5 judged, 2 pairs left");
    useSeat.setState({ reveal: true });
    await user.click(screen.getByRole("button", { name: "Picture B is better" }));
    expect(await screen.findByText(/A: Sampler euler\. B: Sampler heun\./)).toBeInTheDocument();
  });

  it("a vote that is refused comes back with the reason", async () => {
    const user = userEvent.setup();
    show({ "POST /api/v1/votes": () => problem(409, "conflict", "The cell was deleted.") });
    await screen.findByText("5 judged, 2 pairs left");
    await user.keyboard("{ArrowRight}");
    expect(await screen.findByText("The cell was deleted.")).toBeInTheDocument();
    expect(screen.getByText("5 judged, 2 pairs left")).toBeInTheDocument();
  });

  it("a vote without a connection waits in the outbox", async () => {
    const user = userEvent.setup();
    show({
      "POST /api/v1/votes": () => {
        throw new TypeError("no network");
      },
    });
    await screen.findByText("5 judged, 2 pairs left");
    await user.keyboard("{ArrowDown}");
    expect(await screen.findByText("6 judged, 1 pair left")).toBeInTheDocument();
    await waitFor(() => expect(useOutbox.getState().waiting.map(({ path }) => path)).toEqual(["/api/v1/votes"]));
  });

  it("a swipe is a vote, a short path is none", async () => {
    const { asked } = show();
    const picture = await screen.findByRole("button", { name: "Picture A is better" });
    const touch = { pointerType: "touch", pointerId: 1 };
    const path = (dx: number) => {
      fireEvent(
        picture,
        Object.assign(new MouseEvent("pointerdown", { bubbles: true, clientX: 100, clientY: 100 }), touch),
      );
      fireEvent(
        picture,
        Object.assign(new MouseEvent("pointerup", { bubbles: true, clientX: 100 + dx, clientY: 100 }), touch),
      );
    };
    path(20);
    path(-90);
    await waitFor(() => expect(asked.find(({ method }) => method === "POST")?.body).toMatchObject({ choice: "left" }));
  });

  it("axes that may differ go into the address, at least one of them", async () => {
    const user = userEvent.setup();
    const { router, asked } = show();
    await screen.findByText("5 judged, 2 pairs left");
    await user.click(screen.getByRole("button", { name: "Options" }));
    await user.click(await screen.findByRole("checkbox", { name: "Steps" }));
    await waitFor(() => expect(router.state.location.search).toBe("?axes=sampler"));
    await waitFor(() => expect(asked.some(({ query }) => query.get("axes") === "sampler")).toBe(true));
    await user.click(await screen.findByRole("checkbox", { name: "Sampler" }));
    expect(router.state.location.search).toBe("?axes=sampler");
  });

  it("viewers look, and are told why they cannot vote", async () => {
    show({ "GET /api/v1/me": () => ({ id: "u", name: "eve", role: "viewer" }) });
    expect(await screen.findByText(/needs the role editor/)).toBeInTheDocument();
  });

  it("a server that cannot answer says so, and is asked again", async () => {
    const user = userEvent.setup();
    let broken = true;
    show({
      "GET /api/v1/experiments/e/pairs": () =>
        broken ? problem(500, "internal", "It broke.") : base["GET /api/v1/experiments/e/pairs"](),
    });
    expect(await screen.findByText("It broke.")).toBeInTheDocument();
    broken = false;
    await user.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByText("5 judged, 2 pairs left")).toBeInTheDocument();
  });
});

it("scores are dots with intervals and words on what is not sure yet", async () => {
  const user = userEvent.setup();
  const value = (label: string, strength: number) => ({
    label,
    value: label,
    votes: 9,
    wins: 5,
    losses: 3,
    ties: 1,
    strength,
    low: strength - 1,
    high: strength + 1,
    win_rate: 0.6,
  });
  const { asked, router } = show(
    {
      "GET /api/v1/experiments/e/scores": () => ({
        votes: 9,
        skipped: 1,
        judges: 2,
        axes: [{ name: "sampler", votes: 9, values: [value("heun", 0.5), value("euler", -0.5)] }],
      }),
    },
    "/experiments/e/judge?show=scores",
  );
  expect(await screen.findByText("9 votes; judges: 2; skipped: 1.")).toBeInTheDocument();
  expect(screen.getByText(/heun leads euler, which may be chance: about 9 more votes/)).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Table" }));
  expect(screen.getAllByText("5 / 3 / 1").length).toBe(2);
  await user.selectOptions(screen.getByLabelText("Whose votes count"), "me");
  expect(router.state.location.search).toContain("by=me");
  await waitFor(() => expect(asked.at(-1)?.query.get("by")).toBe("me"));
});

describe("the page of all juries", () => {
  const showPage = (answers: Record<string, () => unknown> = {}, address = "/judge") => {
    const served = serve({ ...base, ...answers });
    return { ...served, ...renderAt(address, <JudgePage />) };
  };
  it("offers what has pictures, and where one left", async () => {
    useSeat.setState({ last: "e" });
    showPage();
    expect(await screen.findByRole("link", { name: /Samplers/ })).toHaveAttribute("href", "/judge?experiment=e");
    expect(screen.queryByText("Draft")).toBeNull();
    expect(await screen.findByRole("link", { name: "Go on" })).toHaveAttribute("href", "/judge?experiment=e");
    await userEvent.click(screen.getByRole("button", { name: "Forget" }));
    expect(screen.queryByRole("link", { name: "Go on" })).toBeNull();
  });
  it("teaches the next step when there is nothing", async () => {
    showPage({ "GET /api/v1/experiments": () => ({ items: [], next_cursor: null }) });
    expect(await screen.findByRole("link", { name: "New experiment" })).toBeInTheDocument();
  });
  it("seats the jury", async () => {
    showPage({}, "/judge?experiment=e");
    expect(await screen.findByText("5 judged, 2 pairs left")).toBeInTheDocument();
    expect(useSeat.getState().last).toBe("e");
  });
});
