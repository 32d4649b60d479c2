"""Workers are killed, Redis loses everything or stops, PostgreSQL restarts: every cell of a run ends
exactly once, and no picture is lost or doubled."""

import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import servers  # noqa: E402

PROGRAM = os.environ["WORKER_UNDER_TEST"]
CELLS = 200
PATIENCE = int(os.environ.get("CHAOS_PATIENCE") or 240)  # seconds until a run must have ended


class Workers:
    """Some processes that draw; one that ends is started again."""

    def __init__(self, shop, count, step_ms):
        self.command = [PROGRAM, "work", *shop, str(step_ms)]
        self.log = tempfile.TemporaryFile()
        self.all = [self.start() for _ in range(count)]

    def start(self):
        return subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=self.log)

    def kill_one(self):
        i = random.randrange(len(self.all))
        self.all[i].kill()
        self.all[i].wait()
        self.all[i] = self.start()

    def alive(self):
        return sum(p.poll() is None for p in self.all)

    def stop(self):
        for p in self.all:
            p.send_signal(signal.SIGTERM)
        return [p.wait(60) for p in self.all]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for p in self.all:
            p.kill()
            p.wait()
        self.log.seek(0)
        if error[0]:
            print("# " + self.log.read().decode(errors="replace")[-6000:].replace("\n", "\n# "))
        self.log.close()


class Chaos(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="chaos-")
        self.addCleanup(self.folder.cleanup)
        seed = int(os.environ.get("CHAOS_SEED") or random.randrange(1 << 30))
        random.seed(seed)
        print(f"# CHAOS_SEED={seed}", flush=True)

    def shop(self, database=None, queue="memory:"):
        return [database or f"sqlite://{self.folder.name}/jobs.db", queue,
                f"file://{self.folder.name}/blobs"]

    def start(self, kind):
        server = kind(self.folder.name)
        server.start()
        self.addCleanup(server.kill)
        return server

    def submit(self, shop, prompt="chaos", cells=CELLS):
        done = subprocess.run([PROGRAM, "submit", *shop, str(cells), prompt], capture_output=True,
                              text=True, check=True, timeout=120)
        return done.stdout.strip()

    def report(self, shop, run):
        done = subprocess.run([PROGRAM, "report", *shop, run], capture_output=True, text=True,
                              check=False, timeout=120)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def wait(self, shop, run):
        end = time.monotonic() + PATIENCE
        while True:
            found = self.report(shop, run)
            if found and found["status"] == "completed":
                return found
            self.assertLess(time.monotonic(), end, f"the run does not end: {found}")
            time.sleep(0.5)

    def check(self, found, cells=CELLS):
        self.assertEqual(
            {**found, "status": "completed"},
            {"status": "completed", "cells": cells, "succeeded": cells, "without_picture": 0,
             "completed": cells, "failed": 0, "total": cells, "images": cells, "blobs": cells,
             "live_jobs": 0, "succeeded_jobs": cells})
        files = [p for p in pathlib.Path(self.folder.name, "blobs").rglob("*")
                 if p.is_file() and len(p.name) == 64]
        self.assertEqual(len(files), cells, "one file a picture")

    def fleet(self):
        postgres, redis = self.start(servers.Postgres), self.start(servers.Redis)
        return postgres, redis, self.shop(postgres.url, redis.url)

    # ==== killed workers ====

    def test_kill_alone(self):
        """SQLite and memory: one process, killed ten times."""
        shop = self.shop()
        run = self.submit(shop)
        with Workers(shop, 1, 100) as workers:
            for _ in range(10):
                time.sleep(random.uniform(0.2, 2.5))
                workers.kill_one()
            self.check(self.wait(shop, run))
            self.assertEqual(workers.stop(), [0])

    def test_kill_fleet(self):
        """PostgreSQL and Redis: three processes, one of them killed ten times."""
        _, _, shop = self.fleet()
        run = self.submit(shop)
        with Workers(shop, 3, 200) as workers:
            for _ in range(10):
                time.sleep(random.uniform(0.1, 1.5))
                workers.kill_one()
            self.check(self.wait(shop, run))
            self.assertEqual(workers.stop(), [0, 0, 0])

    # ==== servers that go ====

    def redis_command(self, redis, line):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(str(redis.folder / "socket"))
            s.sendall(line + b"\r\n")
            self.assertEqual(s.recv(64), b"+OK\r\n")

    def test_redis_flushed(self):
        _, redis, shop = self.fleet()
        run = self.submit(shop)
        with Workers(shop, 2, 100) as workers:
            for _ in range(5):
                time.sleep(random.uniform(0.3, 1.5))
                self.redis_command(redis, b"FLUSHALL")
            self.check(self.wait(shop, run))
            self.assertEqual(workers.alive(), 2)
            self.assertEqual(workers.stop(), [0, 0])

    def test_redis_stopped(self):
        """Ten seconds without Redis, once ended and once only silent."""
        _, redis, shop = self.fleet()
        run = self.submit(shop)
        with Workers(shop, 2, 300) as workers:
            time.sleep(1.5)
            redis.kill()
            time.sleep(10)
            redis.start()
            time.sleep(2)
            redis.process.send_signal(signal.SIGSTOP)
            time.sleep(10)
            redis.process.send_signal(signal.SIGCONT)
            self.check(self.wait(shop, run))
            self.assertEqual(workers.alive(), 2)
            self.assertEqual(workers.stop(), [0, 0])

    def test_postgres_restarted(self):
        postgres, _, shop = self.fleet()
        run = self.submit(shop)
        with Workers(shop, 2, 200) as workers:
            time.sleep(1.5)
            postgres.restart()
            time.sleep(2)
            postgres.kill()
            time.sleep(3)
            postgres.start()
            time.sleep(1)
            postgres.restart()
            self.check(self.wait(shop, run))
            self.assertEqual(workers.alive(), 2)
            self.assertEqual(workers.stop(), [0, 0])

    # ==== polite ends ====

    def test_stop_and_go(self):
        """SIGTERM hands back what is not done; nothing counts as an attempt."""
        _, _, shop = self.fleet()
        run = self.submit(shop)
        for _ in range(4):
            with Workers(shop, 2, 100) as workers:
                time.sleep(random.uniform(0.5, 1.5))
                self.assertEqual(workers.stop(), [0, 0])
        with Workers(shop, 2, 20) as workers:
            self.check(self.wait(shop, run))
            self.assertEqual(workers.stop(), [0, 0])


for missing, tests in (("redis-server", ["kill_fleet", "redis_flushed", "redis_stopped",
                                         "postgres_restarted", "stop_and_go"]),):
    if not shutil.which(missing):
        for name in tests:
            setattr(Chaos, "test_" + name, unittest.skip(f"there is no {missing}")(
                getattr(Chaos, "test_" + name)))
