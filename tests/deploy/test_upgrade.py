"""An upgrade without downtime: the schema grows while an old server and an old worker are at work, new
ones come beside them, the old ones go, and all the while requests are made and pictures drawn. No
request fails, no job is lost, no picture is drawn twice.

CAULDRON_PREVIOUS names the program of the version before; without, this one plays both parts, and the
schema grows by columns and indexes that it does not know.
"""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error

import fleet
import server
import servers

PREVIOUS = os.environ.get("CAULDRON_PREVIOUS") or fleet.PROGRAM
MIGRATIONS = fleet.SOURCE / "src" / "storage" / "migrations"
# Up to here they came before there was anything to upgrade.
FIRST_KEPT = 5
SPEC = {"version": 1, "type": "parameter_sweep", "prompts": ["a red circle", "two blue squares"],
        "base": {"model": "demo", "width": 64, "height": 64, "steps": 12, "cfg_scale": 3},
        "replicates": {"count": 150, "seed": 1}}
CELLS = 300
# What a migration may do: the old program's statements go on to work, also the prepared ones.
GROWS = """
ALTER TABLE generations ADD COLUMN from_the_future text;
ALTER TABLE jobs ADD COLUMN from_the_future bigint NOT NULL DEFAULT 0;
ALTER TABLE images ADD COLUMN from_the_future text;
CREATE TABLE from_the_future (id text PRIMARY KEY);
CREATE INDEX generations_from_the_future ON generations (from_the_future);
"""


class Process(server.Server):
    """A server or worker of one version, on databases that others share."""

    def __init__(self, test, program, folder, postgres, redis, *arguments):
        self.program, self.folder = program, pathlib.Path(folder)
        self.models, self.log = fleet.SOURCE / "models", []
        serves = arguments[0] == "serve"
        self.process = subprocess.Popen(
            [program, *arguments, *(("--port", "0") if serves else ()), "--log-format", "json",
             "--data", str(self.folder / "data"), "--database", postgres.url, "--redis", redis.url,
             "--lease-seconds", "3"],
            env=self.environment(), cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        test.addCleanup(self.stop, signal.SIGKILL)
        threading.Thread(target=self.keep_log, args=(self.process,), daemon=True).start()
        if serves:
            self.url = self.process.stdout.readline().split()[-1]
        threading.Thread(target=self.process.stdout.read, daemon=True).start()


class Balancer:
    """What clients see: requests in turn to the servers that are on the list."""

    def __init__(self, *all_of_them):
        self.servers, self.turn = list(all_of_them), 0

    def ask(self, *request, **more):
        self.turn += 1
        return self.servers[self.turn % len(self.servers)].ask(*request, **more)


class Clients:
    """Threads that ask without end; what went wrong, and which generations were accepted."""

    def __init__(self, balancer):
        self.balancer, self.failed, self.accepted = balancer, [], []
        self.count, self.ended = 0, threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(what,))
                        for what in (self.read, self.read, self.write)]
        for thread in self.threads:
            thread.start()

    def run(self, what):
        n = 0
        while not self.ended.wait(0.02):
            n += 1
            try:
                answer = what(n)
                self.count += 1
                if answer.status >= 400:
                    self.failed.append((answer.status, answer.body[:200]))
            except (OSError, urllib.error.URLError) as error:
                self.failed.append(repr(error))

    def read(self, n):
        return self.balancer.ask("GET", ("/api/v1/generations?limit=20", "/api/v1/experiments",
                                         "/api/v1/queue", "/readyz")[n % 4])

    def write(self, n):
        time.sleep(0.2)
        answer = self.balancer.ask("POST", "/api/v1/generate",
                                   {**server.SMALL, "prompt": "a green star", "seed": n})
        if answer.status < 300:
            self.accepted += [g["id"] for g in answer.json["generations"]]
        return answer

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(60)


class Upgrade(unittest.TestCase):
    def setUp(self):
        keep = tempfile.TemporaryDirectory(prefix="upgrade-")
        self.addCleanup(keep.cleanup)
        self.folder = keep.name
        try:
            servers.Postgres.program("initdb")
        except RuntimeError as error:
            raise unittest.SkipTest(f"NOT RUN: {error}") from error
        fleet.tool("redis-server", "Debian's package redis-server")
        self.postgres = servers.Postgres(keep.name)
        self.postgres.start()
        self.addCleanup(self.postgres.kill)
        self.redis = servers.Redis(keep.name)
        self.redis.start()
        self.addCleanup(self.redis.kill)

    def begin(self, program, *arguments):
        return Process(self, program, self.folder, self.postgres, self.redis, *arguments)

    def sql(self, text):
        """One transaction. What locks several tables may meet a worker that locks them in another
        order: PostgreSQL ends one of the two, which tries again, as a migration's job does."""
        for _ in range(10):
            done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.postgres.url, "-c",
                                   text], capture_output=True, text=True, check=False)
            if "deadlock detected" not in done.stderr:
                break
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def migrate(self):
        subprocess.run([fleet.PROGRAM, "migrate", "--database", self.postgres.url], check=True,
                       stdout=subprocess.DEVNULL)
        self.sql(GROWS)

    def test_rolling(self):
        old, old_worker = self.begin(PREVIOUS, "serve", "--no-draw"), self.begin(PREVIOUS, "worker")
        balancer = Balancer(old)
        url = old.ask("POST", "/api/v1/experiments", {"spec": SPEC, "start": True}).json["url"]
        clients = Clients(balancer)
        self.addCleanup(clients.stop)
        self.until(lambda: self.run_of(balancer, url)["completed"] > 20)

        self.migrate()
        time.sleep(1)  # the old ones on the schema that grew
        before = self.run_of(balancer, url)["completed"]
        new = self.begin(fleet.PROGRAM, "serve", "--no-draw")
        balancer.servers.append(new)
        self.until(lambda: self.run_of(balancer, url)["completed"] > before)
        balancer.servers.remove(old)
        time.sleep(1)  # requests that were on their way arrive (drainSeconds of the chart)
        self.assertEqual(old.stop(), 0)
        new_worker = self.begin(fleet.PROGRAM, "worker")
        self.assertLess(self.run_of(balancer, url)["completed"], CELLS, "too quick to show anything")
        self.assertEqual(old_worker.stop(), 0)
        self.until(lambda: self.run_of(balancer, url)["status"] == "completed")
        clients.stop()

        run = self.run_of(balancer, url)
        self.assertEqual((run["completed"], run["failed"], run["total"]), (CELLS, 0, CELLS))
        self.assertEqual(clients.failed, [])
        self.assertGreater(clients.count, 100)
        self.until(lambda: self.sql("SELECT count(*) FROM jobs WHERE status IN "
                                    "('queued', 'running')") == "0")
        for accepted in clients.accepted:
            found = new.ask("GET", f"/api/v1/generations/{accepted}").json
            self.assertEqual(found["status"], "succeeded", found)
        self.assertEqual(self.sql("SELECT count(*) FROM jobs WHERE dead = 1 OR status = 'failed'"), "0")
        # Each picture was drawn once, or handed back politely, which counts no attempt.
        self.assertEqual(self.sql("SELECT max(attempts) FROM jobs"), "1")
        self.assertEqual(new.stop(), 0)
        self.assertEqual(new_worker.stop(), 0)

    def run_of(self, balancer, url):
        return balancer.ask("GET", url).json["run"]

    def until(self, done, seconds=240):
        end = time.monotonic() + seconds
        while not done():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)


class Additive(unittest.TestCase):
    """Migrations that an old program survives: they add, and take nothing away."""

    FORBIDDEN = {
        "DROP": r"\bDROP\s+(TABLE|COLUMN|VIEW|TYPE|CONSTRAINT|INDEX)\b",
        "RENAME": r"\bRENAME\b",
        "ALTER COLUMN": r"\bALTER\s+COLUMN\b",
        "a column that old programs do not fill": r"\bADD\s+COLUMN\b(?=[^,;]*\bNOT\s+NULL\b)"
                                                  r"(?![^,;]*\bDEFAULT\b)",
        "rows that are rewritten": r"^\s*(UPDATE|DELETE|TRUNCATE)\b",
        "a constraint that old rows may break": r"\bADD\s+CONSTRAINT\b",
    }

    @staticmethod
    def bare(text):
        """Without comments, and without what is in functions and triggers."""
        text = re.sub(r"--[^\n]*|/\*.*?\*/", "", text, flags=re.S)
        return re.sub(r"\$\$.*?\$\$|\bBEGIN\b.*?\bEND;", "", text, flags=re.S)

    def found(self, text):
        return [name for name, pattern in self.FORBIDDEN.items()
                if re.search(pattern, self.bare(text), re.I | re.M)]

    def test_migrations(self):
        files = [p for p in sorted(MIGRATIONS.glob("*.sql")) if int(p.name[:4]) >= FIRST_KEPT]
        self.assertTrue(files)
        for path in files:
            self.assertEqual(self.found(path.read_text()), [], path.name)

    def test_what_is_noticed(self):
        for text in ("ALTER TABLE a DROP COLUMN b;", "ALTER TABLE a RENAME TO b;", "DROP TABLE a;",
                     "ALTER TABLE a ADD COLUMN b text NOT NULL;", "UPDATE a SET b = 1;",
                     "ALTER TABLE a ALTER COLUMN b TYPE bigint;"):
            self.assertEqual(len(self.found(text)), 1, text)
        for text in (GROWS, "-- DROP TABLE a;\nCREATE TABLE b (c text);",
                     "CREATE TRIGGER t AFTER UPDATE ON a BEGIN DELETE FROM b; END;",
                     "CREATE TABLE a (b text REFERENCES c (d) ON DELETE CASCADE);"):
            self.assertEqual(self.found(text), [], text)


if __name__ == "__main__":
    unittest.main()
