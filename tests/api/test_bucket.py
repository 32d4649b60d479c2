"""BLOB_URL=s3://...: pictures that one process draws are served by another that never saw a file."""

import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

from server import DATABASE, PROGRAM, QUEUE, SMALL, SOURCE, Server, need_backends, picture_size

sys.path[:0] = [str(SOURCE / "tests"), str(SOURCE / "tests" / "fakes")]
import faulty  # noqa: E402  (the folders above are where they lie)
import servers  # noqa: E402

BUCKET = "pictures"
SPEC = {"version": 1, "type": "parameter_sweep",
        "base": {"model": "demo", "width": 64, "height": 64, "cfg_scale": 3, "steps": 4},
        "prompts": ["a red circle", "two blue squares"], "cfg_scales": [1, 2, 3],
        "replicates": {"count": 10, "seed": 1}}
CELLS = 60


def setUpModule():
    need_backends()
    servers.S3.need()


class InBucket(Server):
    """A server whose environment names a bucket."""

    outside = {}

    def environment(self):
        return {**super().environment(), **self.outside}


class Bucket(unittest.TestCase):
    options = ()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.s3 = servers.S3(self.folder.name).start()
        self.addCleanup(self.s3.stop)
        self.objects = self.s3.folder / "objects" / BUCKET
        self.objects.mkdir()
        InBucket.outside = {"BLOB_URL": f"s3://{BUCKET}/app", "AWS_ACCESS_KEY_ID": self.s3.key,
                            "AWS_SECRET_ACCESS_KEY": self.s3.secret, "AWS_REGION": self.s3.region,
                            "AWS_ENDPOINT_URL_S3": self.endpoint()}
        self.server = InBucket(*self.options)
        self.addCleanup(self.server.remove)

    def endpoint(self):
        return self.s3.url

    def ask(self, status, method, path, body=None, headers=None):
        answer = self.server.ask(method, path, body, headers)
        self.assertEqual(answer.status, status, (path, answer.body[:500], self.server.log[-5:]))
        return answer

    def draw(self, **parameters):
        answer = self.ask(201, "POST", "/api/v1/generate", {**SMALL, **parameters},
                          {"Prefer": "wait=60"})
        [one] = answer.json["generations"]
        self.assertEqual(one["status"], "succeeded", one)
        return one

    def until(self, what, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = what()
            if value:
                return value
            time.sleep(0.1)
        self.fail(f"not within {seconds} s\n" + "\n".join(self.server.log[-20:]))

    def object(self, sha):
        return self.objects / "app" / sha[:2] / sha[2:4] / sha

    def blobs(self):
        return {p.name for p in (self.objects / "app").glob("??/??/*")}

    def forget(self):
        """As another machine: nothing of what was drawn or seen lies here."""
        shutil.rmtree(self.server.folder / "data" / "blob-cache", ignore_errors=True)
        self.assertFalse((self.server.folder / "data" / "blobs").exists())

    def gc(self, *options):
        storage = self.server.storage()
        if "--redis" in storage:
            at = storage.index("--redis")
            del storage[at:at + 2]
        done = subprocess.run([PROGRAM, "gc", *storage, *options], text=True, capture_output=True,
                              env=self.server.environment(), cwd=self.server.folder, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


class OneServer(Bucket):
    def test_pictures_outlive_the_machine(self):
        one = self.draw()
        picture = self.ask(200, "GET", one["image"]["url"]).body
        sha = one["image"]["sha256"]
        self.assertEqual(self.object(sha).read_bytes(), picture)
        self.assertEqual(self.blobs(), {sha})
        thumb = self.ask(200, "GET", one["image"]["thumbnail_url"]).body
        self.assertEqual(picture_size(thumb)[0], "webp")
        self.server.stop()
        self.forget()
        self.server.start()
        self.assertEqual(self.ask(200, "GET", one["image"]["url"]).body, picture)
        part = self.ask(206, "GET", one["image"]["url"], headers={"Range": "bytes=10-19"})
        self.assertEqual(part.body, picture[10:20])
        self.assertEqual(self.ask(200, "GET", one["image"]["thumbnail_url"]).body, thumb)
        # Both lie here from now on, and are not asked for again.
        self.s3.stop()
        self.assertEqual(self.ask(200, "GET", one["image"]["url"]).body, picture)
        self.assertEqual(self.ask(200, "GET", one["image"]["thumbnail_url"]).body, thumb)

    def test_a_picture_is_the_beginning_of_another(self):
        one = self.draw(seed=3)
        picture = self.ask(200, "GET", one["image"]["url"]).body
        self.forget()
        other = self.draw(seed=4, strength=0.5, init_image=one["id"])
        self.assertNotEqual(other["image"]["sha256"], one["image"]["sha256"])
        self.assertEqual(hashlib.sha256(picture).hexdigest(), one["image"]["sha256"])

    def test_the_bucket_is_away(self):
        self.assertEqual(self.server.ask("GET", "/readyz").status, 200)
        self.s3.kill()
        waits = self.ask(202, "POST", "/api/v1/generate", {**SMALL, "seed": 77}).json
        url = waits["generations"][0]["url"]
        self.until(lambda: self.server.ask("GET", "/readyz").status == 503)
        self.assertFalse(self.ask(200, "GET", url).json["image"])
        self.s3.start()
        done = self.until(lambda: (g := self.ask(200, "GET", url).json)["image"] and g)
        self.assertTrue(self.object(done["image"]["sha256"]).exists())
        self.until(lambda: self.server.ask("GET", "/readyz").status == 200)

    def test_gc(self):
        keeps, goes = self.draw(seed=1), self.draw(seed=2)
        for one in (keeps, goes):
            self.ask(200, "GET", one["image"]["thumbnail_url"])
        self.ask(204, "DELETE", goes["url"])
        self.server.stop()
        self.assertIn("would remove 0 pictures, 0 files", self.gc())
        self.gc("--age", "0", "--remove")
        self.assertEqual(self.blobs(), {keeps["image"]["sha256"]} | (
            self.blobs() & {goes["image"]["sha256"]}))  # the trash holds it for a while
        stray = hashlib.sha256(b"stray").hexdigest()
        self.object(stray).parent.mkdir(parents=True)
        self.object(stray).write_bytes(b"stray")
        (self.objects / "app" / "notes.txt").write_bytes(b"of somebody else")
        self.assertIn("1 files without a picture", self.gc("--age", "0"))
        self.assertTrue(self.object(stray).exists())
        self.gc("--age", "0", "--remove")
        self.assertFalse(self.object(stray).exists())
        self.assertTrue(self.object(keeps["image"]["sha256"]).exists())
        self.assertTrue((self.objects / "app" / "notes.txt").exists())
        self.server.start()
        self.ask(200, "GET", keeps["image"]["url"])

    def refuses(self, *words, **outside):
        self.server.stop()
        InBucket.outside = {**InBucket.outside, **outside}
        with self.assertRaises(RuntimeError):
            self.server.start()
        self.until(lambda: all(word in "\n".join(self.server.log) for word in words))

    def test_without_credentials(self):
        self.refuses("AWS_SECRET_ACCESS_KEY", AWS_SECRET_ACCESS_KEY="")

    def test_ways_to_credentials_that_are_not_ours(self):
        self.refuses("AWS_PROFILE is not read", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="",
                     AWS_PROFILE="work")

    def test_a_host_that_is_not_listed(self):
        self.refuses("127.0.0.1", "CAULDRON_ALLOW_HOSTS", CAULDRON_ALLOW_HOSTS="s3.example.org")

    def test_secrets_from_files(self):
        self.server.stop()
        path = self.server.folder / "secret"
        path.write_text(self.s3.secret + "\n")
        hosts = self.server.folder / "hosts"
        hosts.write_text("s3.example.org, 127.0.0.1\n")
        InBucket.outside = {**InBucket.outside, "AWS_SECRET_ACCESS_KEY": "",
                            "AWS_SECRET_ACCESS_KEY_FILE": str(path),
                            "CAULDRON_ALLOW_HOSTS_FILE": str(hosts)}
        self.server.start()
        self.draw(seed=5)


class Google(Bucket):
    """The same on Google Cloud Storage."""

    def setUp(self):
        servers.Gcs.need()
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.gcs = servers.Gcs(self.folder.name).start()
        self.addCleanup(self.gcs.stop)
        self.google("POST", "b?project=test", {"name": BUCKET})
        InBucket.outside = {"BLOB_URL": f"gs://{BUCKET}/app", "STORAGE_EMULATOR_HOST": self.gcs.url}
        self.server = InBucket()
        self.addCleanup(self.server.remove)

    def google(self, method, path, body=None):
        request = urllib.request.Request(f"{self.gcs.url}/storage/v1/{path}", method=method,
                                         data=body and json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def blobs(self):
        return {item["name"].split("/")[-1] for item in
                self.google("GET", f"b/{BUCKET}/o").get("items", [])
                if not item["name"].startswith("app/cache/")}

    def test_pictures_outlive_the_machine(self):
        one = self.draw()
        picture = self.ask(200, "GET", one["image"]["url"]).body
        thumb = self.ask(200, "GET", one["image"]["thumbnail_url"]).body
        self.assertEqual(self.blobs(), {one["image"]["sha256"]})
        self.server.stop()
        self.forget()
        self.server.start()
        self.assertEqual(self.ask(200, "GET", one["image"]["url"]).body, picture)
        self.assertEqual(self.ask(200, "GET", one["image"]["thumbnail_url"]).body, thumb)
        self.assertEqual(self.server.ask("GET", "/readyz").status, 200)

    def test_gc(self):
        keeps = self.draw(seed=1)
        goes = self.draw(seed=2)
        self.server.stop()
        shutil.rmtree(self.server.folder / "data") # with the database: nobody wants them any more
        if DATABASE == "sqlite":
            self.assertIn("2 files without a picture", self.gc("--age", "0"))
            self.gc("--age", "0", "--remove")
            self.assertEqual(self.blobs(), set())
        else:
            self.gc("--age", "0", "--remove")
            self.assertEqual(self.blobs(), {keeps["image"]["sha256"], goes["image"]["sha256"]})
        self.server.start()
        self.draw(seed=1)


class Fleet(Bucket):
    """A server that does not draw, and a worker on another machine."""

    options = ("--no-draw",)

    def setUp(self):
        if DATABASE != "postgres" or QUEUE != "redis":
            self.skipTest("workers of their own share PostgreSQL and Redis")
        super().setUp()
        self.away = tempfile.TemporaryDirectory()
        self.addCleanup(self.away.cleanup)
        storage = self.server.storage()
        storage[storage.index("--data") + 1] = self.away.name + "/data"
        self.worker = subprocess.Popen([PROGRAM, "worker", "--threads", "1", *storage],
                                       env=self.server.environment(), cwd=self.away.name,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (self.worker.terminate(), self.worker.wait(60)))

    def test_served_by_who_never_saw_the_file(self):
        for seed in range(3):
            one = self.draw(seed=seed)
            picture = self.ask(200, "GET", one["image"]["url"]).body
            self.assertEqual(hashlib.sha256(picture).hexdigest(), one["image"]["sha256"])
            self.ask(200, "GET", one["image"]["thumbnail_url"])
        # And what the server was sent is drawn upon by the worker.
        other = self.draw(seed=9, strength=0.5, init_image=one["id"])
        self.assertEqual(self.ask(200, "GET", other["image"]["url"]).status, 200)
        self.assertEqual(len(self.blobs()), 4)


class Killed(Bucket):
    """kill -9 in the middle, and a bucket that fails every tenth time: every cell ends once."""

    options = ("--lease-seconds", "2")

    def endpoint(self):
        self.proxy = faulty.FaultyProxy("127.0.0.1", self.s3.port, seed=5).start()
        self.addCleanup(self.proxy.stop)
        return self.proxy.url

    def test_every_cell_once(self):
        chance = random.Random(3)
        self.proxy.rates = {"refuse": 0.05, "cut_request": 0.03, "cut_answer": 0.03, "reset": 0.02}
        answer = self.ask(201, "POST", "/api/v1/experiments", {"spec": SPEC, "start": True}).json
        for _ in range(4):
            time.sleep(chance.uniform(0.3, 1.2))
            self.server.stop(signal.SIGKILL)
            self.server.start()
        run = self.until(lambda: (r := self.ask(200, "GET", answer["url"]).json["run"])["status"]
                         == "completed" and r, 120)
        self.assertEqual((run["completed"], run["failed"], run["cancelled"]), (CELLS, 0, 0))
        self.proxy.rates = {}
        self.assertGreater(self.proxy.total, 3)
        wanted = {one["image"]["sha256"] for one in
                  self.ask(200, "GET", "/api/v1/generations?limit=100").json["items"]}
        self.assertEqual(len(wanted), CELLS)
        self.assertEqual(len(self.blobs()), len(wanted))
        for sha in wanted:
            self.assertEqual(hashlib.sha256(self.object(sha).read_bytes()).hexdigest(), sha)


if __name__ == "__main__":
    unittest.main()
