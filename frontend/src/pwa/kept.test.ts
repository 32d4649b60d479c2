import { expect, test } from "vitest";
import { kindOf } from "./kept";
import { bytesOf } from "./push";

test.each([
  ["GET", "/api/v1/generations/1/thumbnail", "no-cors", "picture"],
  ["GET", "/api/v1/generations/1/image", "no-cors", "picture"],
  ["GET", "/api/v1/generations/1", "cors", "read"],
  ["GET", "/api/v1/experiments/1/grid", "cors", "read"],
  ["GET", "/api/v1/experiments/1/export", "cors", "other"],
  ["GET", "/api/v1/users", "cors", "other"],
  ["POST", "/api/v1/generate", "cors", "other"],
  ["GET", "/gallery", "navigate", "page"],
  ["GET", "/experiments/1/grid", "navigate", "page"],
  ["GET", "/docs", "navigate", "other"],
  ["GET", "/api/v1/experiments/1/export", "navigate", "other"],
  ["GET", "/socket.io/", "cors", "other"],
])("%s %s (%s) is answered as %s", (method, path, mode, kind) => {
  expect(kindOf(method, path, mode)).toBe(kind);
});

test("base64url without padding", () => {
  expect([...bytesOf("_-8A")]).toEqual([255, 239, 0]);
});
