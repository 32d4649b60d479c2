// A reporter of node:test for meson: one line per test, what went wrong as comments below it.
export default async function* tap(events) {
  let number = 0;
  const comment = (text) => String(text).replace(/^/gm, "# ");
  for await (const { type, data } of events) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    const error = data.details.error;
    // A suite counts for itself only when its own set-up or tear-down failed.
    if (data.details.type === "suite" && (!error || error.failureType === "subtestsFailed")) continue;
    number++;
    const skip = data.skip === undefined ? "" : ` # SKIP ${data.skip}`;
    yield `${error ? "not ok" : "ok"} ${number} - ${data.name.replaceAll("#", "")}${skip}\n`;
    if (error) yield `${comment(error.cause?.stack ?? error.stack ?? error.message ?? error)}\n`;
  }
  yield `1..${number}\n`;
}
