"""What tests of tasks share: real servers, records, documents, and eyes for what came of them."""

import base64
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

PROGRAM = os.environ["CAULDRON"]
SOURCE = pathlib.Path(os.environ["CAULDRON_SOURCE"])
sys.path[:0] = [str(SOURCE / "tests"), str(SOURCE / "tests" / "api"), str(SOURCE / "tests" / "fakes")]
import servers  # noqa: E402

COLOURS = ["red", "blue", "green", "yellow"]
SHAPES = ["circle", "square", "triangle"]
BUCKET = "pictures"
# Small and quick: the demo model takes some milliseconds a step.
SMALL = {"width": 64, "height": 64, "steps": 2, "cfg_scale": 1}


def records(count, first=1):
    """Every prompt is another, and so is every picture."""
    return [{"id": f"r{i:04}", "prompt": f"a {COLOURS[i % 4]} {SHAPES[i % 3]}", "seed": i}
            for i in range(first, first + count)]


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def document(name, source, url, **more):
    """A small task; `more` goes over it."""
    return {"version": 1, "name": name, "source": source,
            "model": {"model": "demo", "parameters": SMALL},
            "destination": {"url": url, "object": "{record_id}/{seed}.png"}, **more}


def md5(data):
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


class Folder:
    """A destination on disk."""

    def __init__(self, path):
        self.path = path
        self.url = f"file://{path}"

    def all(self):
        """{name: bytes} of everything that lies there."""
        return {str(p.relative_to(self.path)): p.read_bytes()
                for p in sorted(self.path.rglob("*")) if p.is_file()} if self.path.exists() else {}


class GcsBucket:
    """One of fake-gcs-server, looked at without the program under test."""

    def __init__(self, url, name=BUCKET):
        self.base = url
        self.name = name
        self.url = f"gs://{name}"
        try:
            self.ask("POST", "/storage/v1/b?project=test", json.dumps({"name": name}).encode())
        except urllib.error.HTTPError as e:
            if e.code != 409:
                raise

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.base + path, data=body, method=method,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def entries(self):
        items, token = [], ""
        while True:
            more = f"&pageToken={urllib.parse.quote(token)}" if token else ""
            page = json.loads(self.ask("GET", f"/storage/v1/b/{self.name}/o?maxResults=500{more}"))
            items += page.get("items", [])
            token = page.get("nextPageToken")
            if not token:
                return {item["name"]: item for item in items}

    def read(self, name):
        return self.ask("GET", f"/storage/v1/b/{self.name}/o/{urllib.parse.quote(name, safe='')}"
                               "?alt=media")

    def all(self):
        return {name: self.read(name) for name in self.entries()}


class S3Bucket:
    """One of versitygw, looked at through the folder that it keeps its objects in."""

    def __init__(self, server, name=BUCKET):
        self.path = server.folder / "objects" / name
        self.path.mkdir(exist_ok=True)
        self.url = f"s3://{name}"

    def all(self):
        """Also what lies there besides objects: pieces of uploads, temporary files."""
        return {str(p.relative_to(self.path)): p.read_bytes() for p in sorted(self.path.rglob("*"))
                if p.is_file()}


class Workplace(unittest.TestCase):
    """Each test has an empty folder, its own data, and a program with no settings of others."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cauldron-tasks-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.data = self.folder / "data"
        self.storage = ["--data", str(self.data)]
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8",
                    "CAULDRON_MODELS": str(SOURCE / "models"), "OMP_WAIT_POLICY": "passive"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "CAULDRON_ISA"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def server(self, kind, *args, **more):
        """One of tests/servers.py, for this test alone."""
        one = kind(self.folder, *args, **more)
        one.start()
        self.addCleanup(one.stop)
        return one

    def command(self, *words):
        return [PROGRAM, "task", *map(str, words), *self.storage]

    def run_program(self, *words, timeout=240):
        return subprocess.run(self.command(*words), cwd=self.folder, env=self.env, timeout=timeout,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def task(self, *words, status=0, **more):
        done = self.run_program(*words, **more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def write(self, doc, name="task.json"):
        path = self.folder / name
        path.write_text(json.dumps(doc))
        return path

    def run_task(self, doc, *words, status=0):
        """Until it ends; its report."""
        done = self.task("run", self.write(doc), "--json", "--quiet", *words, status=status)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def state(self, name):
        return json.loads(self.task("status", name, "--json").stdout)

    def wait_for(self, what, seconds=120, period=0.3):
        end = time.monotonic() + seconds
        while not (found := what()):
            self.assertLess(time.monotonic(), end, f"still not so: {what}")
            time.sleep(period)
        return found
