"""What the Engine.IO protocol's own suite asks of every server, also below Socket.IO."""

import json
import threading
import time

from wire import TEXT, Refused

INTERVAL, TIMEOUT = 0.3, 0.2
OPEN_KEYS = {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}


class EngineCases:
    """Mixed into a TestCase that has self.server."""

    def refused(self, query):
        with self.assertRaises(Refused) as refusal:
            self.server.websocket(query)
        self.assertEqual(refusal.exception.status, 400)

    def check_greeting(self, text, upgrades):
        self.assertEqual(text[0], "0")
        value = json.loads(text[1:])
        self.assertEqual(set(value), OPEN_KEYS)
        self.assertIsInstance(value["sid"], str)
        self.assertEqual(value["upgrades"], upgrades)
        self.assertEqual((value["pingInterval"], value["pingTimeout"], value["maxPayload"]),
                         (300, 200, 1000000))

    # handshake

    def test_polling_opens_a_session(self):
        status, text = self.server.get("EIO=4&transport=polling")
        self.assertEqual(status, 200)
        self.check_greeting(text, ["websocket"])

    def test_polling_wants_the_version(self):
        for query in ("transport=polling", "EIO=abc&transport=polling", "EIO=3&transport=polling"):
            self.assertEqual(self.server.get(query)[0], 400, query)

    def test_polling_wants_a_transport(self):
        for query in ("EIO=4", "EIO=4&transport=abc"):
            self.assertEqual(self.server.get(query)[0], 400, query)

    def test_polling_opens_with_get_only(self):
        for method in ("POST", "PUT", "DELETE"):
            status, _ = self.server.request(method, "EIO=4&transport=polling")
            self.assertEqual(status, 400, method)

    def test_websocket_opens_a_session(self):
        w = self.server.websocket()
        kind, text = w.receive()
        self.assertEqual(kind, TEXT)
        self.check_greeting(text.decode(), [])
        w.close()

    def test_websocket_wants_the_version(self):
        self.refused("transport=websocket")
        self.refused("EIO=abc&transport=websocket")

    def test_websocket_wants_a_transport(self):
        self.refused("EIO=4")
        self.refused("EIO=4&transport=abc")

    # heartbeat

    def test_polling_heart_beats(self):
        sid = self.server.open_polling()
        for _ in range(3):
            self.assertEqual(self.server.poll(sid), (200, "2"))
            self.assertEqual(self.server.push(sid, "3"), (200, "ok"))

    def test_polling_ends_without_pong(self):
        sid = self.server.open_polling()
        time.sleep(INTERVAL + TIMEOUT + 0.1)
        self.assertEqual(self.server.poll(sid)[0], 400)

    def test_websocket_heart_beats(self):
        w = self.server.open_websocket()
        for _ in range(3):
            self.assertEqual(w.receive(), (TEXT, b"2"))
            w.send("3")
        w.close()

    def test_websocket_ends_without_pong(self):
        self.server.open_websocket().wait_closed()

    # close

    def test_polling_can_be_closed(self):
        sid = self.server.open_polling()
        answers = []
        poll = threading.Thread(target=lambda: answers.append(self.server.poll(sid)))
        poll.start()
        time.sleep(0.15)
        self.server.push(sid, "1")
        poll.join()
        self.assertEqual(answers, [(200, "6")])
        self.assertEqual(self.server.poll(sid)[0], 400)

    def test_websocket_can_be_closed(self):
        w = self.server.open_websocket()
        w.send("1")
        self.assertEqual(w.wait_closed(), 1000)

    # upgrade

    def upgrade(self, sid):
        w = self.server.websocket(f"EIO=4&transport=websocket&sid={sid}")
        w.send("2probe")
        self.assertEqual(w.receive(), (TEXT, b"3probe"))
        return w

    def test_polling_becomes_a_websocket(self):
        sid = self.server.open_polling()
        w = self.upgrade(sid)
        self.assertEqual(self.server.poll(sid), (200, "6"))
        w.send("5")
        self.works(w)
        w.close()

    def test_polling_is_over_after_the_upgrade(self):
        sid = self.server.open_polling()
        w = self.upgrade(sid)
        w.send("5")
        self.works(w)
        self.assertEqual(self.server.poll(sid)[0], 400)
        self.assertEqual(self.server.push(sid, "4x")[0], 400)
        self.works(w)
        w.close()

    def test_a_second_websocket_is_refused_after_the_upgrade(self):
        sid = self.server.open_polling()
        w = self.upgrade(sid)
        w.send("5")
        self.works(w)
        self.refused(f"EIO=4&transport=websocket&sid={sid}")
        self.works(w)
        w.close()
