"""The platform on the command line: experiments without a server, migrations, people, gc, help."""

import base64
import csv
import hashlib
import json
import signal
import sqlite3
import subprocess
import time

from program import PROGRAM, SOURCE, ProgramTest

SPEC = {"version": 1, "type": "convergence", "name": "few",
        "base": {"model": "demo", "width": 64, "height": 64, "seed": 3, "cfg_scale": 3},
        "prompts": ["a red circle"], "samplers": ["euler", "ddim"], "steps": [2, 4, 8]}


class Platform(ProgramTest):
    def setUp(self):
        super().setUp()
        self.env |= {"OMP_WAIT_POLICY": "passive", "CAULDRON_MODELS": str(SOURCE / "models")}

    def run_it(self, *words, status=0, **more):
        done = self.run_program(*words, **more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def spec_file(self, name="spec.json", **more):
        path = self.folder / name
        path.write_text(json.dumps({**SPEC, **more}))
        return str(path)

    def database(self):
        return sqlite3.connect(self.folder / "data" / "cauldron.db")


class Experiments(Platform):
    def test_plan_run_list_show_export(self):
        spec = self.spec_file()
        plan = json.loads(self.run_it("experiment", "plan", "--json", spec).stdout)
        self.assertEqual((plan["totals"]["cells"], plan["totals"]["to_draw"]), (6, 6))
        done = self.run_it("experiment", "run", spec, "-o", "x.csv", "-o", "x.html", "-o", "x.png",
                           "-o", "x.json")
        name = done.stdout.split()[0]
        self.assertIn("6 of 6 cells drawn", done.stdout)
        self.assertIn("converged", done.stdout)
        with open(self.folder / "x.csv", newline="", encoding="utf-8-sig") as f:
            self.assertEqual(len(list(csv.DictReader(f))), 6)
        self.assertEqual(len(json.loads((self.folder / "x.json").read_text())["cells"]), 6)
        self.assertTrue((self.folder / "x.png").read_bytes().startswith(b"\x89PNG"))
        self.assertIn("6 exist already, 0 to draw",
                      self.run_it("experiment", "plan", spec).stdout)
        listed = json.loads(self.run_it("experiment", "list", "--json").stdout)
        self.assertEqual((listed["id"], listed["status"], listed["name"]),
                         (name, "completed", "few"))
        for word in (name, name[:18], "few"):
            self.assertIn("run 1, completed", self.run_it("experiment", "show", word).stdout)
        self.run_it("experiment", "export", "few", "-o", "again.html")
        self.assertEqual(hashlib.sha256((self.folder / "again.html").read_bytes()).digest(),
                         hashlib.sha256((self.folder / "x.html").read_bytes()).digest())

    def test_stopped_and_resumed(self):
        spec = self.spec_file(steps={"from": 2, "to": 60, "step": 1})
        process = subprocess.Popen([PROGRAM, "experiment", "run", spec], env=self.env,
                                   cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        name = process.stdout.readline().strip()
        time.sleep(0.7)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, errors)
        self.assertIn(f"experiment resume {name}", errors)
        with self.database() as db:
            left, = db.execute("SELECT count(*) FROM generations WHERE status <> 'succeeded'"
                               ).fetchone()
            running, = db.execute("SELECT count(*) FROM jobs WHERE status = 'running'").fetchone()
            self.assertGreater(left, 0)
            self.assertEqual(running, 0) # handed back
        done = self.run_it("experiment", "resume", name)
        self.assertIn("118 of 118 cells drawn", done.stdout)
        self.run_it("experiment", "resume", name, status=1)

    def test_bad_specs_name_every_place(self):
        bad = self.spec_file(samplers=[], steps=[0])
        done = self.run_it("experiment", "run", bad, status=2)
        self.assertIn("/samplers", done.stderr)
        self.assertIn("/steps/0", done.stderr)
        self.run_it("experiment", "plan", "missing.json", status=1)
        (self.folder / "no.json").write_text("{")
        self.run_it("experiment", "plan", "no.json", status=1)
        self.run_it("experiment", "show", "nothing", status=1)
        self.run_it("experiment", "exprt", status=2)

    def test_from_stdin(self):
        with open(self.spec_file(), encoding="utf-8") as f:
            done = self.run_it("experiment", "plan", "-", stdin=f)
        self.assertIn("6 cells", done.stdout)

    def test_difference_of_specs(self):
        one, two = self.spec_file("a.json"), self.spec_file("b.json", steps=[2, 4, 9])
        same = self.run_it("experiment", "diff", one, one)
        self.assertEqual(same.stdout, "")
        other = self.run_it("experiment", "diff", one, two, status=1)
        self.assertIn("9", other.stdout)


class Store(Platform):
    def test_migrate_and_check(self):
        self.assertIn("missing", self.run_it("migrate", "--status", status=1).stdout)
        self.run_it("migrate")
        self.run_it("migrate") # nothing to do
        self.assertNotIn("missing", self.run_it("migrate", "--status").stdout)
        self.run_it("db-test")
        with self.database() as db:
            db.execute("UPDATE schema_migrations SET checksum = 'x'")
        self.assertIn("another content", self.run_it("migrate", status=1).stderr)

    def test_gc_removes_what_nobody_wants_and_nothing_else(self):
        self.run_it("experiment", "run", self.spec_file(), "-q")
        blobs = self.folder / "data" / "blobs"

        def kept():
            return {p.name for p in blobs.rglob("*") if len(p.name) == 64}

        before = kept()
        self.assertEqual(len(before), 6)
        stray = hashlib.sha256(b"stray").hexdigest()
        (blobs / stray[:2] / stray[2:4]).mkdir(parents=True)
        (blobs / stray[:2] / stray[2:4] / stray).write_bytes(b"stray")
        with self.database() as db:
            gone, = db.execute("SELECT i.sha256 FROM images i JOIN generations g ON g.key = i.key "
                               "ORDER BY g.id LIMIT 1").fetchone()
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("DELETE FROM generations WHERE key IN (SELECT key FROM images WHERE "
                       "sha256 = ?)", (gone,))
        young = self.run_it("gc").stdout
        self.assertIn("would remove 0 pictures, 0 files", young)
        dry = self.run_it("gc", "--age", "0").stdout
        self.assertIn("would remove 1 pictures", dry)
        self.assertEqual(kept(), before | {stray})
        self.run_it("gc", "--age", "0", "--remove")
        self.assertEqual(kept(), before - {gone})
        self.assertIn("would remove 0 pictures, 0 files", self.run_it("gc", "--age", "0").stdout)


    def test_gc_keeps_what_was_sent_in(self):
        self.run_it("generate", "a red circle", "-o", "start.png")
        start = base64.b64encode((self.folder / "start.png").read_bytes()).decode()
        spec = self.spec_file(base={**SPEC["base"], "init_image": start, "strength": 0.6})
        self.run_it("experiment", "run", spec, "-q")
        blobs = self.folder / "data" / "blobs"
        before = {p.name for p in blobs.rglob("*") if len(p.name) == 64}
        self.assertEqual(len(before), 7) # six pictures and what they began with
        self.run_it("gc", "--age", "0", "--remove")
        self.assertEqual({p.name for p in blobs.rglob("*") if len(p.name) == 64}, before)


class Help(Platform):
    def test_every_option_of_serve_names_its_variable(self):
        text = self.run_it("serve", "--help").stdout
        for word in ("--port", "CAULDRON_PORT", "DATABASE_URL", "REDIS_URL", "BLOB_URL",
                     "SENTRY_DSN", "CAULDRON_MAX_CONNECTIONS_PER_ADDRESS", "CAULDRON_HEADER_SECONDS"):
            self.assertIn(word, text)
        self.assertGreater(text.count("[CAULDRON_"), 30)

    def test_bad_values_in_the_environment_are_named(self):
        done = self.run_it("serve", status=2, env={"CAULDRON_PORT": "http"})
        self.assertIn("CAULDRON_PORT", done.stderr)
        done = self.run_it("serve", status=1, env={"DATABASE_URL": "mysql://x"})
        self.assertIn("sqlite", done.stderr)

    def test_secrets_from_files(self):
        (self.folder / "url").write_text(f"sqlite:{self.folder}/other.db\n")
        self.run_it("migrate", env={"DATABASE_URL_FILE": str(self.folder / "url")})
        self.assertTrue((self.folder / "other.db").exists())
