"""The stock Python client, python-socketio: polling, WebSocket, and polling that is upgraded."""

import glob
import os
import queue
import sys
import time
import unittest

from wire import Server, wait_until

VENV = os.environ.get("CONFORMANCE_VENV", "")
sys.path += glob.glob(os.path.join(VENV, "lib", "python3*", "site-packages"))
try:
    import socketio
except ImportError:
    socketio = None

WAYS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}


def setUpModule():
    if not socketio:
        raise unittest.SkipTest(f"python-socketio is missing: python3 -m venv {VENV} && "
                                f"{VENV}/bin/pip install -r tests/api/requirements.txt")


class Client:
    """A connected client that keeps what it gets."""

    def __init__(self, server, way="websocket", namespace="/", auth=None, headers=None, **options):
        self.io = socketio.Client(**options)
        self.namespace = namespace
        self.got = queue.Queue()
        self.reasons = queue.Queue()
        self.connects = 0
        for event in ("auth", "message-back", "said", "flood"):
            self.io.on(event, self.keep(event), namespace=namespace)
        self.io.on("connect", self.count, namespace=namespace)
        self.io.on("disconnect", self.reasons.put, namespace=namespace)
        self.io.connect(f"http://127.0.0.1:{server.port}", transports=WAYS[way], auth=auth,
                        namespaces=[namespace], headers=headers or {}, wait_timeout=10)
        self.first = self.next()

    def keep(self, event):
        return lambda *arguments: self.got.put((event, *arguments))

    def count(self):
        self.connects += 1

    def next(self, seconds=10):
        return self.got.get(timeout=seconds)

    def emit(self, event, *arguments):
        self.io.emit(event, arguments, namespace=self.namespace)

    def call(self, event, *arguments):
        return self.io.call(event, arguments, namespace=self.namespace, timeout=10)

    def close(self):
        self.io.disconnect()


class StockPython(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("SERVER", "patient")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def each_way(self, check):
        for way in WAYS:
            with self.subTest(way):
                client = Client(self.server, way)
                self.addCleanup(client.close)
                check(client)
                client.close()

    def test_connects(self):
        def check(client):
            self.assertEqual(client.first, ("auth", {}))
            wanted = "polling" if client.io.transport() == "polling" else "websocket"
            self.assertEqual(client.io.transport(), wanted)
        self.each_way(check)

    def test_upgrades(self):
        client = Client(self.server, "upgrade")
        self.addCleanup(client.close)
        wait_until(lambda: client.io.transport() == "websocket")

    def test_gives_the_payload_of_connect(self):
        client = Client(self.server, auth={"token": "abc", "n": [1, None, "é"]})
        self.addCleanup(client.close)
        self.assertEqual(client.first, ("auth", {"token": "abc", "n": [1, None, "é"]}))

    def test_is_refused(self):
        io = socketio.Client()
        errors = queue.Queue()
        io.on("connect_error", errors.put)
        with self.assertRaises(socketio.exceptions.ConnectionError):
            io.connect(f"http://127.0.0.1:{self.server.port}", auth={"token": "wrong"}, wait_timeout=5)
        self.assertEqual(errors.get(timeout=5), {"message": "Not authorized"})

    def test_carries_texts(self):
        def check(client):
            client.emit("message", 1, "2", {"3": [True, None, 1.5]}, "🔮 é\u2028")
            self.assertEqual(client.next(),
                             ("message-back", 1, "2", {"3": [True, None, 1.5]}, "🔮 é\u2028"))
        self.each_way(check)

    def test_carries_binary(self):
        def check(client):
            everything = bytes(range(256)) * 300
            client.emit("message", {"a": b"\0\1\2", "b": [everything]}, b"")
            self.assertEqual(client.next(),
                             ("message-back", {"a": b"\0\1\2", "b": [everything]}, b""))
        self.each_way(check)

    def test_acknowledges(self):
        def check(client):
            self.assertEqual(client.call("message-with-ack", 1, "2"), (1, "2"))
            self.assertEqual(client.call("message-with-ack", "x", b"\1\2\3"), ("x", b"\1\2\3"))
        self.each_way(check)

    def test_keeps_order(self):
        def check(client):
            for i in range(200):
                client.emit("message", i)
            self.assertEqual([client.next()[1] for _ in range(200)], list(range(200)))
        self.each_way(check)

    def test_stays_through_heartbeats(self):
        clients = [Client(self.server, way) for way in WAYS]
        time.sleep(2)
        for client in clients:
            self.assertEqual(client.call("message-with-ack", 1), 1)
            self.assertEqual(client.connects, 1)
            client.close()

    def test_rooms(self):
        a, b, c = (Client(self.server, way) for way in WAYS)
        for client in (a, b):
            self.assertEqual(client.call("join", "exp:1"), "joined")
        c.call("say", "exp:1", "hello")
        self.assertEqual(a.next(), ("said", "hello"))
        self.assertEqual(b.next(), ("said", "hello"))
        a.call("leave", "exp:1")
        c.call("say", "exp:1", "again", b"\1")
        c.call("shout", "all")
        self.assertEqual(b.next()[:2], ("said", "again"))
        for client in (a, b, c):
            self.assertEqual(client.next(), ("said", "all"))
            client.close()

    def test_namespaces(self):
        def check(client):
            other = Client(self.server, "websocket", namespace="/custom")
            other.emit("message", "custom")
            self.assertEqual(other.next(), ("message-back", "custom"))
            client.call("shout", "main only")
            self.assertEqual(client.next(), ("said", "main only"))
            self.assertEqual(other.call("message-with-ack", "x"), "x")
            self.assertTrue(other.got.empty())
            other.close()
        self.each_way(check)

    def test_is_kicked(self):
        def check(client):
            client.io.reconnection = False
            client.emit("bye")
            client.reasons.get(timeout=5)
        self.each_way(check)

    def test_knows_who_asks(self):
        client = Client(self.server, "upgrade", headers={"Cookie": "theme=dark; session=alice"})
        self.addCleanup(client.close)
        self.assertEqual(client.call("who")[0], "alice")
        bearer = Client(self.server, auth={"token": "key"})
        self.addCleanup(bearer.close)
        self.assertEqual(bearer.call("who")[0], "bearer")


class Restart(unittest.TestCase):
    def test_comes_back_after_a_restart(self):
        server = Server("SERVER", "patient")
        clients = [Client(server, way, reconnection_delay=0.2, reconnection_delay_max=0.4)
                   for way in WAYS]
        self.assertEqual(server.tell("stop"), "stopped")
        for client in clients:
            client.reasons.get(timeout=10)
        server.stop()
        again = Server("SERVER", "patient", "port", server.port)
        for client in clients:
            self.assertEqual(client.next(20), ("auth", {}))
            self.assertEqual(client.call("message-with-ack", "back"), "back")
            client.close()
        again.stop()


if __name__ == "__main__":
    unittest.main()
