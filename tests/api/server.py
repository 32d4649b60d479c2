"""The real server, started on a free port with a fresh data folder, and asked over HTTP.

CAULDRON_TEST_BACKENDS names the pair under test: sqlite-memory (the default), sqlite-redis,
postgres-memory, postgres-redis. The latter three need the servers that CAULDRON_TEST_POSTGRES and
CAULDRON_TEST_REDIS name (tests/servers.py starts them); without, their tests are skipped and say so.
"""

import contextlib
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

PROGRAM = os.environ["CAULDRON"]
SOURCE = pathlib.Path(os.environ["CAULDRON_SOURCE"])
DATABASE, QUEUE = os.environ.get("CAULDRON_TEST_BACKENDS", "sqlite-memory").split("-")
POSTGRES = os.environ.get("CAULDRON_TEST_POSTGRES", "")
REDIS = os.environ.get("CAULDRON_TEST_REDIS", "")
# Small and quick; the demo model draws 64 x 64 pixels in some milliseconds a step.
SMALL = {"prompt": "a red circle", "steps": 4, "width": 64, "height": 64}


def need_backends():
    """Call it from setUpModule."""
    if DATABASE == "postgres" and not POSTGRES:
        raise unittest.SkipTest("NOT RUN: CAULDRON_TEST_POSTGRES names no server "
                                "(python3 tests/servers.py -- meson test ...)")
    if QUEUE == "redis" and not REDIS:
        raise unittest.SkipTest("NOT RUN: CAULDRON_TEST_REDIS names no server "
                                "(python3 tests/servers.py -- meson test ...)")


class Answer:
    """What came back: status, headers (any case), body."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


class Backends:
    """URLs of a database and a queue that nobody else uses; removed at the end."""

    def __init__(self):
        self.schema = "api_" + secrets.token_hex(4)
        self.options = []
        if DATABASE == "postgres":
            self.sql(f"CREATE SCHEMA {self.schema}")
            joint = "&" if "?" in POSTGRES else "?"
            self.options += ["--database",
                             f"{POSTGRES}{joint}options=-csearch_path%3D{self.schema}"]
        if QUEUE == "redis":
            self.options += ["--redis", f"{REDIS}?prefix={self.schema}"]

    def sql(self, text):
        subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", POSTGRES, "-c", text], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def remove(self):
        if DATABASE == "postgres":
            self.sql(f"DROP SCHEMA {self.schema} CASCADE")


class Server:
    """`cauldron serve`; stop() may be followed by start() on the same data."""

    def __init__(self, *options, models=SOURCE / "models", users=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cauldron-api-"))
        self.options = list(options)
        self.models = models
        self.backends = Backends()
        self.process = None
        self.log = []
        for name, role, password in users:
            self.add_user(name, role, password)
        try:
            self.start()
        except BaseException:
            self.remove()
            raise

    def environment(self):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8",
               "CAULDRON_MODELS": str(self.models), "OMP_WAIT_POLICY": "passive"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "CAULDRON_ISA"):
            if name in os.environ:
                env[name] = os.environ[name]
        return env

    def storage(self):
        return ["--data", str(self.folder / "data"), *self.backends.options]

    def add_user(self, name, role, password):
        storage = self.storage()
        if "--redis" in storage:  # users are none of the queue's business
            at = storage.index("--redis")
            del storage[at:at + 2]
        done = subprocess.run([PROGRAM, "user", "add", name, "--role", role, *storage], text=True,
                              input=password + "\n", env=self.environment(), cwd=self.folder,
                              capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"no user was added: {done.stderr}")

    def start(self):
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--port", "0", "--log-format", "json", *self.storage(),
             *self.options], env=self.environment(), cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=self.keep_log, args=(self.process,), daemon=True).start()
        first = self.process.stdout.readline()
        found = re.search(r":(\d+)\s*$", first)
        if not found:
            self.process.kill()
            raise RuntimeError(f"the server did not start: {first}" + "\n".join(self.log[-20:]))
        self.port = int(found[1])
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def keep_log(self, process):
        for line in process.stderr:
            self.log.append(line.rstrip("\n"))

    def stop(self, number=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode if self.process else 0

    def remove(self):
        status = self.stop()
        self.backends.remove()
        shutil.rmtree(self.folder, ignore_errors=True)
        return status

    def ask(self, method, path, body=None, headers=None, timeout=60):
        """`body`: bytes as they are, anything else as JSON. Redirects are not followed."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(urllib.parse.urljoin(self.url, path), data=body,
                                         headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())


class ApiTest(unittest.TestCase):
    """One server for the class."""

    options = ()
    models = SOURCE / "models"
    users = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.options, models=cls.models, users=cls.users)
        cls.headers = {}

    @classmethod
    def tearDownClass(cls):
        status = cls.server.remove()
        if status:
            raise AssertionError(f"the server ended with {status}:\n"
                                 + "\n".join(cls.server.log[-30:]))

    def ask(self, status, method, path, body=None, headers=None, **more):
        """The answer, which must have this status."""
        answer = self.server.ask(method, path, body, {**self.headers, **(headers or {})}, **more)
        if answer.status != status:
            self.fail(f"{method} {path}: want {status}, got {answer.status}: {answer.body[:2000]!r}"
                      "\nlog: " + "\n".join(self.server.log[-5:]))
        return answer

    def get(self, path, status=200, **more):
        return self.ask(status, "GET", path, **more)

    def post(self, path, body=None, status=200, **more):
        return self.ask(status, "POST", path, body, **more)

    def draw(self, **parameters):
        """Finished generations of the small picture with these parameters."""
        answer = self.post("/api/v1/generate", {**SMALL, **parameters}, 201,
                           headers={"Prefer": "wait=60"})
        for one in answer.json["generations"]:
            self.assertEqual(one["status"], "succeeded", one)
        return answer.json["generations"]

    def draw_one(self, **parameters):
        return self.draw(**parameters)[0]

    def problem(self, status, method, path, body=None, code=None, pointers=None, **more):
        """A problem (RFC 9457) with this status, code and these bad fields."""
        answer = self.ask(status, method, path, body, **more)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        problem = answer.json
        self.assertEqual(problem["status"], status)
        for name in ("type", "title", "code", "detail", "instance"):
            self.assertTrue(problem[name], problem)
        if code:
            self.assertEqual(problem["code"], code, problem)
        if pointers is not None:
            self.assertEqual({e["pointer"] for e in problem["errors"]}, set(pointers), problem)
            for e in problem["errors"]:
                self.assertTrue(e["expected"], problem)
        return problem

    @contextlib.contextmanager
    def paused_queue(self):
        """Nothing is begun meanwhile, so that what waits stays waiting."""
        self.post("/api/v1/queue/pause")
        try:
            yield
        finally:
            self.post("/api/v1/queue/resume")

    def until(self, what, seconds=30):
        """Ask until `what()` is true; its value."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = what()
            if value:
                return value
            time.sleep(0.05)
        self.fail(f"not within {seconds} s: {what}\n" + "\n".join(self.server.log[-10:]))


def picture_size(data):
    """(format, width, height) of a PNG, JPEG or WebP file."""
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "png", int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        if data[12:16] == b"VP8X":
            return ("webp", 1 + int.from_bytes(data[24:27], "little"),
                    1 + int.from_bytes(data[27:30], "little"))
        if data[12:16] == b"VP8 ":
            return ("webp", int.from_bytes(data[26:28], "little") & 0x3fff,
                    int.from_bytes(data[28:30], "little") & 0x3fff)
        bits = int.from_bytes(data[21:25], "little")
        return "webp", 1 + (bits & 0x3fff), 1 + (bits >> 14 & 0x3fff)
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 < len(data):
        marker, size = data[at + 1], int.from_bytes(data[at + 2:at + 4], "big")
        if 0xc0 <= marker <= 0xc3:
            return ("jpeg", int.from_bytes(data[at + 7:at + 9], "big"),
                    int.from_bytes(data[at + 5:at + 7], "big"))
        at += 2 + size
    raise ValueError(f"not a picture: {data[:20]!r}")
