"""Callbacks over HTTP: signed, until they are taken, at most to public places, through kills."""

import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(os.environ["CAULDRON_SOURCE"])
PROGRAM = os.environ["CALLBACKS_UNDER_TEST"]
POSTGRES = os.environ.get("CAULDRON_TEST_POSTGRES", "")
sys.path.insert(0, str(SOURCE / "tests" / "fakes"))
from receiver import Receiver  # noqa: E402

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


class Sqlite:
    def __init__(self, folder):
        self.path = folder / "test.db"
        self.url = f"sqlite://{self.path}"

    def rows(self, sql):
        with sqlite3.connect(self.path, timeout=20) as db:
            return [[str(x) if x is not None else "" for x in row] for row in db.execute(sql)]

    def remove(self):
        pass


class Postgres:
    def __init__(self, _):
        self.schema = "calls_" + secrets.token_hex(4)
        self.psql(POSTGRES, f"CREATE SCHEMA {self.schema}")
        joint = "&" if "?" in POSTGRES else "?"
        self.url = f"{POSTGRES}{joint}options=-csearch_path%3D{self.schema}"

    @staticmethod
    def psql(url, sql):
        return subprocess.run(["psql", "-qAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", url],
                              input=sql, capture_output=True, text=True, check=True).stdout

    def rows(self, sql):
        return [line.split("\t") for line in self.psql(self.url, sql).splitlines()]

    def remove(self):
        self.psql(POSTGRES, f"DROP SCHEMA {self.schema} CASCADE")


class Sender:
    """callbacks_under_test; its database is migrated when it is ready."""

    def __init__(self, url, private=True, **env):
        self.process = subprocess.Popen(
            [PROGRAM, url] + (["private"] if private else []), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "SECRET_hook": SECRET, **env})
        if self.process.stdout.readline() != "ready\n":
            raise AssertionError(self.process.communicate()[1])

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.log = self.process.communicate(timeout=60)[1]
        return self.process.returncode


class Callbacks(unittest.TestCase):
    database = Sqlite

    def setUp(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="cauldron-calls-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.db = self.database(folder)
        self.addCleanup(self.db.remove)
        self.senders = []
        self.addCleanup(lambda: [one.end(signal.SIGKILL) for one in self.senders])
        self.start().end()  # makes the tables
        self.receiver = Receiver(SECRET)
        self.addCleanup(self.receiver.close)
        self.count = 0

    def start(self, **more):
        self.senders.append(Sender(self.db.url, **more))
        return self.senders[-1]

    def task(self, name="a", url=None, **more):
        """One that has ended: its events are sent all the same."""
        task_id = self.new_id()
        document = {"version": 1, "name": name, "source": {"type": "jsonl", "path": "a.jsonl"},
                    "model": {"model": "demo"}, "destination": {"url": "file:out"},
                    "callbacks": {"url": url or self.receiver.url, "secret": "hook",
                                  "allow_private": True, "timeout_seconds": 20, **more}}
        self.db.rows(
            "INSERT INTO tasks (id, name, owner, kind, spec, folder, trusted, status, phase, "
            f"created_at) VALUES ('{task_id}', '{name}', '', 'image', '{json.dumps(document)}', "
            "'/tmp', 1, 'completed', 'end', 1) RETURNING 1")
        return task_id

    def new_id(self):
        self.count += 1 if hasattr(self, "count") else 0
        return f"019ab000-0000-7000-8000-{secrets.token_hex(6)}"

    def events(self, task, n=1, kind="record", text="x"):
        ids = [self.new_id() for _ in range(n)]
        now = int(time.time() * 1000)
        values = []
        for one in ids:
            body = json.dumps({"type": kind, "id": one, "data": {"text": text}})
            values.append(f"('{one}', '{task}', '{kind}', '{one}', '{body}', 'waiting', 0, {now}, "
                          f"{now})")
        self.db.rows("INSERT INTO callbacks (id, task_id, kind, subject, body, status, due_at, "
                     f"created_at, since) VALUES {', '.join(values)} RETURNING 1")
        return ids

    def row(self, event):
        names = ["status", "attempts", "last_status", "error", "due_at"]
        found = self.db.rows(f"SELECT {', '.join(names)} FROM callbacks WHERE id = '{event}'")
        return dict(zip(names, found[0]))

    def until(self, what, seconds=60):
        end = time.monotonic() + seconds
        while not what():
            self.assertLess(time.monotonic(), end, f"complaints: {self.receiver.complaints}")
            time.sleep(0.05)

    def until_delivered(self, ids):
        left = ("SELECT id FROM callbacks WHERE status <> 'delivered' AND id IN ("
                + ", ".join(f"'{one}'" for one in ids) + ")")
        self.until(lambda: not self.db.rows(left))

    def until_status(self, event, status="delivered"):
        self.until(lambda: self.row(event)["status"] == status)
        return self.row(event)

    def tearDown(self):
        self.assertEqual(self.receiver.complaints, [])

    # ==== taken ====

    def test_every_event_is_signed_and_taken_once(self):
        self.start()
        ids = self.events(self.task(headers={"X-Team": "pictures"}), 40, text="söme \\u0000 text")
        self.receiver.wait(40)
        self.until_delivered(ids)
        self.assertEqual(set(self.receiver.events), set(ids))
        self.assertEqual({e.times for e in self.receiver.events.values()}, {1})
        for _, _, headers, _ in self.receiver.requests:
            self.assertEqual(headers["X-Team"], "pictures")

    def test_events_need_no_secret(self):
        self.receiver.secret = None
        self.start()
        task = self.task()
        self.db.rows("UPDATE tasks SET spec = replace(spec, '\"secret\": \"hook\", ', '') "
                     "RETURNING 1")
        self.until_status(self.events(task)[0])

    def test_a_missing_secret_is_said(self):
        self.start()
        event = self.events(self.task(secret="other"))[0]
        self.until(lambda: self.row(event)["error"])
        self.assertIn("CAULDRON_SECRET_other", self.row(event)["error"])
        self.assertEqual(self.receiver.requests, [])

    # ==== refused ====

    def test_refusals_are_tried_again(self):
        elsewhere = Receiver()
        self.addCleanup(elsewhere.close)
        self.receiver.answers = [
            500, 404, 401, (503, {"Retry-After": "0"}), (429, {"Retry-After": "3600"}),
            (503, {"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}), "cut", "garbage", "late cut",
            (302, {"Location": elsewhere.url}), (307, {"Location": elsewhere.url}),
            (308, {"Location": elsewhere.url})]
        tries = len(self.receiver.answers) + 1
        self.start()
        event = self.events(self.task())[0]
        row = self.until_status(event)
        came = self.receiver.events[event].attempts
        self.assertEqual(len(came), tries)
        # A kept connection that is cut before the answer begins is replaced within one attempt.
        self.assertEqual(sorted(set(came)), list(range(1, int(row["attempts"]) + 1)))
        self.assertGreaterEqual(int(row["attempts"]), tries - 1)
        self.assertEqual(row["error"], "")
        self.assertEqual(elsewhere.requests, [])

    def test_redirects_are_named(self):
        self.receiver.always = (302, {"Location": "http://10.0.0.1/"})
        self.start()
        event = self.events(self.task())[0]
        self.until(lambda: self.row(event)["error"])
        self.assertIn("redirects are not followed", self.row(event)["error"])
        self.assertEqual(self.row(event)["last_status"], "302")

    def test_gone_ends_it_and_a_replay_sends_the_same(self):
        self.receiver.answers = [410]
        self.start()
        event = self.events(self.task())[0]
        row = self.until_status(event, "dead")
        self.assertEqual((row["attempts"], row["last_status"]), ("1", "410"))
        self.db.rows("UPDATE callbacks SET status = 'waiting', attempts = 0, due_at = 0 RETURNING 1")
        self.until_status(event)
        self.assertEqual(self.receiver.events[event].times, 2)

    def test_it_is_given_up(self):
        self.receiver.always = 500
        task = self.task(give_up_after_hours=0.01)
        event = self.events(task)[0]
        self.db.rows("UPDATE callbacks SET since = since - 3600000 RETURNING 1")
        self.start()
        row = self.until_status(event, "dead")
        self.assertEqual(row["attempts"], "1")
        self.assertEqual(row["error"], "HTTP 500")

    def test_a_receiver_that_was_down_gets_everything(self):
        self.receiver.down()
        self.start()
        ids = self.events(self.task(), 30)
        self.until(lambda: int(self.row(ids[0])["attempts"]) >= 2)
        self.receiver.up()
        self.receiver.wait(30)
        self.until_delivered(ids)
        self.assertEqual(set(self.receiver.events), set(ids))

    def test_a_long_answer_is_an_answer(self):
        """What was said in the first line counts; the rest is not read."""
        self.receiver.answers = ["large", "endless"]
        self.start()
        ids = self.events(self.task(), 2)
        for one in ids:
            self.assertEqual(self.until_status(one)["attempts"], "1")

    # ==== slow and hanging ====

    def test_one_that_hangs_delays_no_other(self):
        hanging = Receiver(SECRET)
        self.addCleanup(hanging.close)
        hanging.always = "hang"
        slow = self.events(self.task("hangs", hanging.url, timeout_seconds=60), 50)
        self.start(LEASE="120")
        self.until(lambda: len(hanging.requests) >= 2)
        ids = self.events(self.task("b"), 50)
        self.receiver.wait(50)
        self.until_delivered(ids)
        self.assertEqual(len({r[3] for r in hanging.requests}), 2)  # its share of eight
        hanging.always = None
        self.until_delivered(slow)
        self.assertEqual(hanging.complaints, [])

    def test_a_slow_answer_ends_with_the_time(self):
        self.receiver.answers = ["slow"]
        self.start()
        event = self.events(self.task(timeout_seconds=1))[0]
        row = self.until_status(event)
        self.assertEqual(row["attempts"], "2")

    # ==== kills ====

    def test_killed_before_it_was_kept(self):
        """The receiver has done its work, nobody knows: it hears of the same event again."""
        self.receiver.always = "slow"
        event = self.events(self.task())[0]
        sender = self.start()
        self.receiver.wait(1)
        sender.end(signal.SIGKILL)
        self.assertEqual(self.row(event)["status"], "waiting")
        self.receiver.always = None
        self.start()
        self.until_status(event)
        self.assertEqual(self.receiver.events[event].times, 2)
        self.assertEqual(self.receiver.events[event].attempts, [1, 2])

    def test_killed_again_and_again(self):
        ids = self.events(self.task(), 60)
        self.receiver.answers = [500, "cut"] * 10
        for _ in range(4):
            sender = self.start()
            seen = len(self.receiver.requests)
            self.until(lambda seen=seen: len(self.receiver.requests) > seen + 5
                       or len(self.receiver.events) == 60)
            sender.end(signal.SIGKILL)
        self.start()
        self.until_delivered(ids)
        self.assertEqual(set(self.receiver.events), set(ids))

    def test_stopped_politely_it_leaves_nothing_leased(self):
        self.receiver.always = "hang"
        ids = self.events(self.task(), 5)
        sender = self.start()
        self.until(lambda: self.receiver.requests)
        self.assertEqual(sender.end(), 0)
        now = time.time() * 1000
        for one in ids:
            self.assertEqual(self.row(one)["status"], "waiting")
            self.assertLessEqual(int(self.row(one)["due_at"]), now)

    def test_many_senders_share(self):
        ids = self.events(self.task("a"), 60) + self.events(self.task("b"), 60)
        for _ in range(3):
            self.start()
        self.until_delivered(ids)
        self.assertEqual({e.times for e in self.receiver.events.values()}, {1})
        self.assertEqual(len(self.receiver.events), 120)

    # ==== private places ====

    def refused(self, url, **more):
        """The event is not sent, and the row says why."""
        event = self.events(self.task(secrets.token_hex(4), url, **more))[0]
        self.until(lambda: int(self.row(event)["attempts"]) >= 2)
        self.assertIn("private", self.row(event)["error"])
        self.assertEqual(self.row(event)["status"], "waiting")

    def test_private_places_are_not_called(self):
        """Neither when the document wants it and the server does not allow it, nor the reverse."""
        port = self.receiver.port
        six = None
        try:
            six = socket.create_server(("::1", 0), family=socket.AF_INET6)
            self.addCleanup(six.close)
        except OSError:
            pass
        urls = [f"http://127.0.0.1:{port}/hook", f"http://localhost:{port}/hook",
                f"http://[::ffff:127.0.0.1]:{port}/hook", f"http://0.0.0.0:{port}/hook",
                "http://10.0.0.1/", "http://192.168.0.1/", "http://169.254.169.254/",
                f"http://{socket.gethostname()}:{port}/hook"]
        if six:
            urls.append(f"http://[::1]:{six.getsockname()[1]}/hook")
        sender = self.start(private=False)
        for url in urls:
            with self.subTest(url=url):
                self.refused(url)
        sender.end()
        self.db.rows("DELETE FROM callbacks RETURNING 1")
        self.start(private=True)
        self.refused(f"https://127.0.0.1:{port}/hook", allow_private=False)
        self.assertEqual(self.receiver.requests, [])

    def test_a_name_that_moves_is_checked_where_it_leads(self):
        self.start(private=False, ADDRESSES="127.0.0.1 ::1 10.0.0.1 ::ffff:127.0.0.1")
        port = self.receiver.port
        for name in ("one.test", "two.test", "three.test", "four.test"):
            self.refused(f"http://{name}:{port}/hook")
        self.assertEqual(self.receiver.requests, [])

    def test_a_name_is_followed_where_it_may_go(self):
        """That the names above lead anywhere at all."""
        self.start(private=True, ADDRESSES="127.0.0.1")
        self.until_status(self.events(
            self.task("a", f"http://one.test:{self.receiver.port}/hook"))[0])


@unittest.skipUnless(POSTGRES, "NOT RUN: CAULDRON_TEST_POSTGRES names no server "
                               "(python3 tests/servers.py -- meson test ...)")
class OnPostgres(Callbacks):
    database = Postgres


if __name__ == "__main__":
    unittest.main()
