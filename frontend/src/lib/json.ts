// Reads JSON and remembers where each part stood, so that problems can be shown at their lines. Whole numbers that a
// double cannot hold (large seeds) become decimal texts, which specs take as well.
export class JsonError extends Error {
  constructor(
    readonly problem: "unexpected" | "end" | "string" | "number" | "twice",
    readonly offset: number,
  ) {
    super(problem);
  }
}

export interface Located {
  value: unknown;
  /** JSON pointer to the offset of the value. */
  places: Map<string, number>;
}

const deepest = 64;
const escaped: Record<string, string> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\", "/": "/" };
export const pointerPart = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");

class Reader {
  at = 0;
  readonly places = new Map<string, number>();
  constructor(private readonly text: string) {}

  fail(problem: JsonError["problem"] = "unexpected"): never {
    throw new JsonError(this.at >= this.text.length ? "end" : problem, this.at);
  }
  skip(): void {
    while (" \t\n\r".includes(this.text[this.at] ?? "x")) this.at++;
  }
  take(symbol: string): boolean {
    this.skip();
    if (!this.text.startsWith(symbol, this.at)) return false;
    this.at += symbol.length;
    return true;
  }
  must(symbol: string): void {
    if (!this.take(symbol)) this.fail();
  }

  value(pointer: string, depth: number): unknown {
    this.skip();
    this.places.set(pointer, this.at);
    if (depth > deepest) this.fail();
    const first = this.text[this.at] ?? "";
    if (first === "{") return this.object(pointer, depth);
    if (first === "[") return this.list(pointer, depth);
    if (first === '"') return this.string();
    for (const [word, value] of [
      ["true", true],
      ["false", false],
      ["null", null],
    ] as const)
      if (this.take(word)) return value;
    return this.number();
  }

  object(pointer: string, depth: number): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    this.must("{");
    if (this.take("}")) return out;
    do {
      this.skip();
      const start = this.at;
      if (this.text[this.at] !== '"') this.fail();
      const key = this.string();
      if (Object.hasOwn(out, key)) throw new JsonError("twice", start);
      this.must(":");
      const value = this.value(`${pointer}/${pointerPart(key)}`, depth + 1);
      Object.defineProperty(out, key, { value, enumerable: true, writable: true, configurable: true });
    } while (this.take(","));
    this.must("}");
    return out;
  }

  list(pointer: string, depth: number): unknown[] {
    const out: unknown[] = [];
    this.must("[");
    if (this.take("]")) return out;
    do out.push(this.value(`${pointer}/${out.length}`, depth + 1));
    while (this.take(","));
    this.must("]");
    return out;
  }

  string(): string {
    let out = "";
    for (this.at++; ; this.at++) {
      const symbol = this.text[this.at];
      if (symbol === undefined) this.fail("string");
      if (symbol === '"') break;
      if (symbol < " ") this.fail("string");
      out += symbol === "\\" ? this.escape() : symbol;
    }
    this.at++;
    return out;
  }
  escape(): string {
    const symbol = this.text[++this.at] ?? "";
    if (symbol !== "u") return escaped[symbol] ?? this.fail("string");
    const digits = this.text.slice(this.at + 1, this.at + 5);
    if (!/^[0-9a-f]{4}$/i.test(digits)) this.fail("string");
    this.at += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  number(): number | string {
    const pattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    pattern.lastIndex = this.at;
    const [digits] = pattern.exec(this.text) ?? this.fail();
    if (!Number.isFinite(Number(digits))) this.fail("number");
    this.at += digits.length;
    return /^\d+$/.test(digits) && !Number.isSafeInteger(Number(digits)) ? digits : Number(digits);
  }
}

export function parseJson(text: string): Located {
  const reader = new Reader(text);
  const value = reader.value("", 0);
  reader.skip();
  if (reader.at < text.length) reader.fail();
  return { value, places: reader.places };
}

/** From 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < offset; i = text.indexOf("\n", i + 1)) line++;
  return line;
}

/** Where a pointer stands, or the nearest thing around it that is there. */
export function placeOf(places: Map<string, number>, pointer: string): number {
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf("/"))) {
    const found = places.get(at);
    if (found !== undefined) return found;
    if (!at) return 0;
  }
}
