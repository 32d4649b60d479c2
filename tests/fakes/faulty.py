#!/usr/bin/env python3
"""A proxy in front of an HTTP server that makes some requests fail, as networks and services do.

    with FaultyProxy("127.0.0.1", 4443, rates={"refuse": 0.1, "cut_answer": 0.05}, seed=7) as proxy:
        ... use proxy.url instead of the server's ...
        proxy.plan[:] = [("cut_request", 1000), None, "refuse"]   # what the next requests get
        proxy.down = True                                         # connections are closed at once
        proxy.counts                                              # {"refuse": 12, ...}
        proxy.requests                                            # [("PUT", "/b/x", "refuse"), ...]

The faults:
    refuse        503 (the request is read, and goes nowhere); ("refuse", 429) another status
    cut_request   the connection ends after a part of the request's body: half of it, or
                  ("cut_request", BYTES); what came before has reached the server
    cut_answer    the server does what it is asked; the connection ends before its answer
    half_answer   the connection ends in the middle of the answer
    reset         the connection is reset before anything is read
    slow          everything passes, after `delay` seconds; ("slow", SECONDS)

`only(method, path)` says which requests may fail; others always pass. Each connection carries one
request. The Host header passes through unchanged, so that addresses that a server makes from it
lead through the proxy again.

As a program: faulty.py 127.0.0.1:4443 --refuse 0.1 --cut-answer 0.05 [--port N] [--seed N]
prints its port, and the counts as JSON when its input ends or it is told to stop.
"""

import argparse
import json
import random
import signal
import socket
import struct
import sys
import threading
import time

FAULTS = ("refuse", "cut_request", "cut_answer", "half_answer", "reset", "slow")
HEAD_MOST = 256 << 10


class Gone(Exception):
    """One of the two sides has hung up."""


class Reader:
    """Lines and counted bytes from a socket."""

    def __init__(self, sock):
        self.sock = sock
        self.kept = b""

    def more(self):
        data = self.sock.recv(64 << 10)
        if not data:
            raise Gone
        self.kept += data

    def until(self, mark):
        while mark not in self.kept:
            if len(self.kept) > HEAD_MOST:
                raise Gone
            self.more()
        at = self.kept.index(mark) + len(mark)
        piece, self.kept = self.kept[:at], self.kept[at:]
        return piece

    def pieces(self, count):
        """That many bytes, as they come."""
        while count:
            if not self.kept:
                self.more()
            piece, self.kept = self.kept[:count], self.kept[count:]
            count -= len(piece)
            yield piece


class Message:
    """A request's head, and its body piece by piece."""

    def __init__(self, reader):
        self.reader = reader
        lines = reader.until(b"\r\n\r\n")[:-4].split(b"\r\n")
        self.first = lines[0]
        self.headers = [tuple(line.split(b":", 1)) for line in lines[1:] if b":" in line]

    def header(self, name):
        for key, value in self.headers:
            if key.strip().lower() == name:
                return value.strip()
        return None

    def head(self):
        """As it goes on: one request per connection."""
        dropped = (b"connection", b"keep-alive", b"expect")
        kept = [k + b":" + v for k, v in self.headers if k.strip().lower() not in dropped]
        return b"\r\n".join([self.first, *kept, b"Connection: close", b"", b""])

    def length(self):
        return int(self.header(b"content-length") or 0)

    def body(self):
        if (self.header(b"transfer-encoding") or b"").lower() != b"chunked":
            yield from self.reader.pieces(self.length())
            return
        size = None
        while size != 0:
            line = self.reader.until(b"\r\n")
            size = int(line.split(b";")[0], 16)
            yield line
            yield from self.reader.pieces(size)
            yield self.reader.until(b"\r\n")


def hard_close(sock):
    """With a reset, so that the other side sees an error and not an end."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    sock.close()


class FaultyProxy:
    def __init__(self, target_host, target_port, rates=None, seed=0, delay=0.3, plan=(), only=None,
                 port=0):
        unknown = set(rates or {}) - set(FAULTS)
        if unknown:
            raise ValueError(f"unknown faults: {sorted(unknown)}")
        self.target = (target_host, target_port)
        self.rates = dict(rates or {})
        self.delay = delay
        self.plan = list(plan)
        self.only = only or (lambda method, path: True)
        self.down = False
        self.counts = dict.fromkeys(FAULTS, 0)
        self.requests = []
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.accept, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        """Ends the listener and every connection."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.thread.join()
        with self.lock:
            for sock in self.open:
                hard_close(sock)

    def __enter__(self):
        return self.start()

    def __exit__(self, *unused):
        self.stop()

    @property
    def total(self):
        """Faults so far; what is only slow is none."""
        with self.lock:
            return sum(n for name, n in self.counts.items() if name != "slow")

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.down:
                hard_close(client)
                continue
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def draw(self, method, path):
        """What happens to this request: (fault or None, its number or None)."""
        with self.lock:
            fault = None
            if self.only(method, path):
                if self.plan:
                    fault = self.plan.pop(0)
                else:
                    at = self.random.random()
                    for name in FAULTS:
                        at -= self.rates.get(name, 0)
                        if at < 0:
                            fault = name
                            break
            name, number = fault if isinstance(fault, tuple) else (fault, None)
            if name:
                self.counts[name] += 1
            self.requests.append((method, path, name))
            return name, number

    def serve(self, client):
        upstream = None
        with self.lock:
            self.open.add(client)
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            message = Message(Reader(client))
            method, path, _ = message.first.decode("latin-1").split(" ", 2)
            fault, number = self.draw(method, path)
            if (message.header(b"expect") or b"").lower() == b"100-continue":
                client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            if fault == "refuse":
                self.refuse(client, message, number or 503)
            elif fault != "reset":
                if fault == "slow":
                    time.sleep(self.delay if number is None else number)
                upstream = socket.create_connection(self.target)
                self.forward(client, upstream, message, fault, number)
        except (OSError, Gone, ValueError):
            pass
        finally:
            with self.lock:
                self.open.discard(client)
            if upstream:
                upstream.close()
            hard_close(client)

    @staticmethod
    def refuse(client, message, status):
        for _ in message.body():
            pass
        text = json.dumps({"error": {"code": status, "message": "injected fault"}}).encode()
        client.sendall(b"HTTP/1.1 %d Injected\r\nContent-Type: application/json\r\nConnection: close"
                       b"\r\nContent-Length: %d\r\n\r\n%s" % (status, len(text), text))
        FaultyProxy.say_goodbye(client)

    def forward(self, client, upstream, message, fault, number):
        left = None
        if fault == "cut_request":
            left = message.length() // 2 if number is None else number
        upstream.sendall(message.head())
        for piece in message.body():
            if left is not None:
                piece, left = piece[:left], left - len(piece)
            upstream.sendall(piece)
            if left is not None and left <= 0:
                break
        if fault == "cut_request":
            # The server sees an end; its own answer to half a request goes nowhere.
            upstream.shutdown(socket.SHUT_WR)
            return
        if fault in ("cut_answer", "half_answer"):
            answer = b"".join(iter(lambda: upstream.recv(64 << 10), b""))
            if fault == "half_answer":
                client.sendall(answer[:len(answer) // 2])
            return
        for piece in iter(lambda: upstream.recv(64 << 10), b""):
            client.sendall(piece)
        self.say_goodbye(client)

    @staticmethod
    def say_goodbye(client):
        """An orderly end: the other side has everything before the socket is gone."""
        client.shutdown(socket.SHUT_WR)
        client.settimeout(5)
        while client.recv(4096):
            pass


def main():
    parser = argparse.ArgumentParser(description="an HTTP proxy that makes requests fail")
    parser.add_argument("target", help="HOST:PORT")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.3)
    for name in FAULTS:
        parser.add_argument("--" + name.replace("_", "-"), type=float, default=0, metavar="RATE")
    args = parser.parse_args()
    host, port = args.target.rsplit(":", 1)
    rates = {name: getattr(args, name) for name in FAULTS}
    with FaultyProxy(host, int(port), rates, args.seed, args.delay, port=args.port) as proxy:
        print(proxy.port, flush=True)
        try:
            sys.stdin.read()
        except (KeyboardInterrupt, SystemExit):
            pass
        print(json.dumps(proxy.counts), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main()
