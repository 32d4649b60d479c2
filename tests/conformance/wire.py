"""The wire as a client sees it, standard library only: the test servers, requests of long polling,
and WebSockets that can also break every rule."""

import base64
import hashlib
import http.client
import json
import os
import socket
import struct
import subprocess
import time

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
SECONDS = 10  # the most that anything may take


class Server:
    """One of the programs of this folder; `name` is SERVER or ECHO."""

    def __init__(self, name, *options):
        self.process = subprocess.Popen([os.environ[f"CONFORMANCE_{name}"], *map(str, options)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def stop(self):
        """End it; what it printed. An exit status of 0 also says that connects and disconnects are
        even, and no sanitizer complained."""
        out, _ = self.process.communicate(timeout=30)
        if self.process.returncode:
            raise AssertionError(f"the server ended with {self.process.returncode}: {out}")
        return out

    def request(self, method, query, body=None, headers=None):
        """(status, text)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request(method, "/socket.io/?" + query, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def get(self, query, **more):
        return self.request("GET", query, **more)

    def poll(self, sid, **more):
        return self.get(f"EIO=4&transport=polling&sid={sid}", **more)

    def push(self, sid, body, **more):
        return self.request("POST", f"EIO=4&transport=polling&sid={sid}", body=body, **more)

    def open_polling(self, **more):
        """The sid of a new session."""
        status, text = self.get("EIO=4&transport=polling", **more)
        assert status == 200 and text[0] == "0", (status, text)
        return json.loads(text[1:])["sid"]

    def websocket(self, query="EIO=4&transport=websocket", **more):
        return WebSocket(self.port, query, **more)

    def open_websocket(self, **more):
        """A WebSocket after the handshake of Engine.IO."""
        w = self.websocket(**more)
        kind, greeting = w.receive()
        assert kind == TEXT and greeting[:1] == b"0", greeting
        return w

    def connect(self, auth="", **more):
        """A WebSocket that is connected to the main namespace."""
        w = self.open_websocket(**more)
        w.send("40" + auth)
        assert w.text().startswith("40{"), "not connected"
        assert w.text().startswith('42["auth"'), "no auth event"
        return w


class Refused(Exception):
    """The opening handshake was answered with another status than 101."""

    def __init__(self, status):
        super().__init__(f"status {status}")
        self.status = status


class WebSocket:
    def __init__(self, port, query, headers=None, buffer=None, early=b""):
        """`early` bytes are sent with the opening handshake, before it is answered."""
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(SECONDS)
        self.socket.connect(("127.0.0.1", port))
        self.bytes = b""
        self.close_code = None
        key = base64.b64encode(os.urandom(16)).decode()
        fields = {"Host": f"127.0.0.1:{port}", "Upgrade": "websocket", "Connection": "Upgrade",
                  "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13",
                  "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
                  **(headers or {})}
        lines = [f"GET /socket.io/?{query} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + early)
        while b"\r\n\r\n" not in self.bytes:
            self.more()
        head, _, self.bytes = self.bytes.partition(b"\r\n\r\n")
        self.head = head.decode()
        status = int(head.split()[1])
        if status != 101:
            self.socket.close()
            raise Refused(status)
        accept = base64.b64encode(
            hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        assert accept in head, "Sec-WebSocket-Accept is wrong"

    def more(self):
        got = self.socket.recv(65536)
        if not got:
            raise ConnectionError("closed")
        self.bytes += got

    def take(self, n):
        while len(self.bytes) < n:
            self.more()
        taken, self.bytes = self.bytes[:n], self.bytes[n:]
        return taken

    def frame(self, opcode, payload, fin=True, mask=True, rsv=0, length=None):
        """Send one frame; everything may be wrong about it."""
        payload = payload.encode() if isinstance(payload, str) else bytes(payload)
        n = len(payload) if length is None else length
        head = bytes([(fin << 7) | (rsv << 4) | opcode])
        bit = 0x80 if mask else 0
        if n < 126:
            head += bytes([bit | n])
        elif n < 65536:
            head += bytes([bit | 126]) + struct.pack(">H", n)
        else:
            head += bytes([bit | 127]) + struct.pack(">Q", n)
        if mask:
            key = os.urandom(4)
            head += key
            wide = (key * (len(payload) // 4 + 1))[:len(payload)]
            payload = (int.from_bytes(payload, "big") ^ int.from_bytes(wide, "big")).to_bytes(len(payload), "big")
        self.socket.sendall(head + payload)

    def send(self, message):
        self.frame(TEXT if isinstance(message, str) else BINARY, message)

    def receive(self):
        """(opcode, bytes) of the next message or control frame."""
        whole = b""
        first = None
        while True:
            a, b = self.take(2)
            assert not a & 0x70, "reserved bits"
            assert not b & 0x80, "a server does not mask"
            n = b & 127
            if n == 126:
                n = struct.unpack(">H", self.take(2))[0]
            elif n == 127:
                n = struct.unpack(">Q", self.take(8))[0]
            payload = self.take(n)
            if a & 8:
                return a & 15, payload
            first = first or a & 15
            whole += payload
            if a & 0x80:
                return first, whole

    def text(self):
        """The next text that is no ping; those are answered."""
        while True:
            kind, payload = self.receive()
            if kind == CLOSE:
                raise ConnectionError("closed")
            if (kind, payload) == (TEXT, b"2"):
                self.send("3")
            elif kind == TEXT:
                return payload.decode()
            else:
                raise AssertionError(f"opcode {kind}")

    def binary(self):
        kind, payload = self.receive()
        assert kind == BINARY, (kind, payload)
        return payload

    def wait_closed(self):
        """Read until the end; the code of the server's close frame, None without one."""
        code = None
        try:
            while True:
                kind, payload = self.receive()
                if kind == CLOSE:
                    code = struct.unpack(">H", payload[:2])[0] if payload else 1005
                    self.frame(CLOSE, payload[:2])
        except ConnectionError:
            pass
        self.socket.close()
        return code

    def close(self):
        self.socket.close()


def wait_until(what, seconds=SECONDS):
    """What becomes true soon."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(0.01)
