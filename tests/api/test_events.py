"""Progress over Socket.IO from the real server, with the stock Python client (build/venv): rooms,
who may listen, every event once, binary previews, the end of a session."""

import json
import os
import pathlib
import subprocess
import unittest

from server import SMALL, ApiTest, need_backends

PYTHON = pathlib.Path(os.environ.get("CAULDRON_TEST_VENV", "")) / "bin" / "python"
PASSWORD = "correct horse battery"
SPEC = {"version": 1, "type": "convergence", "prompts": ["a red circle"],
        "base": {"model": "demo", "width": 64, "height": 64, "cfg_scale": 3},
        "samplers": ["euler", "ddim"], "steps": [2, 3, 4]}


def setUpModule():
    need_backends()
    if not PYTHON.exists():
        raise unittest.SkipTest("NOT RUN: no stock clients; tools/test_clients.sh installs them")


class Listener:
    """listen.py in the stock client's environment: commands in, events out, one JSON a line."""

    def __init__(self, url, **options):
        self.process = subprocess.Popen(
            [PYTHON, pathlib.Path(__file__).with_name("listen.py"), url, json.dumps(options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"event": "gone"}

    def until(self, what):
        """All events up to and including the first for which what(event) is true."""
        seen = []
        while not seen or not what(seen[-1]):
            seen.append(self.read())
            if seen[-1]["event"] == "gone":
                raise AssertionError(f"it ended: {seen}")
        return seen

    def send(self, event, data):
        self.process.stdin.write(json.dumps([event, data]) + "\n")
        self.process.stdin.flush()
        return self.until(lambda e: e["event"] == "ack")[-1]["data"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


class Events(ApiTest):
    def listen(self, **options):
        listener = Listener(self.server.url, **options)
        self.addCleanup(listener.close)
        return listener

    def start(self, seed, headers=None):
        spec = {**SPEC, "base": {**SPEC["base"], "seed": seed}}
        return self.post("/api/v1/experiments", {"spec": spec}, 201, headers=headers or {}).json

    def run_and_listen(self, listener, seed, rooms):
        x = self.start(seed)
        if rooms:
            listener.send("subscribe", {"rooms": [r.format(x["id"]) for r in rooms]})
        self.post(x["url"] + "/start", None, 202)
        name = f"experiment:{x['id']}:progress"
        seen = listener.until(lambda e: e["event"] == name and e["data"]["status"] == "completed")
        return x, [e for e in seen if x["id"] in e["event"]]


class Progress(Events):
    def check(self, transports):
        listener = self.listen(transports=transports)
        self.assertEqual(listener.read()["event"], "connect")
        x, seen = self.run_and_listen(listener, 100 + len(transports[0]), ["experiment:{}"])
        progress = [e["data"] for e in seen if e["event"].endswith(":progress")]
        cells = [e["data"] for e in seen if e["event"].endswith(":cell")]
        numbers = [p["sequence"] for p in progress]
        self.assertEqual(numbers, sorted(set(numbers))) # in order, none twice
        last = progress[-1]
        self.assertEqual((last["completed"], last["total"], last["failed"]), (6, 6, 0))
        self.assertEqual(last["run_id"], self.get(x["url"]).json["run"]["id"])
        self.get(last["latest_image"]["thumbnail_url"])
        drawn = [c["generation"]["id"] for c in cells]
        self.assertEqual(len(drawn), len(set(drawn)))
        self.assertTrue(all(c["generation"]["status"] == "succeeded" for c in cells))

    def test_by_polling(self):
        self.check(["polling"])

    def test_by_websocket(self):
        self.check(["websocket"])

    def test_the_owner_hears_without_asking(self):
        listener = self.listen()
        listener.read()
        _, seen = self.run_and_listen(listener, 110, [])
        self.assertTrue(seen)
        self.assertFalse([e for e in seen if e["event"].endswith(":cell")])

    def test_a_generation_with_previews(self):
        listener = self.listen()
        listener.read()
        with self.paused_queue():
            one = self.post("/api/v1/generate", {**SMALL, "steps": 60, "width": 128, "height": 128},
                            202).json["generations"][0]
            answer = listener.send("subscribe", {"rooms": [f"generation:{one['id']}"]})
            self.assertEqual(answer, {"rooms": [f"generation:{one['id']}"]})
        seen = listener.until(lambda e: e["event"] == f"generation:{one['id']}:done")
        steps = [e["data"] for e in seen if e["event"] == f"generation:{one['id']}:progress"]
        self.assertTrue(any(s.get("preview", "").startswith("ffd8") for s in steps)) # JPEG, as hex
        self.assertEqual({s["steps"] for s in steps}, {60})
        self.assertEqual(seen[-1]["data"]["status"], "succeeded")
        self.assertEqual(seen[-1]["data"]["image"]["url"], one["url"] + "/image")

    def test_what_is_wrong_is_said(self):
        listener = self.listen()
        listener.read()
        nobody = "00000000-0000-7000-8000-000000000000"
        for rooms, code in ((["user:1"], "invalid"), (["experiment:x"], "invalid"), ([], "invalid"),
                            ([f"experiment:{nobody}"], "not_found")):
            answer = listener.send("subscribe", {"rooms": rooms})
            self.assertEqual(answer["error"]["code"], code, rooms)
        self.assertIn("error", listener.send("shout", {}))


class People(Events):
    users = (("anna", "admin", PASSWORD), ("ed", "editor", PASSWORD), ("eve", "editor", PASSWORD))

    def cookie(self, name):
        answer = self.post("/api/v1/login", {"name": name, "password": PASSWORD})
        return {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}

    def test_nobody_is_not_let_in(self):
        self.assertEqual(self.listen().read(), {"event": "refused", "data": "not authorized"})
        self.assertEqual(self.listen(auth={"token": "sc_wrong"}).read()["event"], "refused")

    def test_a_key_in_the_first_packet(self):
        key = self.post("/api/v1/api-keys", {"name": "k"}, 201, headers=self.cookie("ed")).json
        self.assertEqual(self.listen(auth={"token": key["key"]}).read()["event"], "connect")

    def test_others_do_not_hear(self):
        ed, eve, anna = self.cookie("ed"), self.cookie("eve"), self.cookie("anna")
        x = self.start(120, ed)
        room = {"rooms": [f"experiment:{x['id']}"]}
        stranger = self.listen(headers=eve)
        stranger.read()
        self.assertEqual(stranger.send("subscribe", room)["error"]["code"], "not_found")
        admin = self.listen(headers=anna)
        admin.read()
        self.assertEqual(admin.send("subscribe", room), room)

    def test_a_session_that_ends_takes_its_sockets_along(self):
        ed = self.cookie("ed")
        listener = self.listen(headers=ed)
        self.assertEqual(listener.read()["event"], "connect")
        self.post("/api/v1/logout", None, 204, headers=ed)
        self.assertEqual(listener.read()["event"], "disconnect")
