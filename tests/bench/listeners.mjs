// listeners.mjs URL EXPERIMENT CLIENTS: so many stock clients listen to one experiment, which is then started; how late events are.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../node/package.json', import.meta.url));
const { io } = require('socket.io-client');
const [url, id, count] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const name = `experiment:${id}:progress`;
const late = [];
const ended = new Set();

const sockets = await Promise.all(
  Array.from({ length: count }, (_, i) => new Promise((ok, no) => {
    const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false });
    socket.on('connect_error', no);
    socket.on(name, (data) => {
      late.push(Date.now() - data.sequence);
      if (data.status === 'completed') ended.add(i);
    });
    socket.on('connect', async () => {
      await socket.emitWithAck('subscribe', { rooms: [`experiment:${id}`] });
      ok(socket);
    });
  })));
late.length = 0;
const answer = await fetch(`${url}/api/v1/experiments/${id}/start`, { method: 'POST' });
if (answer.status !== 202) throw new Error(await answer.text());
const end = Date.now() + 120000;
while (ended.size < count && Date.now() < end) await new Promise((ok) => setTimeout(ok, 50));
late.sort((a, b) => a - b);
const at = (q) => late[Math.min(late.length - 1, Math.floor(q * late.length))];
console.log(`${count} listeners, ${late.length} events, ${ended.size} saw the end: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`);
for (const socket of sockets) socket.close();
