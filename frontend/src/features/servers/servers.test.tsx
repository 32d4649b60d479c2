import { fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { problem, renderAt, serve } from "@/test/render";
import { checkServer, isMixed, originOf } from "./address";
import { ServersPanel } from "./ServersPanel";
import { listed, useServers, withServer } from "./store";

beforeEach(() => useServers.setState({ known: [] }));

const self = { name: "Shadow Cauldron on desk", url: "http://desk:8000", version: "0.1.0" };
const attic = { name: "attic", url: "http://attic:8000/", version: "0.2.0", seen_at: "2026-11-21T21:00:00Z" };

test("addresses as people type them", () => {
  expect(originOf("attic:8000", "http:")).toBe("http://attic:8000");
  expect(originOf(" https://attic.local/gallery?x ", "http:")).toBe("https://attic.local");
  expect(originOf("192.168.1.5:8000", "https:")).toBe("https://192.168.1.5:8000");
  for (const wrong of ["", "two words", "ftp://attic", "http://"]) expect(originOf(wrong, "http:")).toBeUndefined();
  expect(isMixed("http://attic", "https:")).toBe(true);
  expect(isMixed("http://attic", "http:")).toBe(false);
});

test("a server is asked who it is", async () => {
  serve({ "GET /version": () => ({ name: "cauldron", version: "0.1.0" }) });
  expect(await checkServer("http://attic:8000")).toEqual({
    kind: "cauldron",
    answer: { name: "attic:8000", version: "0.1.0" },
  });
  serve({ "GET /version": () => ({ name: "nginx", version: "1" }) });
  expect(await checkServer("http://attic:8000")).toEqual({ kind: "other" });
  serve({ "GET /version": () => problem(500, "internal", "x") });
  expect(await checkServer("http://attic:8000")).toEqual({ kind: "other" });
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("blocked")));
  expect(await checkServer("http://attic:8000")).toEqual({ kind: "silent" });
});

test("what is heard is news of what is known, under the name that the user gave", () => {
  const known = [{ url: "http://attic:8000", name: "the attic" }];
  expect(withServer(known, { url: "http://attic:8000", name: "x", version: "2" })).toEqual([
    { url: "http://attic:8000", name: "the attic", version: "2" },
  ]);
  const [one, other] = listed(known, [attic, { name: "cellar", url: "http://cellar", version: null }]);
  expect(one).toMatchObject({ name: "the attic", version: "0.2.0", isKnown: true, isHeard: true });
  expect(other).toMatchObject({ name: "cellar", isKnown: false });
});

test("servers heard are shown, remembered, renamed and forgotten", async () => {
  serve({
    "GET /api/v1/discovery": () => ({ available: true, announced: false, detail: "loopback", self, items: [attic] }),
  });
  renderAt("/settings", <ServersPanel />);
  expect(await screen.findByText(/Others cannot find this server: loopback/)).toBeInTheDocument();
  fireEvent.click(screen.getByRole("button", { name: "Remember attic" }));
  fireEvent.click(screen.getByRole("button", { name: "Rename attic" }));
  fireEvent.change(screen.getByRole("textbox", { name: "Name" }), { target: { value: "up there" } });
  fireEvent.click(screen.getByRole("button", { name: "Save" }));
  expect(screen.getByRole("link", { name: "Open up there" })).toHaveAttribute("href", "http://attic:8000");
  fireEvent.click(screen.getByRole("button", { name: "Forget up there" }));
  expect(useServers.getState().known).toEqual([]);
});

test("one that answers is added with its version, one that is no Cauldron is not", async () => {
  let name = "nginx";
  serve({
    "GET /api/v1/discovery": () => ({ available: false, announced: false, detail: "no Avahi", self, items: [] }),
    "GET /version": () => ({ name, version: "0.3.0" }),
  });
  renderAt("/settings", <ServersPanel />);
  expect(await screen.findByText(/does not listen for others: no Avahi/)).toBeInTheDocument();
  fireEvent.change(screen.getByLabelText("Add a server"), { target: { value: "attic:8000" } });
  fireEvent.click(screen.getByRole("button", { name: "Check and add" }));
  expect(await screen.findByText(/it is not Shadow Cauldron/)).toBeInTheDocument();
  name = "cauldron";
  fireEvent.click(screen.getByRole("button", { name: "Check and add" }));
  await waitFor(() => expect(useServers.getState().known[0]).toMatchObject({ name: "attic:8000", version: "0.3.0" }));
});
