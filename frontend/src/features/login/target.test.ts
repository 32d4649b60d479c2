import { expect, test } from "vitest";
import { targetOf } from "./target";

test("a login leads back into the app only", () => {
  expect(targetOf("/gallery?tags=a&view=1")).toBe("/gallery?tags=a&view=1");
  expect(targetOf(null)).toBe("/");
  expect(targetOf("https://evil.example/")).toBe("/");
  expect(targetOf("//evil.example/x")).toBe("/");
  expect(targetOf("/\\evil.example/x")).toBe("/");
  expect(targetOf("/login?to=/login")).toBe("/");
});
