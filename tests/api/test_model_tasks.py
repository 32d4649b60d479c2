"""Downloads and checks of models over the API, from a hub that misbehaves."""

import pathlib
import shutil
import signal
import tempfile
import unittest

from hub import FakeHub
from server import SOURCE, ApiTest, Server, need_backends
from test_events import PYTHON, Listener

setUpModule = need_backends
NAME = "maker/pulled"
TASKS = "/api/v1/model-tasks"
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
PASSWORD = "correct horse battery"


def demo_files():
    root = SOURCE / "models/demo"
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


class HubServer(Server):
    """A server whose hub is ours."""

    hub = None
    token = None

    def environment(self):
        env = {**super().environment(), "HF_ENDPOINT": self.hub.url}
        if self.token:
            env["HF_TOKEN"] = self.token
        return env


class TasksTest(ApiTest):
    token = None

    @classmethod
    def setUpClass(cls):
        cls.hub = FakeHub(token=cls.token)
        cls.hub.__enter__()
        cls.addClassCleanup(cls.hub.__exit__)
        cls.files = demo_files()
        cls.hub.add(NAME, cls.files)
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="cauldron-models-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        shutil.copytree(SOURCE / "models/demo", cls.folder / "demo")

        class Here(HubServer):
            hub, token = cls.hub, cls.token

        cls.server = Here(models=cls.folder, users=cls.users)
        cls.headers = {}
        cls.blobs = cls.server.folder / ".cache/huggingface/hub/models--maker--pulled/blobs"

    def setUp(self):
        self.hub.faults.__init__()
        self.hub.requests.clear()
        shutil.rmtree(self.blobs.parent, ignore_errors=True)

    def begin(self, kind="pull", model=NAME, **more):
        task = self.post(TASKS, {"kind": kind, "model": model, **more}, 202).json
        self.assertEqual((task["kind"], task["model"], task["status"]), (kind, model, "running"))
        return task["id"]

    def state(self, task):
        return self.get(f"{TASKS}/{task}").json

    def end(self, task, status="succeeded"):
        self.until(lambda: self.state(task)["status"] != "running")
        state = self.state(task)
        self.assertEqual(state["status"], status, state)
        self.assertTrue(state["finished_at"])
        self.assertEqual(bool(state["error"]), status == "failed", state)
        return state

    def moving(self, task):
        """Wait until bytes of the weights have arrived."""
        self.until(lambda: self.state(task)["file"] == WEIGHTS and any(
            p.stat().st_size > 100_000 for p in self.blobs.glob("*.incomplete")))
        return self.state(task)

    def ranges(self):
        return [r.headers.get("range") for r in self.hub.seen("GET", WEIGHTS)
                if r.server == "content"]


class Pull(TasksTest):
    def test_pulled_watched_and_drawn_with(self):
        if not PYTHON.exists():
            self.skipTest("NOT RUN: no stock clients; tools/test_clients.sh installs them")
        listener = Listener(self.server.url)
        self.addCleanup(listener.close)
        listener.read()
        self.assertEqual(listener.send("subscribe", {"rooms": ["models"]}), {"rooms": ["models"]})
        self.get(f"/api/v1/models/{NAME.replace('/', '%2F')}", 404)
        self.hub.faults.delay = 0.001
        task = self.begin()
        seen = [e["data"] for e in listener.until(
            lambda e: e["event"] == "model-task" and e["data"]["status"] != "running")]
        self.assertEqual({e["id"] for e in seen}, {task})
        last = seen[-1]
        self.assertEqual(last, self.state(task))
        self.assertEqual(last["status"], "succeeded")
        self.assertEqual(last["done"], last["total"])
        self.assertRegex(last["detail"], r"^\d+ files, [\d.]+ MB, \d+ of them new$")
        done = [e["done"] for e in seen]
        self.assertEqual(done, sorted(done))
        middle = [e for e in seen if e["file"] == WEIGHTS and 0 < e["done"] < last["total"]]
        self.assertGreater(len(middle), 2, seen)
        self.assertTrue(any(e["bytes_per_second"] > 0 and e["eta_seconds"] > 0 for e in middle
                            if e["bytes_per_second"]), middle)
        self.assertEqual({e["total"] for e in middle}, {last["total"]})
        self.assertIn(NAME, [m["name"] for m in self.get("/api/v1/models").json["items"]])
        self.draw_one(model=NAME)
        self.assertEqual(self.get(TASKS).json["items"][0], last)

    def test_a_cut_connection_is_resumed(self):
        self.hub.faults.cut[WEIGHTS] = [300_000, 200_000]
        self.end(self.begin())
        self.assertEqual(self.ranges(), [None, "bytes=300000-", "bytes=500000-"])

    def test_cancelled_and_pulled_again(self):
        self.hub.faults.delay = 0.002
        task = self.begin()
        self.moving(task)
        cancelled = self.post(f"{TASKS}/{task}/cancel").json
        self.assertEqual((cancelled["status"], cancelled["error"]), ("cancelled", None))
        self.assertEqual(self.post(f"{TASKS}/{task}/cancel").json, cancelled)
        self.assertTrue(0 < cancelled["done"] < cancelled["total"])
        self.hub.faults.delay = 0
        again = self.begin()
        state = self.end(again)
        self.assertRegex(self.ranges()[-1], r"^bytes=\d{6,}-$")
        self.assertEqual(self.state(task)["status"], "cancelled")
        self.problem(409, "POST", f"{TASKS}/{again}/cancel")
        self.assertEqual(self.state(again), state)

    def test_one_after_the_other(self):
        self.hub.faults.delay = 0.002
        first = self.begin()
        self.problem(409, "POST", TASKS, {"kind": "pull", "model": NAME})
        second = self.begin("verify", "demo")
        self.moving(first)
        waiting = self.state(second)
        self.assertEqual((waiting["done"], waiting["total"], waiting["status"]), (0, None, "running"))
        third = self.begin(variant="fp16")
        self.assertEqual(self.post(f"{TASKS}/{third}/cancel").json["status"], "cancelled")
        self.assertEqual([t["id"] for t in self.get(TASKS).json["items"]][:3], [third, second, first])
        self.post(f"{TASKS}/{first}/cancel")
        self.end(second)
        self.assertEqual(self.state(third)["done"], 0)

    def test_a_wrong_checksum(self):
        self.hub.faults.corrupt = {WEIGHTS}
        error = self.end(self.begin(), "failed")["error"]
        self.assertEqual(error["code"], "format")
        self.assertIn(WEIGHTS, error["message"])
        self.assertIn("checksum", error["message"])
        self.assertFalse(list(self.blobs.glob("*.incomplete")))
        self.hub.faults.corrupt = set()
        self.end(self.begin())

    def test_what_is_not_there(self):
        for more in ({"model": "maker/none"}, {"revision": "none"}):
            error = self.end(self.begin(**more), "failed")["error"]
            self.assertEqual(error["code"], "not_found")
            self.assertIn("404", error["message"])
        self.problem(422, "POST", TASKS, {"kind": "pull", "model": "a/b/c"})
        self.problem(422, "POST", TASKS, {"kind": "pull", "model": NAME, "revision": "../x"})
        self.problem(422, "POST", TASKS, {"kind": "eat", "model": NAME}, pointers=["/kind"])
        nobody = "00000000-0000-7000-8000-000000000000"
        self.problem(404, "GET", f"{TASKS}/{nobody}")
        self.problem(404, "POST", f"{TASKS}/{nobody}/cancel")

    def test_killed_and_started_again(self):
        for number in (signal.SIGKILL, signal.SIGTERM):
            self.hub.faults.delay = 0.002
            task = self.begin()
            self.moving(task)
            self.server.stop(number)
            have = max(p.stat().st_size for p in self.blobs.glob("*.incomplete"))
            self.server.start()
            self.get(f"{TASKS}/{task}", 404)
            self.hub.faults.delay = 0
            self.end(self.begin())
            self.assertEqual(self.ranges()[-1], f"bytes={have}-")
            self.draw_one(model=NAME, seed=number)
            self.setUp()


class Verify(TasksTest):
    def test_good_and_broken(self):
        files = self.folder / "demo"
        state = self.end(self.begin("verify", "demo"))
        self.assertRegex(state["detail"], "^digest [0-9a-f]{64}")
        self.assertEqual(state["done"], state["total"])
        self.assertIn("as remembered", self.end(self.begin("verify", "demo"))["detail"])
        shutil.copy(SOURCE / "models/SHA256SUMS", self.folder)
        self.assertRegex(self.end(self.begin("verify", "demo"))["detail"], r"\d+ files as in SHA256SUMS")
        with open(files / WEIGHTS, "r+b") as weights:
            weights.seek(-1, 2)
            last = weights.read(1)
            weights.seek(-1, 2)
            weights.write(bytes([last[0] ^ 1]))
        error = self.end(self.begin("verify", "demo"), "failed")["error"]
        self.assertEqual(error["code"], "format")
        self.assertIn("is not what it was", error["message"])
        self.assertIn(WEIGHTS, error["message"])
        shutil.copy(SOURCE / "models/demo" / WEIGHTS, files / WEIGHTS)
        self.end(self.begin("verify", "demo"))
        self.problem(404, "POST", TASKS, {"kind": "verify", "model": "nosuch"})

    def test_what_was_pulled(self):
        self.end(self.begin())
        detail = self.end(self.begin("verify", NAME))["detail"]
        self.assertRegex(detail, r"\d+ files as their blobs are named")
        blob = max(self.blobs.iterdir(), key=lambda p: p.stat().st_size)
        data = bytearray(blob.read_bytes())
        data[-1] ^= 1
        blob.write_bytes(data)
        self.assertIn(blob.name, self.end(self.begin("verify", NAME), "failed")["error"]["message"])


class Doors(TasksTest):
    """With users, and a hub that wants a token that this server has not."""

    users = (("anna", "admin", PASSWORD), ("ed", "editor", PASSWORD), ("vic", "viewer", PASSWORD))
    token = "hf_right"

    def login(self, name):
        self.headers = {}  # whoever logs in anew leaves the former session
        answer = self.post("/api/v1/login", {"name": name, "password": PASSWORD})
        return {"Cookie": answer.headers["Set-Cookie"].split(";")[0], "Origin": self.server.url}

    def test_only_admins_begin_and_cancel(self):
        anna = self.login("anna")
        self.headers = anna
        self.end(self.begin())
        task = self.begin("verify", "demo")
        for name in ("ed", "vic"):
            self.headers = self.login(name)
            self.problem(403, "POST", TASKS, {"kind": "pull", "model": NAME})
            self.problem(403, "POST", f"{TASKS}/{task}/cancel")
            self.assertEqual(self.state(task)["id"], task)
            self.assertEqual(self.get(TASKS).json["items"][0]["id"], task)
        self.headers = {}
        self.problem(401, "GET", TASKS)
        self.headers = anna
        self.end(task)

    def test_a_wrong_token(self):
        self.headers = self.login("anna")
        self.hub.token = "hf_other"
        self.addCleanup(setattr, self.hub, "token", self.token)
        error = self.end(self.begin(), "failed")["error"]
        self.assertEqual(error["code"], "not_found")
        self.assertIn("HF_TOKEN", error["message"])
        self.assertNotIn("hf_right", error["message"])


class Listed(TasksTest):
    """The hub is listed, and where it keeps its large files is not."""

    def test_hosts_that_are_not_listed(self):
        self.server.stop()
        self.server.options += ["--allow-hosts", self.hub.url.removeprefix("http://")]
        self.server.start()
        error = self.end(self.begin(), "failed")["error"]
        self.assertEqual(error["code"], "denied")
        self.assertIn(self.hub.content_url.rsplit(":", 1)[1], error["message"])
        self.assertIn("CAULDRON_ALLOW_HOSTS", error["message"])


if __name__ == "__main__":
    unittest.main()
