import { fireEvent, screen } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { renderAt, serve } from "@/test/render";
import { originOf } from "./address";
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

test("an address is added once, and not this server's own", async () => {
  serve({
    "GET /api/v1/discovery": () => ({ available: false, announced: false, detail: "no Avahi", self, items: [] }),
  });
  renderAt("/settings", <ServersPanel />);
  expect(await screen.findByText(/does not listen for others: no Avahi/)).toBeInTheDocument();
  const add = (address: string) => {
    fireEvent.change(screen.getByLabelText("Add a server"), { target: { value: address } });
    fireEvent.click(screen.getByRole("button", { name: "Add" }));
  };
  add("attic:8000");
  expect(useServers.getState().known).toEqual([
    expect.objectContaining({ url: "http://attic:8000", name: "attic:8000" }),
  ]);
  add("http://attic:8000/gallery");
  expect(screen.getByText("It is in the list already.")).toBeInTheDocument();
  add(location.origin);
  expect(screen.getByText("That is the server you are using.")).toBeInTheDocument();
});
