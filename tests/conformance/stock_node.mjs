// The stock JavaScript client, socket.io-client: polling, WebSocket, and polling that is upgraded. Speaks TAP.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { io } = createRequire(new URL("../node/package.json", import.meta.url))("socket.io-client");
const WAYS = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] };

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function within(promise, what, ms = 10000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain: ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function startServer(...options) {
  const child = spawn(process.env.CONFORMANCE_SERVER, ["patient", ...options], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const port = Number((await lines.next()).value.split(" ")[1]);
  return {
    port,
    async tell(line) {
      child.stdin.write(`${line}\n`);
      return (await lines.next()).value;
    },
    async stop() {
      child.stdin.end();
      assert.equal(await within(ended, "the server's end", 30000), 0, "the server's exit status");
    },
  };
}

// A client that keeps what it gets; next() gives it in order.
class Client {
  constructor(server, way = "websocket", { namespace = "", ...options } = {}) {
    this.got = [];
    this.waiting = [];
    this.connects = 0;
    this.io = io(`http://127.0.0.1:${server.port}${namespace}`, {
      transports: WAYS[way],
      forceNew: true,
      reconnectionDelay: 100,
      reconnectionDelayMax: 300,
      ...options,
    });
    this.io.on("connect", () => this.connects++);
    this.io.onAny((...event) => {
      if (this.waiting.length) this.waiting.shift()(event);
      else this.got.push(event);
    });
  }
  next() {
    if (this.got.length) return this.got.shift();
    return within(new Promise((resolve) => this.waiting.push(resolve)), "an event");
  }
  once(event) {
    return within(new Promise((resolve) => this.io.once(event, resolve)), event);
  }
  ask(...event) {
    return this.io.timeout(10000).emitWithAck(...event);
  }
  close() {
    this.io.disconnect();
  }
}

async function open(...options) {
  const client = new Client(...options);
  client.first = await client.next();
  return client;
}

const cases = {
  async "gives the payload of connect"(server, way) {
    const client = await open(server, way, { auth: { token: "abc", n: [1, null, "é"] } });
    assert.deepEqual(client.first, ["auth", { token: "abc", n: [1, null, "é"] }]);
    return client;
  },
  async "is refused"(server, way) {
    const client = new Client(server, way, { auth: { token: "wrong" } });
    const error = await client.once("connect_error");
    assert.equal(error.message, "Not authorized");
    return client;
  },
  async "carries texts"(server, way) {
    const client = await open(server, way);
    client.io.emit("message", 1, "2", { 3: [true, null, 1.5] }, "🔮 é\u2028");
    assert.deepEqual(await client.next(), ["message-back", 1, "2", { 3: [true, null, 1.5] }, "🔮 é\u2028"]);
    return client;
  },
  async "carries binary both ways"(server, way) {
    const client = await open(server, way);
    const bytes = Buffer.alloc(200000, 7);
    client.io.emit("message", { a: Buffer.from([1, 2, 3]), b: [bytes] }, new Uint8Array(0));
    const [event, value, empty] = await client.next();
    assert.equal(event, "message-back");
    assert.deepEqual([...new Uint8Array(value.a)], [1, 2, 3]);
    assert.equal(Buffer.compare(Buffer.from(value.b[0]), bytes), 0);
    assert.equal(empty.byteLength, 0);
    return client;
  },
  async "carries many attachments"(server, way) {
    const client = await open(server, way);
    const list = Array.from({ length: 10 }, (_, i) => Buffer.from([i]));
    client.io.emit("message", list);
    const [, back] = await client.next();
    assert.deepEqual(back.map((b) => Buffer.from(b)[0]), list.map((b) => b[0]));
    return client;
  },
  async acknowledges(server, way) {
    const client = await open(server, way);
    assert.equal(await client.ask("message-with-ack", "x"), "x");
    assert.deepEqual([...new Uint8Array(await client.ask("message-with-ack", Buffer.from([9, 8])))], [9, 8]);
    return client;
  },
  async "keeps order"(server, way) {
    const client = await open(server, way);
    for (let i = 0; i < 300; i++) client.io.emit("message", i);
    for (let i = 0; i < 300; i++) assert.deepEqual(await client.next(), ["message-back", i]);
    return client;
  },
  async "stays through heartbeats"(server, way) {
    const client = await open(server, way);
    await sleep(1500);
    assert.equal(await client.ask("message-with-ack", 1), 1);
    assert.equal(client.connects, 1);
    return client;
  },
  async "has rooms"(server, way) {
    const client = await open(server, way);
    const other = await open(server, "upgrade");
    assert.equal(await client.ask("join", `room:${way}`), "joined");
    other.io.emit("say", `room:${way}`, "hello", Buffer.from([5]));
    const [event, text, bytes] = await client.next();
    assert.deepEqual([event, text, Buffer.from(bytes)[0]], ["said", "hello", 5]);
    other.io.emit("shout", "all");
    assert.deepEqual(await client.next(), ["said", "all"]);
    assert.deepEqual(await other.next(), ["said", "all"]);
    other.close();
    return client;
  },
  async "has namespaces"(server, way) {
    const client = await open(server, way, { namespace: "/custom" });
    client.io.emit("message", "custom");
    assert.deepEqual(await client.next(), ["message-back", "custom"]);
    const stranger = new Client(server, way, { namespace: "/nowhere" });
    assert.equal((await stranger.once("connect_error")).message, "Invalid namespace");
    stranger.close();
    return client;
  },
  async "shares one connection"(server, way) {
    const client = await open(server, way);
    const second = client.io.io.socket("/custom");
    await within(new Promise((resolve) => second.once("auth", resolve)), "auth");
    const back = new Promise((resolve) => second.once("message-back", resolve));
    second.emit("message", "two");
    assert.equal(await within(back, "message-back"), "two");
    second.disconnect();
    assert.equal(await client.ask("message-with-ack", "one"), "one");
    return client;
  },
  async "is kicked"(server, way) {
    const client = await open(server, way);
    client.io.emit("bye");
    assert.equal(await client.once("disconnect"), "io server disconnect");
    assert.equal(client.io.active, false);
    return client;
  },
  async "takes long payloads apart"(server, way) {
    const client = await open(server, way);
    const text = "x".repeat(400000);
    for (let i = 0; i < 5; i++) client.io.emit("message", i, text);
    for (let i = 0; i < 5; i++) assert.deepEqual((await client.next()).slice(0, 2), ["message-back", i]);
    return client;
  },
};

const alone = {
  async "polling becomes a WebSocket"() {
    const server = await startServer();
    const client = new Client(server, "upgrade");
    await client.next();
    const engine = client.io.io.engine;
    if (engine.transport.name !== "websocket")
      await within(new Promise((resolve) => engine.once("upgrade", resolve)), "the upgrade");
    assert.equal(await client.ask("message-with-ack", 1), 1);
    client.close();
    await server.stop();
  },
  async "the cookie says who asks"() {
    const server = await startServer();
    const client = await open(server, "polling", { extraHeaders: { Cookie: "a=b; session=alice" } });
    assert.equal(await client.ask("who"), "alice");
    client.close();
    await server.stop();
  },
  async "clients come back after a restart"() {
    const server = await startServer();
    const clients = await Promise.all(Object.keys(WAYS).map((way) => open(server, way)));
    const gone = clients.map((client) => client.once("disconnect"));
    assert.equal(await server.tell("stop"), "stopped");
    for (const reason of await Promise.all(gone))
      assert.ok(["transport close", "transport error"].includes(reason), reason);
    await server.stop();
    const again = await startServer("port", String(server.port));
    for (const client of clients) {
      assert.deepEqual(await client.next(), ["auth", {}]);
      assert.equal(await client.ask("message-with-ack", "back"), "back");
      client.close();
    }
    await again.stop();
  },
};

let number = 0;
let failed = false;

async function report(name, run) {
  number++;
  try {
    await run();
    console.log(`ok ${number} - ${name}`);
  } catch (error) {
    failed = true;
    console.log(`not ok ${number} - ${name}`);
    for (const line of String(error.stack).split("\n")) console.log(`# ${line}`);
  }
}

const server = await startServer();
for (const way of Object.keys(WAYS))
  for (const [name, run] of Object.entries(cases))
    await report(`${way}: ${name}`, async () => (await run(server, way)).close());
await report("connects and disconnects are even", () => server.stop());
for (const [name, run] of Object.entries(alone)) await report(name, run);
console.log(`1..${number}`);
process.exit(failed ? 1 : 0);
