"""Tasks over the API, on both shapes of the platform: run, paused, resumed, cancelled, run again."""

import pathlib
import time
import unittest

from workplace import Folder, document, records, write_jsonl  # first: it finds the others

from server import Server, need_backends  # tests/api

BASE = "/api/v1/tasks"


def setUpModule():
    need_backends()


class Api(unittest.TestCase):
    def setUp(self):
        self.server = Server("--lease-seconds", "2")
        self.addCleanup(self.server.remove)
        self.folder = pathlib.Path(self.server.folder)
        self.out = Folder(self.folder / "out")

    def create(self, count, steps=2, **more):
        path = write_jsonl(self.folder / "prompts.jsonl", records(count))
        doc = document("api", {"type": "jsonl", "path": str(path)}, self.out.url,
                       results={"type": "jsonl", "path": str(self.folder / "results.jsonl")}, **more)
        doc["model"]["parameters"] = {**doc["model"]["parameters"], "steps": steps}
        answer = self.server.ask("POST", BASE, {"document": doc})
        self.assertEqual(answer.status, 201, answer.body)
        self.url = answer.json["url"]
        return answer.json

    def get(self):
        return self.server.ask("GET", self.url).json

    def post(self, what, body=None, status=200):
        answer = self.server.ask("POST", f"{self.url}/{what}", body)
        self.assertEqual(answer.status, status, answer.body)
        return answer.json

    def wait(self, what, seconds=120):
        end = time.monotonic() + seconds
        while not what(task := self.get()):
            self.assertLess(time.monotonic(), end, task)
            time.sleep(0.2)
        return task

    def check_objects(self, count):
        names = [n for n in self.out.all() if n.endswith(".png")]
        self.assertEqual(len(names), count)
        self.assertEqual(len(self.out.all()), 2 * count)

    def queued(self):
        return self.server.ask("GET", "/api/v1/queue").json

    def test_run_to_its_end_and_again(self):
        self.create(30)
        task = self.wait(lambda t: t["status"] == "completed")
        self.assertEqual((task["counts"]["succeeded"], task["ended"]), (30, 30))
        self.check_objects(30)
        report = self.server.ask("GET", f"{self.url}/report").json
        self.assertEqual(report["counts"]["succeeded"], 30)
        self.post("run")
        task = self.wait(lambda t: t["status"] == "completed" and t["rounds"] == 2)
        self.assertEqual((task["known"], task["counts"]["succeeded"]), (30, 30))
        self.check_objects(30)

    def test_paused_nothing_moves(self):
        self.create(300, steps=4, window=20)
        self.wait(lambda t: t["counts"]["succeeded"] > 0)
        self.assertEqual(self.post("pause")["status"], "paused")
        time.sleep(2)  # what was on its way arrives
        before = self.get()["counts"]
        self.assertLess(before["succeeded"], 300)
        time.sleep(2)
        self.assertEqual(self.get()["counts"], before)
        self.post("resume")
        task = self.wait(lambda t: t["status"] == "completed")
        self.assertEqual(task["counts"]["succeeded"], 300)
        self.check_objects(300)

    def test_cancelled_leaves_what_was_stored(self):
        self.create(300, steps=4, window=20)
        self.wait(lambda t: t["counts"]["succeeded"] > 0)
        self.assertEqual(self.post("cancel")["status"], "cancelled")
        task = self.wait(lambda t: not any(t["counts"][s] for s in
                                           ("waiting", "ready", "stored", "failing")))
        self.assertLess(task["counts"]["succeeded"], 300)
        self.assertEqual(task["counts"]["failed"], 0)
        self.check_objects(task["counts"]["succeeded"])
        # What was cancelled is made the next time.
        self.post("run")
        task = self.wait(lambda t: t["status"] == "completed")
        self.assertEqual(task["counts"]["succeeded"], 300)
        self.check_objects(300)

    def test_the_server_is_stopped_and_started(self):
        self.create(200, steps=4, window=50)
        self.wait(lambda t: t["counts"]["succeeded"] > 0)
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        task = self.wait(lambda t: t["status"] == "completed")
        self.assertEqual(task["counts"]["succeeded"], 200)
        self.check_objects(200)

    def test_a_sample_is_approved(self):
        self.create(20, canary={"count": 4})
        task = self.wait(lambda t: t["status"] == "awaiting_approval")
        run = self.server.ask("GET", f"/api/v1/experiments/{task['experiment_id']}").json["run"]
        self.assertEqual((run["total"], run["completed"]), (4, 4))
        self.check_objects(0)
        self.post("approve", {"approved": True})
        task = self.wait(lambda t: t["status"] == "completed")
        self.assertEqual((task["counts"]["succeeded"], task["reused"]), (20, 4))
        self.check_objects(20)


if __name__ == "__main__":
    unittest.main()
