"""kill -9 in the middle of an experiment of 200 cells, ten times: every cell ends exactly once, and
no picture is lost or doubled. With Redis: also flushed and stopped; with PostgreSQL: restarted."""

import hashlib
import pathlib
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

import server
from server import DATABASE, PROGRAM, QUEUE, SOURCE, Server, need_backends

sys.path.insert(0, str(SOURCE / "tests"))
import servers  # noqa: E402  (the folder above is where it lies)

KILLS = 10
SPEC = {"version": 1, "type": "parameter_sweep",
        "base": {"model": "demo", "width": 64, "height": 64, "cfg_scale": 3, "steps": 8},
        "prompts": ["a red circle", "two blue squares"], "samplers": ["euler", "ddim"],
        "cfg_scales": [1, 2, 3, 4, 5], "replicates": {"count": 10, "seed": 1}}
CELLS = 200


def setUpModule():
    need_backends()


class Chaos(unittest.TestCase):
    """Own PostgreSQL and Redis, because they are ended, too."""

    def setUp(self):
        self.random = random.Random(7)
        self.keep = tempfile.TemporaryDirectory()
        self.addCleanup(self.keep.cleanup)
        self.postgres = self.redis = None
        if DATABASE == "postgres":
            self.postgres = servers.Postgres(self.keep.name)
            self.postgres.start()
            self.addCleanup(self.postgres.stop)
            server.POSTGRES = self.postgres.url
        if QUEUE == "redis":
            self.redis = servers.Redis(self.keep.name)
            self.redis.start()
            self.addCleanup(self.redis.stop)
            server.REDIS = self.redis.url
        self.server = Server("--lease-seconds", "2")
        self.addCleanup(self.server.remove)

    def begin(self):
        answer = self.server.ask("POST", "/api/v1/experiments", {"spec": SPEC, "start": True})
        self.assertEqual(answer.status, 201, answer.body)
        self.url = answer.json["url"]
        self.assertEqual(answer.json["run"]["total"], CELLS)

    def run_now(self):
        try:
            return self.server.ask("GET", self.url, timeout=10).json["run"]
        except (OSError, KeyError, TypeError, ValueError): # away for a moment
            return None

    def wait_for_end(self, seconds=150):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            run = self.run_now()
            if run and run["status"] == "completed":
                return run
            time.sleep(0.2)
        self.fail(f"not ended: {self.run_now()}\n" + "\n".join(self.server.log[-30:]))

    def rows(self, sql):
        if DATABASE == "sqlite":
            with sqlite3.connect(self.server.folder / "data" / "cauldron.db") as db:
                return [tuple(map(str, row)) for row in db.execute(sql)]
        url = self.server.backends.options[1]
        done = subprocess.run(["psql", "-qAtF", "|", url, "-c", sql], check=True, text=True,
                              capture_output=True)
        return [tuple(line.split("|")) for line in done.stdout.splitlines()]

    def check(self):
        """What the database and the disk say when all is done."""
        run = self.wait_for_end()
        self.assertEqual((run["completed"], run["failed"], run["cancelled"]), (CELLS, 0, 0))
        self.assertEqual(self.rows("SELECT status, count(*) FROM generations GROUP BY status"),
                         [("succeeded", str(CELLS))])
        self.assertEqual(self.rows("SELECT count(*), count(DISTINCT key), count(DISTINCT cell) "
                                   "FROM generations"), [(str(CELLS),) * 3])
        self.assertEqual(self.rows("SELECT count(*) FROM images"), [(str(CELLS),)])
        self.assertEqual(self.rows("SELECT count(*), count(DISTINCT key) FROM jobs "
                                   "WHERE status = 'succeeded'"), [(str(CELLS),) * 2])
        self.assertEqual(self.rows("SELECT count(*) FROM jobs WHERE status <> 'succeeded'"),
                         [("0",)])
        for sha, size in self.rows("SELECT sha256, bytes FROM images"):
            found, = (self.server.folder / "data" / "blobs").rglob(sha)
            data = pathlib.Path(found).read_bytes()
            self.assertEqual(len(data), int(size))
            self.assertEqual(hashlib.sha256(data).hexdigest(), sha)

    def pause(self):
        time.sleep(self.random.uniform(0.1, 0.9))


class KillTheServer(Chaos):
    def test_ten_times(self):
        self.begin()
        for _ in range(KILLS):
            self.pause()
            self.server.stop(signal.SIGKILL)
            self.server.start()
        self.check()


class KillWorkers(Chaos):
    """A server that does not draw, and two workers beside it."""

    def setUp(self):
        if DATABASE != "postgres" or QUEUE != "redis":
            self.skipTest("workers of their own share PostgreSQL and Redis")
        super().setUp()
        self.server.stop()
        self.server.options.append("--no-draw")
        self.server.start()
        self.workers = [self.worker(), self.worker()]
        self.addCleanup(lambda: [self.end(w, signal.SIGTERM) for w in self.workers])

    def worker(self):
        return subprocess.Popen([PROGRAM, "worker", "--lease-seconds", "2", "--threads", "1",
                                 *self.server.storage()], env=self.server.environment(),
                                cwd=self.server.folder, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @staticmethod
    def end(worker, number):
        worker.send_signal(number)
        worker.wait(60)

    def test_ten_times(self):
        self.begin()
        for _ in range(KILLS):
            self.pause()
            which = self.random.randrange(2)
            self.end(self.workers[which], signal.SIGKILL)
            self.workers[which] = self.worker()
        self.check()


class LoseRedis(Chaos):
    def setUp(self):
        if QUEUE != "redis":
            self.skipTest("there is no Redis in this pair")
        super().setUp()

    def test_flushed(self):
        self.begin()
        for _ in range(3):
            self.pause()
            subprocess.run(["redis-cli", *self.client(), "FLUSHALL"], check=True,
                           stdout=subprocess.DEVNULL)
        self.check()

    def client(self):
        path = re.sub(r"^[a-z+]+:(//)?", "", self.redis.url)
        return ["-s", path.split("?")[0]] if path.startswith("/") else ["-u", self.redis.url]

    def test_stopped_for_ten_seconds(self):
        self.begin()
        self.pause()
        self.redis.kill()
        time.sleep(10)
        self.redis.start()
        self.check()


    def ready(self):
        answer = self.server.ask("GET", "/readyz")
        return answer.status == 200, {c["name"] for c in answer.json["checks"] if not c["ok"]}

    def until_ready(self, seconds=30):
        end = time.monotonic() + seconds
        while not self.ready()[0]:
            self.assertLess(time.monotonic(), end, self.ready())
            time.sleep(0.1)

    def test_away_at_the_start(self):
        self.server.stop()
        self.redis.kill()
        self.server.start()
        self.assertTrue(any("Redis is away" in line for line in self.server.log), self.server.log)
        ready, missing = self.ready()
        self.assertFalse(ready)
        self.assertIn("queue", missing)
        self.assertEqual(self.server.ask("GET", "/healthz").status, 200)
        self.begin()
        self.redis.start()
        self.until_ready()
        self.check()

    def test_one_that_refuses_ends_the_start(self):
        self.server.stop()
        at = self.server.backends.options.index("--redis") + 1
        right = self.server.backends.options[at]
        self.server.backends.options[at] = right.replace("://", "://:wrong@", 1)
        with self.assertRaisesRegex(RuntimeError, "(?i)auth"):
            self.server.start()
        self.server.backends.options[at] = right


class RestartPostgres(Chaos):
    def setUp(self):
        if DATABASE != "postgres":
            self.skipTest("there is no PostgreSQL in this pair")
        super().setUp()

    def test_restarted(self):
        self.begin()
        for _ in range(2):
            self.pause()
            self.postgres.stop()
            time.sleep(1)
            self.postgres.start()
        self.check()

    def test_crashed(self):
        self.begin()
        self.pause()
        self.postgres.kill()
        self.postgres.start()
        self.check()
