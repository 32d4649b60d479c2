"""Back up while a server draws, lose the machine, restore on an empty one: every picture that the
backup's database names is there, whole, and served; what was not drawn yet is drawn."""

import contextlib
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import fleet
import server
import servers

SCRIPT = fleet.DEPLOY / "backup.sh"
SPEC = {"version": 1, "type": "parameter_sweep", "prompts": ["a red circle", "two blue squares"],
        "base": {"model": "demo", "width": 64, "height": 64, "steps": 8, "cfg_scale": 3},
        "replicates": {"count": 100, "seed": 1}}
CELLS = 200


class Machine:
    """A data folder, and a database: SQLite in it, or a PostgreSQL server of its own."""

    def __init__(self, test, kind):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="machine-"))
        test.addCleanup(shutil.rmtree, self.folder, True)
        self.postgres = None
        if kind == "postgres":
            try:
                servers.Postgres.program("initdb")
            except RuntimeError as error:
                raise unittest.SkipTest(f"NOT RUN: {error}") from error
            self.postgres = servers.Postgres(self.folder)
            self.postgres.start()
            test.addCleanup(self.postgres.kill)
        self.test = test

    @property
    def database(self):
        return ["--database", self.postgres.url] if self.postgres else []

    def serve(self):
        one = server.Server.__new__(server.Server)
        one.folder, one.models, one.process, one.log = self.folder, fleet.SOURCE / "models", None, []
        one.options, one.backends = ["--lease-seconds", "2"], Nothing(self.database)
        one.start()
        self.test.addCleanup(one.stop)
        return one

    def script(self, *arguments, check=True):
        environment = {**os.environ, "CAULDRON_DATA": str(self.folder / "data")}
        for name in ("DATABASE_URL", "DATABASE_URL_FILE", "BLOB_URL"):
            environment.pop(name, None)
        if self.postgres:
            environment["DATABASE_URL"] = self.postgres.url
        done = subprocess.run([SCRIPT, *map(str, arguments)], env=environment, text=True,
                              capture_output=True, check=False)
        if check and done.returncode:
            self.test.fail(f"{arguments}: {done.stdout}{done.stderr}")
        return done

    def lose(self):
        if self.postgres:
            self.postgres.kill()
        shutil.rmtree(self.folder)


class Nothing:
    """In the place of server.Backends: options of a database that is somebody else's."""

    def __init__(self, options):
        self.options = options

    def remove(self):
        pass


def generations(one):
    found, cursor = [], ""
    while cursor is not None:
        page = one.ask("GET", f"/api/v1/generations?limit=100{cursor}").json
        found += page["items"]
        cursor = f"&cursor={page['next_cursor']}" if page.get("next_cursor") else None
    return found


class Backup(unittest.TestCase):
    def begin(self, machine):
        one = machine.serve()
        answer = one.ask("POST", "/api/v1/experiments", {"spec": SPEC, "start": True})
        self.assertEqual(answer.status, 201, answer.body)
        return one, answer.json["url"]

    def progress(self, one, url):
        return one.ask("GET", url).json["run"]

    def until(self, one, url, done, seconds=240):
        end = time.monotonic() + seconds
        while not done(run := self.progress(one, url)):
            self.assertLess(time.monotonic(), end, f"{run}\n" + "\n".join(one.log[-20:]))
            time.sleep(0.05)
        return run

    def check_pictures(self, one):
        """Every finished generation's picture is served, and is the one that was drawn."""
        finished = [g for g in generations(one) if g["status"] == "succeeded"]
        for g in finished:
            answer = one.ask("GET", g["image"]["url"])
            self.assertEqual(answer.status, 200, g)
            self.assertEqual(hashlib.sha256(answer.body).hexdigest(), g["image"]["sha256"], g)
        return {g["id"]: g["image"]["sha256"] for g in finished}

    def there_and_back(self, kind):
        old = Machine(self, kind)
        keep = pathlib.Path(tempfile.mkdtemp(prefix="backup-"))
        self.addCleanup(shutil.rmtree, keep, True)
        one, url = self.begin(old)
        self.until(one, url, lambda run: run["completed"] >= 10)
        old.script("backup", keep)
        first = self.progress(one, url)["completed"]
        self.assertLess(first, CELLS, "the server was to draw meanwhile")
        self.until(one, url, lambda run: run["completed"] >= min(first + 10, CELLS - 5))
        old.script("backup", keep)  # into the same folder: what is new
        one.stop(signal.SIGKILL)
        known = old.script("verify", keep).stdout
        old.lose()

        new = Machine(self, kind)
        new.script("restore", keep)
        two = new.serve()
        before = self.progress(two, url)
        self.assertGreaterEqual(before["completed"], first)
        self.assertIn("pictures are named", known)
        there = self.check_pictures(two)
        self.assertGreaterEqual(len(there), first)
        # What the old machine had begun is drawn by the new one, and nothing twice.
        after = self.until(two, url, lambda run: run["status"] == "completed")
        self.assertEqual((after["completed"], after["failed"]), (CELLS, 0))
        all_of_them = self.check_pictures(two)
        self.assertEqual(len(all_of_them), CELLS)
        self.assertLessEqual(there.items(), all_of_them.items())
        self.assertEqual(two.stop(), 0)

    def test_sqlite(self):
        fleet.tool("sqlite3", "Debian's package sqlite3")
        self.there_and_back("sqlite")

    def test_postgres(self):
        for name in ("pg_dump", "pg_restore", "psql"):
            fleet.tool(name, "Debian's package postgresql-client-15")
        self.there_and_back("postgres")

    # ==== what the script refuses and notices ====

    def small_backup(self):
        fleet.tool("sqlite3", "Debian's package sqlite3")
        machine = Machine(self, "sqlite")
        one = machine.serve()
        answer = one.ask("POST", "/api/v1/generate", {**server.SMALL, "count": 3}, {"Prefer": "wait=60"})
        self.assertEqual(answer.status, 201, answer.body)
        self.assertEqual(one.stop(), 0)
        keep = machine.folder / "keep"
        machine.script("backup", keep)
        machine.script("verify", keep)
        return machine, keep, sorted(p for p in (keep / "blobs").rglob("*") if p.is_file())

    def test_a_lost_picture_is_noticed(self):
        machine, keep, files = self.small_backup()
        files[0].unlink()
        done = machine.script("verify", keep, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"1 pictures are missing, the first is {files[0].name}", done.stderr)

    def test_a_damaged_picture_is_noticed(self):
        machine, keep, files = self.small_backup()
        data = bytearray(files[1].read_bytes())
        data[len(data) // 2] ^= 1
        files[1].write_bytes(data)
        done = machine.script("verify", keep, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(files[1].name, done.stdout)

    def test_nothing_is_overwritten(self):
        machine, keep, _ = self.small_backup()
        done = machine.script("restore", keep, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not empty", done.stderr)

    def test_a_cut_copy_is_made_again(self):
        """What a broken run left is no picture."""
        machine, keep, files = self.small_backup()
        with contextlib.suppress(FileNotFoundError):
            files[0].rename(keep / "blobs" / ".part")
        machine.script("backup", keep)
        machine.script("verify", keep)

    def test_usage(self):
        for arguments in ([], ["backup"], ["destroy", "x"], ["backup", "a", "b"]):
            done = subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr[:6]), (2, "usage:"), arguments)


if __name__ == "__main__":
    unittest.main()
