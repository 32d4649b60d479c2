import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { problem, renderAt, serve } from "@/test/render";
import { numberOf, usedShare } from "./health";
import { Component } from "./SystemPage";

const answers = {
  "GET /version": () => ({ name: "cauldron", version: "0.1.0", api: "0.1.0", build: null }),
  "GET /api/v1/providers": () => ({
    items: [{ name: "native", version: "1", available: false, detail: "no kernels", models: 1 }],
  }),
  "GET /api/v1/workers": () => ({ items: [] }),
  "GET /api/v1/hardware": () => ({
    os: "Linux",
    cpu: { model: "EPYC", cores: 2, features: ["avx2"], isa: "avx2" },
    memory: { total: 100, available: 25 },
    devices: [{ name: "cpu", slots: 1, threads: 2, models: 1, models_bytes: 2000, memory_total: 100, memory_free: 1 }],
  }),
};

test("a server that is not ready says what is missing", async () => {
  const checks = [
    { name: "database", ok: false, detail: "the disk is full", seconds: 0.1 },
    { name: "moon", ok: true, seconds: 0 },
  ];
  serve({ ...answers, "GET /readyz": () => Response.json({ status: "unavailable", checks }, { status: 503 }) });
  renderAt("/system", <Component />);
  expect(await screen.findByText("Something that this server needs does not work.")).toBeInTheDocument();
  expect(screen.getByText("the disk is full")).toBeInTheDocument();
  expect(screen.getByText("moon: works")).toBeInTheDocument();
  expect(screen.getByText("under 1 ms")).toBeInTheDocument();
  expect(await screen.findByText(/No worker was heard of/)).toBeInTheDocument();
  expect(await screen.findByText("no kernels")).toBeInTheDocument();
  expect(await screen.findByText("1 picture at a time · 2 threads · 1 model in memory (2.0 kB)")).toBeInTheDocument();
  expect(screen.getByRole("meter", { name: "Memory" })).toHaveAttribute("aria-valuenow", "75");
});

test("a section that cannot be asked leaves the others alone", async () => {
  serve({
    ...answers,
    "GET /readyz": () => problem(429, "slower", "slower, please"),
    "GET /api/v1/workers": () => ({
      items: [{ id: "w", host: "attic", busy: 1, slots: 2, models: ["demo"], finished: 3, steps_per_second: 1.5 }],
    }),
  });
  renderAt("/system", <Component />);
  const health = await screen.findByRole("region", { name: "Health" });
  expect(await within(health).findByText("slower, please")).toBeInTheDocument();
  const workers = screen.getByRole("region", { name: "Workers" });
  expect(await within(workers).findByText("1 of 2")).toBeInTheDocument();
  expect(within(workers).getByText(/3 drawn, 0 failed · 1.5 steps a second/)).toBeInTheDocument();
  expect(within(workers).getByText(/demo/)).toBeInTheDocument();
});

test("shares of a memory", () => {
  expect(usedShare(100, 25)).toBe(0.75);
  expect(usedShare(100, 200)).toBe(0);
  expect(usedShare(0, 1)).toBeUndefined();
  expect(usedShare(10, null)).toBeUndefined();
  expect(numberOf("3")).toBeUndefined();
});
