"""Clients that break the rules, want too much, or read too slowly: what they get, and that the
others do not notice."""

import http.client
import json
import random
import socket
import struct
import threading
import time
import unittest

from wire import BINARY, CLOSE, PING, PONG, TEXT, Refused, Server, wait_until

LIMIT = 1000000  # bytes of a message


class Hostile(unittest.TestCase):
    options = ("calm",)

    def setUp(self):
        self.server = Server("SERVER", *self.options)

    def tearDown(self):
        """Whatever happened, the server still serves, and loses nobody."""
        if self.server.process.stdin.closed:
            return
        w = self.server.connect()
        w.send('42["message","still here"]')
        self.assertEqual(w.text(), '42["message-back","still here"]')
        w.close()
        self.server.stop()

    def stats(self):
        w = self.server.connect()
        w.send('421["stats"]')
        text = w.text()
        w.close()
        return json.loads(text[len("431"):])[0]


class WebSockets(Hostile):
    def ends(self, code, *frames):
        """Each frame is the arguments of WebSocket.frame."""
        w = self.server.connect()
        for arguments, more in frames:
            w.frame(*arguments, **more)
        self.assertEqual(w.wait_closed(), code, frames)

    def test_frames_must_be_masked(self):
        self.ends(1002, ((TEXT, '42["message"]'), {"mask": False}))

    def test_no_extension_is_offered_or_taken(self):
        w = self.server.open_websocket()
        self.assertNotIn("sec-websocket-extensions", w.head.lower())
        w.close()
        for rsv in (1, 2, 4, 7):
            self.ends(1002, ((TEXT, '42["message"]'), {"rsv": rsv}))

    def test_unknown_opcodes(self):
        for opcode in (3, 7, 11, 15):
            self.ends(1002, ((opcode, b"x"), {}))

    def test_text_must_be_utf8(self):
        for bad in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"):
            self.ends(1007, ((TEXT, b'42["message","' + bad + b'"]'), {}))
        self.ends(1007, ((TEXT, b'42["message","\xe2'), {"fin": False}), ((0, b'\x28"]'), {}))
        self.ends(1007, ((TEXT, b"42[\xe2\x82"), {}))

    def test_messages_may_come_in_pieces(self):
        w = self.server.connect()
        packet = '42["message","🔮"]'.encode()
        w.frame(TEXT, packet[:1], fin=False)
        for i in range(1, len(packet)):
            w.frame(0, packet[i:i + 1], fin=False)
            w.frame(PING, bytes([i]))
            self.assertEqual(w.receive(), (PONG, bytes([i])))
        w.frame(0, b"")
        self.assertEqual(w.text(), '42["message-back","🔮"]')
        w.frame(BINARY, b"", fin=False)
        w.close()

    def test_all_lengths_go_both_ways(self):
        w = self.server.connect()
        for n in (125, 126, 127, 65535, 65536, LIMIT):
            packet = '42["message",""]'
            packet = packet[:-2] + "x" * (n - len(packet)) + packet[-2:]
            w.send(packet)
            self.assertEqual(w.text(), packet.replace("message", "message-back"))
            w.send('451-["message",{"_placeholder":true,"num":0}]')
            w.send(b"y" * n)
            self.assertEqual(w.text(), '451-["message-back",{"_placeholder":true,"num":0}]')
            self.assertEqual(w.binary(), b"y" * n)
        w.close()

    def test_pieces_in_disorder(self):
        self.ends(1002, ((0, b"x"), {}))
        self.ends(1002, ((TEXT, b"4"), {"fin": False}), ((TEXT, b"2"), {}))
        self.ends(1002, ((PING, b"x"), {"fin": False}))
        self.ends(1002, ((PING, b"x" * 126), {}))

    def test_messages_have_a_limit(self):
        self.ends(1009, ((TEXT, b"4"), {"length": LIMIT + 1}))
        self.ends(1009, ((BINARY, b"x"), {"length": (1 << 62)}))
        self.ends(1002, ((BINARY, b""), {"length": (1 << 63)}))
        self.ends(1009, ((TEXT, b"4" * (LIMIT // 2)), {"fin": False}),
                  ((0, b"4" * (LIMIT // 2)), {"fin": False}), ((0, b"4"), {}))

    def test_lengths_must_be_minimal(self):
        w = self.server.connect()
        w.socket.sendall(b"\x81\xfe\x00\x01" + b"\0\0\0\0" + b"4")
        self.assertEqual(w.wait_closed(), 1002)

    def test_many_tiny_pieces_are_one_message(self):
        w = self.server.connect()
        one = b"\x00\x81\0\0\0\0x"
        w.frame(TEXT, b'42["message","', fin=False)
        w.socket.sendall(one * 20000)
        w.frame(0, b'"]')
        self.assertEqual(len(w.text()), len('42["message-back",""]') + 20000)
        w.close()

    def test_the_close_code_comes_back(self):
        w = self.server.connect()
        w.frame(CLOSE, struct.pack(">H", 3001) + b"bye")
        kind, payload = w.receive()
        self.assertEqual((kind, payload[:2]), (CLOSE, struct.pack(">H", 3001)))
        self.assertEqual(w.socket.recv(1), b"")
        w.close()

    def test_bytes_may_come_with_the_handshake(self):
        masked = b"\x81\x82\0\0\0\0" + b"40"
        w = self.server.open_websocket(early=masked + masked[:3])
        self.assertTrue(w.text().startswith("40{"))
        self.assertEqual(w.text(), '42["auth",{}]')
        w.socket.sendall(b"\0\0\0" + b"41")
        w.send("6")
        w.send("40")
        self.assertTrue(w.text().startswith("40{"))
        w.close()

    def test_a_peer_that_does_not_answer_the_close_frame(self):
        w = self.server.connect()
        w.send("4abc")
        self.assertEqual(w.receive()[0], CLOSE)
        self.assertEqual(w.socket.recv(1), b"")  # after two seconds
        w.close()

    def test_pings_without_reading(self):
        w = self.server.connect(buffer=2048)
        with self.assertRaises(OSError):
            for _ in range(4000):
                w.socket.sendall((b"\x89\xfd\0\0\0\0" + b"p" * 125) * 100)
        w.close()

    def test_a_bad_handshake(self):
        for headers in ({"Sec-WebSocket-Version": "8"}, {"Sec-WebSocket-Key": "short"}):
            with self.assertRaises(Refused):
                self.server.websocket(headers=headers)
        self.assertEqual(self.server.get("EIO=4&transport=websocket")[0], 400)
        for sid in ("x", "0" * 32, "a" * 3000, "%00", "../../"):
            with self.assertRaises(Refused) as refusal:
                self.server.websocket(f"EIO=4&transport=websocket&sid={sid}")
            self.assertIn(refusal.exception.status, (400, 414))

    def test_peers_that_vanish(self):
        for i in range(50):
            w = self.server.connect() if i % 2 else self.server.websocket()
            w.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            w.close()
        wait_until(lambda: self.stats()["sessions"] == 1)


class Packets(Hostile):
    def ends(self, *messages, code=1008):
        w = self.server.connect()
        for message in messages:
            w.send(message)
        self.assertEqual(w.wait_closed(), code, messages)

    def test_what_is_no_packet(self):
        for packet in ("", "9", "0", "5", "2probe", "4", "4x", "47", "44{}", "42", '42"x"', "42[]", "42[1]",
                       '42["a"', '42["a"]x', '42[{}]', '42["connect"]', '42["disconnect"]', '421{"a":1}',
                       '42["a",{"k":1,"k":2}]', "43[1]", "43x[1]", '42["a",\u0001]',
                       "42" + "[" * 100000, "450-", "451[1]", "4511-[1]", '45999999999999999999-["a"]',
                       "42/nowhere,[1]", '42/custom,["message"]', "41/nowhere", "40", '40/custom,[1]',
                       '40/custom,{"a"', '40/custom,{"a":1,"a":2}',
                       "40/" + "x" * 200):
            with self.subTest(packet[:40]):
                self.ends(packet)

    def test_attachments_where_none_are_due(self):
        self.ends(b"\1\2\3")
        self.ends('452-["message",{"_placeholder":true,"num":0}]', b"1", '42["message"]')
        self.ends('45' + '2-["message"]', b"x" * LIMIT, b"x")

    def test_placeholders_are_the_handlers_business(self):
        w = self.server.connect()
        w.send('451-["message",{"_placeholder":true,"num":77}]')
        w.send(b"")
        self.assertEqual(w.text(), '451-["message-back",{"_placeholder":true,"num":77}]')
        self.assertEqual(w.binary(), b"")
        w.close()

    def test_acknowledgements_nobody_asked_for(self):
        w = self.server.connect()
        w.send("437[1]")
        w.send('461-7[{"_placeholder":true,"num":0}]')
        w.send(b"x")
        w.send('42["message"]')
        self.assertEqual(w.text(), '42["message-back"]')
        w.close()

    def test_events_may_cross_a_disconnect(self):
        w = self.server.connect()
        w.send("40/custom")
        self.assertTrue(w.text().startswith("40/custom,"))
        self.assertEqual(w.text(), '42/custom,["auth",{}]')
        w.send("41/custom")
        w.send('42/custom,["message"]')
        w.send('452-/custom,["message"]')
        w.send(b"1")
        w.send(b"2")
        w.send('42["message","main"]')
        self.assertEqual(w.text(), '42["message-back","main"]')
        w.send("40/custom")
        self.assertTrue(w.text().startswith("40/custom,"))
        w.close()

    def test_events_may_overtake_the_connect(self):
        w = self.server.open_websocket()
        w.send("40")
        w.send('42["message",1]')
        self.assertTrue(w.text().startswith("40{"))
        self.assertEqual([w.text(), w.text()], ['42["auth",{}]', '42["message-back",1]'])
        w.close()

    def test_a_refused_connect_runs_no_events(self):
        w = self.server.open_websocket()
        w.send('40{"token":"wrong"}')
        w.send('421["stats"]')
        self.assertEqual(w.text(), '44{"message":"Not authorized"}')
        w.send("40")
        self.assertTrue(w.text().startswith("40{"))
        w.close()


class Polling(Hostile):
    def refused(self, body, status=400, **more):
        sid = self.server.open_polling()
        self.assertEqual(self.server.push(sid, body, **more)[0], status)
        if status == 400:
            self.assertEqual(self.server.poll(sid)[0], 400)

    def test_bad_bodies(self):
        for body in (b"", b"\x1e", b"40\x1e", b"\x1e40", b"40\x1e\x1e40", b"x", b"b", b"b====", b"bAQ", b"bA-==",
                     b"bAQID", b'42["a","\xff"]', b"40\x1e4\xc3\x28", b"0", b"5", b"4", b"451-[1]\x1e40"):
            with self.subTest(body):
                self.refused(body)

    def test_bodies_must_be_utf8(self):
        for bad in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xe2\x82"):
            sid = self.server.open_polling()
            self.assertEqual(self.server.push(sid, "40")[0], 200)
            self.assertEqual(self.server.push(sid, b'42["message","' + bad + b'"]')[0], 400)

    def test_bodies_have_a_limit(self):
        self.refused(b"4" + b"x" * LIMIT, 413)
        sid = self.server.open_polling()
        self.assertEqual(self.server.push(sid, "40")[0], 200)
        body = '42["message","' + "x" * (LIMIT - 16) + '"]'
        self.assertEqual(len(body), LIMIT)
        self.assertEqual(self.server.push(sid, body), (200, "ok"))

    def test_a_second_post_at_once(self):
        sid = self.server.open_polling()
        event = '42["message","' + "x" * 20000 + '"]'
        # The handler sleeps; what piles up behind it makes the next answer wait.
        self.assertEqual(self.server.push(sid, "\x1e".join(["40", '42["sleep",1000]'] + [event] * 48))[0], 200)
        answers = []
        held = threading.Thread(target=lambda: answers.append(self.server.push(sid, "\x1e".join([event] * 10))[0]))
        held.start()
        time.sleep(0.2)
        self.assertEqual(answers, [])
        self.assertEqual(self.server.push(sid, event)[0], 400)
        held.join()
        self.assertEqual(answers, [400])
        self.assertEqual(self.server.poll(sid)[0], 400)

    def test_only_get_and_post(self):
        sid = self.server.open_polling()
        for method in ("PUT", "DELETE"):
            self.assertIn(self.server.request(method, f"EIO=4&transport=polling&sid={sid}")[0], (400, 405))
        self.assertEqual(self.server.push(sid, "40"), (200, "ok"))

    def test_sids_cannot_be_guessed(self):
        sids = {self.server.open_polling() for _ in range(50)}
        self.assertEqual(len(sids), 50)
        for sid in sids:
            self.assertRegex(sid, "^[0-9a-f]{32}$")
            self.server.push(sid, "1")

    def test_a_sid_alone_is_not_enough(self):
        mine = {"headers": {"Cookie": "session=alice; theme=dark"}}
        sid = self.server.open_polling(**mine)
        self.assertEqual(self.server.push(sid, "40", headers={"Cookie": "theme=light; session=alice"})[0], 200)
        for headers in ({}, {"Cookie": "session=bob"}, {"Authorization": "Bearer x"},
                        {"Cookie": "session=alice", "Authorization": "Bearer x"}):
            self.assertEqual(self.server.push(sid, "40", headers=headers)[0], 400, headers)
            self.assertEqual(self.server.poll(sid, headers=headers)[0], 400, headers)
            with self.assertRaises(Refused):
                self.server.websocket(f"EIO=4&transport=websocket&sid={sid}", headers=headers)
        self.assertEqual(self.server.poll(sid, **mine)[0], 200)

    def test_pages_of_other_sites(self):
        here = f"http://127.0.0.1:{self.server.port}"
        for origin, status in ((here, 200), ("http://friend.example", 200), ("http://evil.example", 403),
                               ("null", 403), (here + "1", 403), ("http://evil.example/" + here, 403)):
            headers = {"Origin": origin}
            self.assertEqual(self.server.get("EIO=4&transport=polling", headers=headers)[0], status, origin)
            if status == 200:
                self.server.websocket(headers=headers).close()
                sid = self.server.open_polling(headers=headers)
                self.assertEqual(self.server.push(sid, "40", headers=headers)[0], 200)
            else:
                with self.assertRaises(Refused):
                    self.server.websocket(headers=headers)

    def test_a_poll_whose_client_goes(self):
        sid = self.server.open_polling()
        s = socket.create_connection(("127.0.0.1", self.server.port))
        s.sendall(f"GET /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        time.sleep(0.2)
        s.close()
        time.sleep(0.2)
        self.server.push(sid, "40")
        self.assertTrue(self.server.poll(sid)[1].startswith("40{"))


class Loads(Hostile):
    def test_a_payload_of_many_events(self):
        sid = self.server.open_polling()
        self.server.push(sid, "40")
        self.server.push(sid, "\x1e".join(f'42["message",{i}]' for i in range(20000)))
        got = []
        while len(got) < 20002:
            status, text = self.server.poll(sid)
            self.assertEqual(status, 200)
            got += text.split("\x1e")
        self.assertEqual(got[2:], [f'42["message-back",{i}]' for i in range(20000)])

    def test_a_payload_is_taken_as_fast_as_its_handlers_work(self):
        sid = self.server.open_polling()
        self.server.push(sid, '40\x1e42["sleep",700]')
        answers = []
        held = threading.Thread(target=lambda: answers.append(
            self.server.push(sid, "\x1e".join(['42["none"]'] * 80000))[0]))
        held.start()
        time.sleep(0.4)
        self.assertEqual(answers, [])
        self.assertLess(self.stats()["received"], 40000)
        held.join()
        self.assertEqual(answers, [200])

    def test_slow_handlers_hold_their_client_back_only(self):
        w = self.server.connect()
        w.send('427["sleep",2500]')
        sent = 0
        w.socket.settimeout(0.3)
        packet = '42["message","' + "x" * 100000 + '"]'
        try:
            for sent in range(400):
                w.send(packet)
        except OSError:
            pass
        self.assertLess(sent, 399, "40 MB were taken while the handler slept")
        other = self.server.connect()
        other.send('42["message","quick"]')
        self.assertEqual(other.text(), '42["message-back","quick"]')
        w.socket.settimeout(0.01)
        with self.assertRaises(TimeoutError):
            w.receive()  # the handler still sleeps
        other.close()
        w.close()


class Crowd(Hostile):
    """Many clients at once that come, talk, upgrade and vanish in every state."""

    def play(self, seed, end):
        dice = random.Random(seed)
        while time.monotonic() < end:
            try:
                dice.choice([self.talk, self.poll, self.upgrade, self.vanish])(dice)
            except (OSError, Refused, AssertionError, http.client.HTTPException) as error:
                if isinstance(error, AssertionError) and str(error):
                    self.errors.append(error)

    def talk(self, dice):
        w = self.server.connect()
        w.send(f'421["join","room:{dice.randrange(3)}"]')
        for _ in range(dice.randrange(5)):
            w.send(f'42["say","room:{dice.randrange(3)} room:{dice.randrange(3)}","hello"]')
        w.send(dice.choice(['42["bye"]', "41", '42["flood",50,1000]', "1", "4abc"]))
        if dice.random() < 0.5:
            w.text()
        w.close()

    def poll(self, dice):
        sid = self.server.open_polling()
        self.server.push(sid, '40\x1e42["join","room:1"]\x1e42["shout","all"]')
        self.server.poll(sid)
        self.server.push(sid, dice.choice(["1", "41", "x", '42["bye"]', '451-["message"]\x1ebAQID']))
        if dice.random() < 0.3:
            self.server.push(sid, "3")

    def upgrade(self, dice):
        sid = self.server.open_polling()
        self.server.push(sid, "40")
        w = self.server.websocket(f"EIO=4&transport=websocket&sid={sid}")
        w.send("2probe")
        if dice.random() < 0.8:
            w.receive()
            w.send(dice.choice(["5", "5", "5", "6", "1"]))
            w.send('42["message",1]')
        w.close()

    def vanish(self, dice):
        w = self.server.websocket()
        if dice.random() < 0.7:
            w.send('40{"token":"slow"}' if dice.random() < 0.3 else "40")
        w.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        w.close()

    def test_a_crowd(self):
        self.errors = []
        end = time.monotonic() + 3
        crowd = [threading.Thread(target=self.play, args=[seed, end]) for seed in range(16)]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join()
        self.assertEqual(self.errors, [])
        self.assertIn("connects", self.server.stop())  # as many disconnects: its status is 0


class SlowReaders(Hostile):
    options = ("calm", "max_queue", 300000)

    def test_reliable_events_end_a_slow_reader(self):
        w = self.server.connect(buffer=4096)
        other = self.server.connect()
        w.send('42["flood",3000,2000]')
        wait_until(lambda: self.stats()["sessions"] == 2)
        other.send('42["message","fine"]')
        self.assertEqual(other.text(), '42["message-back","fine"]')
        other.close()
        self.assertEqual(w.wait_closed(), 1008)

    def test_volatile_events_are_dropped(self):
        w = self.server.connect(buffer=4096)
        w.send('427["flood",3000,2000,true]')
        wait_until(lambda: self.stats()["dropped"] > 0)
        last = -1
        numbers = []
        while True:
            text = w.text()
            if text == "437[]":
                break
            n = json.loads(text[2:])[1]
            self.assertGreater(n, last)
            last = n
            numbers.append(n)
        self.assertEqual(numbers[:20], list(range(20)))
        self.assertLess(len(numbers), 3000)
        w.send('42["message","fine"]')
        self.assertEqual(w.text(), '42["message-back","fine"]')
        w.close()

    def test_an_event_longer_than_any_queue_is_not_sent(self):
        w = self.server.connect()
        w.send('427["flood",1,400000]')
        self.assertEqual(w.text(), "437[]")
        self.assertEqual(self.stats()["dropped"], 1)
        w.close()

    def test_polling_is_bounded_too(self):
        sid = self.server.open_polling()
        self.server.push(sid, '40\x1e42["flood",3000,2000]')
        wait_until(lambda: self.stats()["polling"] == 0)
        self.assertEqual(self.server.poll(sid)[0], 400)


class FewSockets(Hostile):
    options = ("calm", "max_sockets", 3)

    def test_sessions_are_limited(self):
        w = [self.server.open_websocket() for _ in range(2)]
        sid = self.server.open_polling()
        self.assertEqual(self.server.get("EIO=4&transport=polling")[0], 503)
        with self.assertRaises(Refused) as refusal:
            self.server.websocket()
        self.assertEqual(refusal.exception.status, 503)
        w[0].send("1")
        w[0].wait_closed()
        self.server.connect().close()
        self.server.push(sid, "1")
        w[1].close()
        wait_until(lambda: self.server.get("EIO=4&transport=polling")[0] == 200)


class BusyPool(Hostile):
    options = ("calm", "workers", 1, "queue", 2)

    def test_events_wait_for_a_full_pool(self):
        clients = []
        while len(clients) < 20:
            clients.append(self.server.connect())
        for w in clients:
            w.send('42["sleep",10]')
            w.send('42["message","x"]')
        for w in clients:
            self.assertEqual(w.text(), '42["message-back","x"]')
            w.close()
        time.sleep(0.1)


class Ends(Hostile):
    def test_everyone_is_told_and_new_ones_are_refused(self):
        w = self.server.connect()
        busy = self.server.connect()
        busy.send('42["sleep",300]')
        self.server.connect()  # this one will not answer the close frame
        sid = self.server.open_polling()
        answers = []
        poll = threading.Thread(target=lambda: answers.append(self.server.poll(sid)[0]))
        poll.start()
        time.sleep(0.1)
        self.assertEqual(self.server.tell("stop"), "stopped")
        self.assertEqual(w.wait_closed(), 1001)
        self.assertEqual(busy.wait_closed(), 1001)
        poll.join()
        self.assertEqual(answers, [503])
        self.assertEqual(self.server.get("EIO=4&transport=polling")[0], 503)
        self.assertEqual(self.server.poll(sid)[0], 400)
        with self.assertRaises(Refused):
            self.server.websocket()
        self.assertIn("connects 3 disconnects 3", self.server.stop())

    def test_a_stop_delivers_what_waits_for_polling(self):
        sid = self.server.open_polling()
        self.server.push(sid, '40\x1e42["message",1]')
        time.sleep(0.2)
        stop = threading.Thread(target=self.server.tell, args=["stop"])
        stop.start()
        time.sleep(0.3)
        status, text = self.server.poll(sid)
        self.assertEqual(status, 200)
        self.assertTrue(text.endswith('42["message-back",1]'), text)
        self.assertEqual(self.server.poll(sid)[0], 400)
        stop.join()
        self.server.stop()

    def test_a_socket_can_be_ended_before_it_is_connected(self):
        w, other = self.server.open_websocket(), self.server.connect()
        w.send('40{"token":"slow"}')
        time.sleep(0.1)
        other.send('421["kick","slow"]')
        self.assertEqual(other.text(), "431[]")
        self.assertEqual(w.text(), '44{"message":"disconnected by the server"}')
        w.send("40")
        self.assertTrue(w.text().startswith("40{"))
        w.close()
        other.close()

    def test_what_waits_for_polling_is_delivered(self):
        sid = self.server.open_polling()
        self.server.push(sid, '40\x1e42["message",1]\x1e42["bye"]')
        time.sleep(0.2)
        status, text = self.server.poll(sid)
        self.assertEqual(status, 200)
        self.assertTrue(text.endswith('42["auth",{}]\x1e42["message-back",1]\x1e41'), text)

    def test_rooms_can_be_ended(self):
        a, b, c = (self.server.connect() for _ in range(3))
        for w in (a, b):
            w.send('421["join","r"]')
            self.assertEqual(w.text(), '431["joined"]')
        c.send('421["kick","r"]')
        self.assertEqual(c.text(), "431[]")
        self.assertEqual([a.text(), b.text()], ["41", "41"])
        c.send('42["message"]')
        self.assertEqual(c.text(), '42["message-back"]')
        wait_until(lambda: self.stats()["disconnects"] >= 2)
        for w in (a, b, c):
            w.close()


del Hostile  # only its heirs are cases

if __name__ == "__main__":
    unittest.main()
