"""Socket.IO v5: the cases of the protocol's suite, those of Engine.IO below it included."""

import json
import unittest

from engine_cases import EngineCases
from wire import BINARY, TEXT, Server


class SocketIO(EngineCases, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("SERVER")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def works(self, w):
        """A session that has just been upgraded, or is connected already."""
        if not getattr(w, "connected", False):
            w.send("40")
            self.assertTrue(w.text().startswith("40"))
            self.assertEqual(w.text(), '42["auth",{}]')
            w.connected = True
        w.send('42["message","hello"]')
        self.assertEqual(w.text(), '42["message-back","hello"]')

    # connect

    def connects(self, packet, prefix, auth):
        w = self.server.open_websocket()
        w.send(packet)
        text = w.text()
        self.assertTrue(text.startswith(prefix), text)
        handshake = json.loads(text[len(prefix):])
        self.assertEqual(set(handshake), {"sid"})
        self.assertIsInstance(handshake["sid"], str)
        self.assertEqual(w.text(), auth)
        w.close()

    def test_connects_to_the_main_namespace(self):
        self.connects("40", "40", '42["auth",{}]')

    def test_connects_with_a_payload(self):
        self.connects('40{"token":"123"}', "40", '42["auth",{"token":"123"}]')

    def test_connects_to_another_namespace(self):
        self.connects("40/custom,", "40/custom,", '42/custom,["auth",{}]')

    def test_connects_to_another_namespace_with_a_payload(self):
        self.connects('40/custom,{"token":"abc"}', "40/custom,", '42/custom,["auth",{"token":"abc"}]')

    def test_refuses_an_unknown_namespace(self):
        w = self.server.open_websocket()
        w.send("40/random")
        self.assertEqual(w.text(), '44/random,{"message":"Invalid namespace"}')
        w.close()

    def test_ends_at_a_bad_handshake(self):
        w = self.server.open_websocket()
        w.send("4abc")
        self.assertEqual(w.wait_closed(), 1008)

    def test_ends_without_a_handshake(self):
        w = self.server.open_websocket()
        for _ in range(3):
            self.assertEqual(w.receive(), (TEXT, b"2"))
            w.send("3")
        self.assertEqual(w.wait_closed(), 1000)

    # disconnect

    def test_disconnects_and_stays_open(self):
        w = self.server.connect()
        w.send("41")
        self.assertEqual(w.receive(), (TEXT, b"2"))
        w.close()

    def test_disconnects_from_another_namespace_only(self):
        w = self.server.connect()
        w.send("40/custom")
        self.assertTrue(w.text().startswith("40/custom,"))
        self.assertEqual(w.text(), '42/custom,["auth",{}]')
        w.send("41/custom")
        w.send('42["message","message to main namespace"]')
        self.assertEqual(w.text(), '42["message-back","message to main namespace"]')
        w.close()

    # messages

    def parts(self, w, count):
        """That many texts and binaries; pings are answered."""
        got = []
        while len(got) < count:
            kind, payload = w.receive()
            if (kind, payload) == (TEXT, b"2"):
                w.send("3")
            else:
                got.append(payload.decode() if kind == TEXT else payload)
                self.assertIn(kind, (TEXT, BINARY))
        return got

    def test_carries_texts(self):
        w = self.server.connect()
        w.send('42["message",1,"2",{"3":[true]}]')
        self.assertEqual(w.text(), '42["message-back",1,"2",{"3":[true]}]')
        w.close()

    def test_carries_binary(self):
        places = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
        w = self.server.connect()
        w.send(f'452-["message",{places}]')
        w.send(bytes([1, 2, 3]))
        w.send(bytes([4, 5, 6]))
        self.assertEqual(self.parts(w, 3), [f'452-["message-back",{places}]', b"\x01\x02\x03",
                                            b"\x04\x05\x06"])
        w.close()

    def test_acknowledges(self):
        w = self.server.connect()
        w.send('42456["message-with-ack",1,"2",{"3":[false]}]')
        self.assertEqual(w.text(), '43456[1,"2",{"3":[false]}]')
        w.close()

    def test_acknowledges_with_binary(self):
        places = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
        w = self.server.connect()
        w.send(f'452-789["message-with-ack",{places}]')
        w.send(bytes([1, 2, 3]))
        w.send(bytes([4, 5, 6]))
        self.assertEqual(self.parts(w, 3), [f"462-789[{places}]", b"\x01\x02\x03", b"\x04\x05\x06"])
        w.close()

    def ends(self, *messages):
        w = self.server.connect()
        for message in messages:
            w.send(message)
        self.assertEqual(w.wait_closed(), 1008)

    def test_ends_at_an_unknown_type(self):
        self.ends("4abc")

    def test_ends_at_a_bad_payload(self):
        self.ends("42{}")

    def test_ends_at_a_bad_acknowledgement(self):
        self.ends('42abc["message-with-ack",1,"2",{"3":[false]}]')


if __name__ == "__main__":
    unittest.main()
