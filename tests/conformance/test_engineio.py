"""Engine.IO v4 alone: the cases of the protocol's suite, against a server that echoes."""

import threading
import time
import unittest

from engine_cases import EngineCases
from wire import BINARY, TEXT, Server


class EngineIO(EngineCases, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("ECHO")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def works(self, w):
        w.send("4hello")
        self.assertEqual(w.text(), "4hello")

    def echoed(self, body):
        sid = self.server.open_polling()
        self.assertEqual(self.server.push(sid, body), (200, "ok"))
        self.assertEqual(self.server.poll(sid), (200, body))

    def test_polling_carries_a_text(self):
        self.echoed("4hello")

    def test_polling_carries_several_texts(self):
        self.echoed("4test1\x1e4test2\x1e4test3")

    def test_polling_carries_binary(self):
        self.echoed("4hello\x1ebAQIDBA==")

    def test_polling_ends_at_a_bad_packet(self):
        sid = self.server.open_polling()
        self.assertEqual(self.server.push(sid, "abc")[0], 400)
        self.assertEqual(self.server.poll(sid)[0], 400)

    def test_polling_ends_at_a_second_get(self):
        sid = self.server.open_polling()
        answers = []
        poll = threading.Thread(target=lambda: answers.append(self.server.poll(sid)))
        poll.start()
        time.sleep(0.15)
        self.assertEqual(self.server.poll(sid)[0], 400)
        poll.join()
        self.assertEqual(answers, [(200, "1")])
        self.assertEqual(self.server.poll(sid)[0], 400)

    def test_websocket_carries_a_text(self):
        w = self.server.open_websocket()
        self.works(w)
        w.close()

    def test_websocket_carries_binary(self):
        w = self.server.open_websocket()
        w.send(bytes([1, 2, 3, 4]))
        self.assertEqual(w.receive(), (BINARY, bytes([1, 2, 3, 4])))
        w.close()

    def test_websocket_ends_at_a_bad_packet(self):
        w = self.server.open_websocket()
        w.send("abc")
        self.assertEqual(w.wait_closed(), 1008)

    # beyond the suite

    def test_what_waits_moves_to_the_websocket(self):
        sid = self.server.open_polling()
        self.server.push(sid, "4one\x1e4two")
        w = self.server.websocket(f"EIO=4&transport=websocket&sid={sid}")
        w.send("2probe")
        self.assertEqual(w.receive(), (TEXT, b"3probe"))
        self.server.push(sid, "4three")
        w.send("5")
        self.assertEqual([w.text() for _ in range(3)], ["4one", "4two", "4three"])
        w.close()

    def test_a_candidate_that_goes_leaves_the_session_polling(self):
        sid = self.server.open_polling()
        w = self.server.websocket(f"EIO=4&transport=websocket&sid={sid}")
        w.send("2probe")
        self.assertEqual(w.receive(), (TEXT, b"3probe"))
        w.send("what?")
        w.wait_closed()
        self.server.push(sid, "4hello")
        self.assertEqual(self.server.poll(sid), (200, "4hello"))
        self.upgrade(sid).close()


if __name__ == "__main__":
    unittest.main()
