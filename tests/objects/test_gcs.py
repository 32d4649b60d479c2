"""src/objects/gcs*.c against two emulators, a login that checks signatures, and broken connections."""

import base64
import hashlib
import http.server
import json
import os
import pathlib
import random
import re
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
import warnings

SOURCE = pathlib.Path(os.environ["CAULDRON_SOURCE"])
PROGRAM = os.environ["STORE_UNDER_TEST"]
sys.path[:0] = [str(SOURCE / "tests"), str(SOURCE / "tests/fakes")]
from faulty import FaultyProxy  # noqa: E402 (the path is set above)
from google import FakeGoogle  # noqa: E402
from servers import Gcs, GcsEmulator  # noqa: E402

KIB, MIB = 1 << 10, 1 << 20


def setUpModule():
    Gcs.need()
    GcsEmulator.need()


class Client(unittest.TestCase):
    def file(self, name, size, seed=0):
        path = self.files / f"{self.folder}-{name}"
        path.write_bytes(random.Random(seed).randbytes(size))
        return path

    def call(self, *args, code="done", says=(), url=None, **environment):
        done = subprocess.run([PROGRAM, url or self.url, *map(str, args)], capture_output=True,
                              env={**os.environ, **self.environment, **environment}, check=False,
                              timeout=120)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.sessions = [line["session"] for line in lines if "session" in line]
        self.content, answer = done.stderr, lines[-1]
        self.assertEqual(answer["code"], code, answer)
        for text in says:
            self.assertIn(text, answer["message"])
        self.answer = answer
        return answer["result"]


class GcsTest(Client):
    """Each class has one emulator, each test a folder of its own in its bucket."""

    kind = Gcs

    @classmethod
    def setUpClass(cls):
        cls.room = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.room.cleanup)
        cls.server = cls.kind(cls.room.name).start()
        cls.addClassCleanup(cls.server.stop)
        cls.files = pathlib.Path(cls.room.name) / "files"
        cls.files.mkdir()
        if cls.kind is Gcs:
            request = urllib.request.Request(cls.server.url + "/storage/v1/b?project=p",
                                             b'{"name": "pictures"}',
                                             {"Content-Type": "application/json"})
            urllib.request.urlopen(request).close()

    def setUp(self):
        self.folder = self.id().rsplit(".", 1)[-1]
        self.url = f"gs://pictures/{self.folder}"
        self.environment = {"STORAGE_EMULATOR_HOST": self.server.url}

    def resource(self, name):
        """What the service itself says of the object; None when it is not there."""
        path = urllib.parse.quote(f"{self.folder}/{name}", safe="")
        try:
            with urllib.request.urlopen(f"{self.server.url}/storage/v1/b/pictures/o/{path}") as f:
                return json.load(f)
        except urllib.error.HTTPError as error:
            error.close()
            return None

    def assertStored(self, name, path):
        data = path.read_bytes()
        there = self.resource(name)
        self.assertIsNotNone(there)
        self.assertEqual(int(there["size"]), len(data))
        self.assertEqual(there["md5Hash"], base64.b64encode(hashlib.md5(data).digest()).decode())
        self.call("get", name)
        self.assertEqual(self.content, data)

    def proxy(self, **options):
        host, port = self.server.url[len("http://"):].split(":")
        proxy = FaultyProxy(host, int(port), **options).start()
        self.addCleanup(proxy.stop)
        self.environment["STORAGE_EMULATOR_HOST"] = proxy.url
        return proxy


class Plain:
    """What both emulators can do."""

    def test_put_and_get(self):
        path = self.file("a", 5000)
        put = self.call("put", "set/7/42.png", path, "cache=max-age=60", "pair=recipe:abc-1",
                        "pair=Task-Id:7")
        self.assertFalse(put["existed"])
        self.assertEqual(put["url"], f"{self.url}/set/7/42.png")
        self.assertEqual(put["md5"], self.resource("set/7/42.png")["md5Hash"])
        self.assertGreaterEqual(put["sent"], 5000)
        there = self.resource("set/7/42.png")
        self.assertEqual(there["contentType"], "image/png")
        self.assertEqual(there["cacheControl"], "max-age=60")
        self.assertEqual(there["metadata"], {"recipe": "abc-1", "Task-Id": "7"})
        self.assertStored("set/7/42.png", path)
        head = self.call("head", "set/7/42.png")
        self.assertEqual({k: head[k] for k in ("size", "crc32c", "md5", "version", "type")},
                         {k: put[k] for k in ("size", "crc32c", "md5", "version", "type")})

    def test_the_public_address_leads_to_it(self):
        path = self.file("a", 100)
        put = self.call("put", "a b/ü%2F?#+&.png", path)
        self.assertIn("/a%20b/%C3%BC%252F%3F%23%2B%26.png", put["https"])
        if self.kind is Gcs:
            with urllib.request.urlopen(put["https"]) as f:
                self.assertEqual(f.read(), path.read_bytes())
        other = self.call("put", "other", path, TEST_GOOGLE_HTTPS="https://cdn.example.org/")
        self.assertEqual(other["https"], f"https://cdn.example.org/pictures/{self.folder}/other")

    def test_odd_names(self):
        for name in ("a b/ü%2F?#+&.png", "x" * 200, "=;,'\"!*()[]{}~^`|<>$@:", "日本/語"):
            path = self.file("a", 64, seed=name)
            self.call("put", name, path)
            self.assertStored(name, path)
            self.assertIn(name, [i["name"] for i in self.call("list", "", 0)["items"]])
            self.call("delete", name)
            self.assertIsNone(self.resource(name))

    def test_an_empty_object(self):
        path = self.file("a", 0)
        self.assertEqual(self.call("put", "empty", path)["size"], 0)
        self.assertStored("empty", path)

    def test_many_pieces(self):
        path = self.file("a", 3 * MIB + 17)
        put = self.call("put", "big", path, "resumable=1000", f"part={300 * KIB}", "pair=k:v",
                        "cache=no-store")
        self.assertEqual(put["sent"], 3 * MIB + 17)
        self.assertEqual(len(self.sessions), 1)
        self.assertStored("big", path)
        self.assertEqual(self.resource("big")["metadata"], {"k": "v"})
        self.assertEqual(self.resource("big")["cacheControl"], "no-store")
        self.assertEqual(self.resource("big")["contentType"], "image/png")

    def test_a_whole_number_of_pieces(self):
        path = self.file("a", 512 * KIB)
        self.call("put", "big", path, "resumable=1", f"part={256 * KIB}")
        self.assertStored("big", path)

    def test_what_is_not_there(self):
        self.call("head", "nothing", code="not_found", says=("nothing", "404"))
        self.call("get", "nothing", code="not_found")
        self.call("delete", "nothing")
        self.call("check", url="gs://no-such-bucket", code="not_found", says=("no-such-bucket",))
        self.call("put", "x", self.file("a", 10), url="gs://no-such-bucket", code="not_found")
        self.call("check")

    def test_replace(self):
        self.call("put", "x", self.file("a", 100))
        other = self.file("b", 100, seed=1)
        self.assertFalse(self.call("put", "x", other, "replace")["existed"])
        self.assertStored("x", other)

    def test_lists(self):
        path = self.file("a", 3)
        for name in ("b/2", "b/1", "a", "c"):
            self.call("put", name, path)
        items = self.call("list", "", 0)["items"]
        self.assertEqual([i["name"] for i in items], ["a", "b/1", "b/2", "c"])
        self.assertEqual([i["size"] for i in items], [3] * 4)
        self.assertGreater(items[0]["updated_at"], 1_700_000_000_000)
        self.assertEqual([i["name"] for i in self.call("list", "b/", 0)["items"]], ["b/1", "b/2"])
        self.assertEqual(self.call("list", "d", 0), {"items": [], "next": None})

    def test_nothing_listens(self):
        self.environment["STORAGE_EMULATOR_HOST"] = "127.0.0.1:1"
        self.call("put", "x", self.file("a", 10), code="network", says=("127.0.0.1:1",))
        self.call("check", code="network")

    def test_the_list_of_hosts(self):
        self.call("check", CAULDRON_ALLOW_HOSTS="storage.googleapis.com", code="denied",
                  says=("127.0.0.1", "CAULDRON_ALLOW_HOSTS"))
        self.call("check", CAULDRON_ALLOW_HOSTS="storage.googleapis.com 127.0.0.0/8")

    def test_a_proxy_of_the_environment_is_not_asked(self):
        dead = {"http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"}
        self.call("check", **dead)

    # ----- faults on the way

    def test_refused_for_a_moment(self):
        proxy = self.proxy(plan=[("refuse", 503), ("refuse", 429), ("refuse", 408)])
        path = self.file("a", 1000)
        for status in (503, 429, 408):
            self.call("put", "x", path, code="network", says=(str(status), "injected fault"))
        self.call("put", "x", path)
        self.assertEqual(proxy.counts["refuse"], 3)
        self.assertStored("x", path)

    def test_cut_in_the_middle_of_a_request(self):
        path = self.file("a", 200 * KIB)
        self.proxy(plan=["cut_request"])
        self.call("put", "x", path, code="network")
        self.assertGreater(self.answer["sent"], 0)
        self.assertIsNone(self.resource("x"))
        self.call("put", "x", path)
        self.assertStored("x", path)

    def test_cut_after_it_was_stored(self):
        """The object is there, and nobody said so."""
        path = self.file("a", 1000)
        self.proxy(plan=["cut_answer"])
        self.call("put", "x", path, code="network")
        put = self.call("put", "x", path)
        if self.kind is Gcs:
            self.assertTrue(put["existed"])
        self.assertStored("x", path)

    def test_half_an_answer(self):
        path = self.file("a", 50000)
        self.call("put", "x", path)
        self.proxy(plan=[None, "half_answer"])
        self.call("get", "x", code="network")
        self.call("get", "x")
        self.assertEqual(self.content, path.read_bytes())

    def test_a_session_elsewhere_is_not_used(self):
        """What leads to another host is not sent our bytes, nor our token."""
        path = self.file("a", 400 * KIB)
        with FaultyProxy("127.0.0.1", 1) as elsewhere:
            for uri in (elsewhere.url + "/upload", "http://storage.googleapis.com/upload",
                        self.server.url.replace("http", "https") + "/upload", "nonsense"):
                crc = "AAAAAA=="
                self.call("put", "x", path, "resumable=1", "replace",
                          f"session=gcs:{400 * KIB}:{crc}:{uri}")
                self.call("abandon", "x", f"gcs:1:{crc}:{uri}", code="argument")
            self.assertEqual(elsewhere.requests, [])
        self.assertStored("x", path)

    def test_a_session_that_cannot_be_kept(self):
        path = self.file("a", 400 * KIB)
        self.call("put", "x", path, "resumable=1", code="io", REFUSE_SESSION="1")
        self.assertIsNone(self.resource("x"))

    def test_a_forgotten_session_is_begun_again(self):
        path = self.file("a", 400 * KIB)
        self.proxy(plan=[None, ("cut_request", 0)])
        self.call("put", "x", path, "resumable=1", code="network")
        session = self.sessions[0]
        forgotten = re.sub("upload_id=.*", "upload_id=gone", session)
        self.assertNotEqual(session, forgotten)
        self.call("put", "x", path, f"session={forgotten}")
        self.assertEqual(len(self.sessions), 1)
        self.assertStored("x", path)

    def test_threads(self):
        self.proxy()
        self.assertEqual(self.call("threads", "t", 8, 3000), 8)
        self.assertEqual(len(self.call("list", "t-", 0)["items"]), 8)

    def test_faults_at_random(self):
        """Whatever happens on the way, trying again ends with every object stored once, whole."""
        proxy = self.proxy(seed=5, delay=0, rates={"refuse": .1, "cut_request": .1, "reset": .05,
                                                   "cut_answer": .1, "half_answer": .05, "slow": .1})
        paths = {f"o{i}": self.file(str(i), 700 * i + (300 * KIB if i % 4 == 0 else 0), seed=i)
                 for i in range(24)}
        for name, path in paths.items():
            session = []
            # An emulator that ends cut uploads leaves half of one when its answer is cut as well.
            size = "resumable=262144" if self.kind is GcsEmulator else "resumable=9999999"
            for _ in range(40):
                done = subprocess.run(
                    [PROGRAM, self.url, "put", name, str(path), size, "part=262144", *session], capture_output=True, env={**os.environ, **self.environment},
                    check=False, timeout=60)
                lines = [json.loads(line) for line in done.stdout.splitlines()]
                session = [f"session={line['session']}" for line in lines if "session" in line
                           ] or session
                if lines[-1]["code"] == "done":
                    break
                self.assertEqual(lines[-1]["code"], "network", lines[-1])
            else:
                self.fail(f"{name} was never stored")
        self.assertGreater(proxy.total, 5)
        self.environment["STORAGE_EMULATOR_HOST"] = self.server.url
        for name, path in paths.items():
            self.assertStored(name, path)
        self.assertEqual(len(self.call("list", "", 0)["items"]), len(paths))


class FakeGcsServer(Plain, GcsTest):
    """fake-gcs-server: knows preconditions and pages; ends an upload that is asked for its state."""

    kind = Gcs

    def test_a_second_put(self):
        path = self.file("a", 2000)
        first = self.call("put", "x", path)
        second = self.call("put", "x", path)
        self.assertTrue(second["existed"])
        self.assertEqual(second["version"], first["version"])
        other = self.file("b", 2001, seed=1)
        self.call("put", "x", other, code="conflict",
                  says=("2000 bytes", "2001 bytes", first["crc32c"], first["md5"]))
        same_size = self.file("c", 2000, seed=2)
        self.call("put", "x", same_size, code="conflict")
        self.assertStored("x", path)

    def test_a_second_put_in_pieces(self):
        path = self.file("a", 300 * KIB)
        self.call("put", "x", path, "resumable=1")
        self.assertTrue(self.call("put", "x", path, "resumable=1")["existed"])
        self.call("put", "x", self.file("b", 300 * KIB, seed=1), "resumable=1", code="conflict")
        self.assertStored("x", path)

    def test_pages(self):
        path = self.file("a", 3)
        for i in range(7):
            self.call("put", f"n{i}", path)
        names, cursor = [], []
        while True:
            page = self.call("list", "", 3, *cursor)
            self.assertLessEqual(len(page["items"]), 3)
            names += [i["name"] for i in page["items"]]
            if not page["next"]:
                break
            cursor = [page["next"]]
        self.assertEqual(names, [f"n{i}" for i in range(7)])

    def test_giving_up(self):
        path = self.file("a", 600 * KIB)
        self.proxy(plan=[None, None, ("cut_request", 0)])
        self.call("put", "x", path, "resumable=1", f"part={256 * KIB}", code="network")
        session = self.sessions[0]
        self.call("abandon", "x", session)
        self.assertIsNone(self.resource("x"))
        self.call("abandon", "x", session)
        put = self.call("put", "x", path, f"session={session}", f"part={256 * KIB}")
        self.assertEqual(put["sent"], 600 * KIB)
        self.assertEqual(len(self.sessions), 1)

    def test_a_service_that_ends_uploads_early(self):
        """What is complete by its own word, and is not, does not stay; and is sent again."""
        path = self.file("a", 900 * KIB)
        self.proxy(plan=[None, None, ("cut_request", 0)])
        self.call("put", "x", path, "resumable=1", f"part={256 * KIB}", code="network")
        self.call("put", "x", path, f"session={self.sessions[0]}", f"part={256 * KIB}")
        self.assertStored("x", path)


class Emulator(Plain, GcsTest):
    """gcp-storage-emulator: answers for the state of an upload as the service does."""

    kind = GcsEmulator

    def test_goes_on_where_it_was_cut(self):
        path = self.file("a", 1200 * KIB)
        proxy = self.proxy(plan=[None, None, None, ("cut_request", 0)])
        self.call("put", "x", path, "resumable=1", f"part={256 * KIB}", code="network",
                  says=(str(512 * KIB), str(1200 * KIB)))
        session = self.sessions[0]
        self.assertTrue(session.startswith(f"gcs:{1200 * KIB}:"))
        put = self.call("put", "x", path, f"session={session}", f"part={256 * KIB}")
        self.assertEqual(put["sent"], (1200 - 512) * KIB)
        self.assertEqual(self.answer["resumed"], 1)
        self.assertEqual(self.sessions, [])
        self.assertEqual(len([r for r in proxy.requests if r[0] == "POST"]), 1)
        self.assertStored("x", path)

    def test_killed_on_the_way(self):
        """Another process goes on with what the killed one has sent."""
        path = self.file("a", 1200 * KIB)
        proxy = self.proxy(plan=[None, None, ("slow", 30)])
        args = [PROGRAM, self.url, "put", "x", str(path), "resumable=1", f"part={512 * KIB}"]
        with subprocess.Popen(args, stdout=subprocess.PIPE,
                              env={**os.environ, **self.environment}) as process:
            session = json.loads(process.stdout.readline())["session"]
            while len(proxy.requests) < 3:
                time.sleep(0.01)
            process.kill()
        self.assertIsNone(self.resource("x"))
        put = self.call("put", "x", path, f"session={session}", f"part={512 * KIB}")
        self.assertEqual(put["sent"], (1200 - 512) * KIB)
        self.assertEqual(self.answer["resumed"], 1)
        self.assertStored("x", path)

    def test_the_last_answer_was_cut(self):
        path = self.file("a", 512 * KIB)
        self.proxy(plan=[None, None, "cut_answer"])
        self.call("put", "x", path, "resumable=1", f"part={256 * KIB}", code="network")
        self.call("put", "x", path, f"session={self.sessions[0]}", f"part={256 * KIB}")
        self.assertStored("x", path)

    def test_a_session_of_other_bytes(self):
        """A picture that was drawn anew does not go on with the former one's upload."""
        former, path = self.file("a", 600 * KIB), self.file("b", 600 * KIB, seed=1)
        self.proxy(plan=[None, None, ("cut_request", 0)])
        self.call("put", "x", former, "resumable=1", f"part={256 * KIB}", code="network")
        put = self.call("put", "x", path, f"session={self.sessions[0]}", f"part={256 * KIB}")
        self.assertEqual(put["sent"], 600 * KIB)
        self.assertStored("x", path)


class Login(GcsTest):
    """A gate that wants tokens, before an emulator that does not."""

    def setUp(self):
        super().setUp()
        host, port = self.server.url[len("http://"):].split(":")
        room = tempfile.TemporaryDirectory()
        self.addCleanup(room.cleanup)
        self.google = FakeGoogle(room.name, host, int(port))
        self.google.__enter__()
        self.addCleanup(self.google.__exit__)
        self.environment = {"STORAGE_EMULATOR_HOST": self.google.url, "TEST_GOOGLE_LOGIN": "1",
                            "GCE_METADATA_HOST": self.google.host}

    def with_account(self, **changes):
        self.environment["GOOGLE_APPLICATION_CREDENTIALS"] = self.google.account_file(**changes)

    def test_a_service_account(self):
        self.with_account()
        path = self.file("a", 100)
        self.call("put", "x", path)
        self.assertEqual(self.google.logins, ["service_account"])
        self.assertStored("x", path)

    def test_an_upload_in_pieces(self):
        self.with_account()
        path = self.file("a", 600 * KIB)
        self.call("put", "x", path, "resumable=1", f"part={256 * KIB}")
        self.assertEqual(self.google.logins, ["service_account"])
        self.assertStored("x", path)

    def test_a_user(self):
        self.environment["GOOGLE_APPLICATION_CREDENTIALS"] = self.google.user_file()
        self.call("check")
        self.assertEqual(self.google.logins, ["user"])

    def test_the_metadata_server(self):
        self.call("check")
        self.assertEqual(self.google.logins, ["metadata"])

    def test_a_machine_that_has_just_started(self):
        self.google.answers = [(503, {})]
        self.call("check", code="network", says=("metadata server", "503"))
        self.call("check")

    def test_no_credentials_at_all(self):
        self.environment["GCE_METADATA_HOST"] = "127.0.0.1:1"
        self.call("check", code="denied", says=("no credentials", "GOOGLE_APPLICATION_CREDENTIALS"))

    def test_something_else_answers(self):
        self.google.flavor = None
        self.call("check", code="denied", says=("not a metadata server",))

    def test_a_machine_without_an_account(self):
        self.google.answers = [(404, {"error": "not found"})]
        self.call("check", code="denied", says=("404",))

    def test_one_token_for_all_threads(self):
        self.with_account()
        self.google.delay = 0.2
        self.assertEqual(self.call("threads", "t", 12, 500), 12)
        self.assertEqual(self.google.logins, ["service_account"])

    def test_a_token_that_is_revoked(self):
        """The second request finds that its token is none any more."""
        self.with_account()
        asked = []
        gate = self.google.server.RequestHandlerClass.gate

        def revoke_first(handler, body):
            asked.append(handler.path)
            if len(asked) == 2:
                self.google.revoke()
            return gate(handler, body)
        self.google.server.RequestHandlerClass.gate = revoke_first
        sent = [info["sent"] for info in self.call("many", "m", 3, 100)]
        self.assertEqual(self.google.logins, ["service_account"] * 2)
        self.assertEqual(len(asked), 4)
        self.assertEqual(sent[1], 2 * sent[0])

    def test_a_key_that_is_rotated(self):
        """The former key and its tokens end while the program runs."""
        self.with_account()
        asked = []
        gate = self.google.server.RequestHandlerClass.gate

        def rotate_first(handler, body):
            asked.append(handler.path)
            if len(asked) == 2:
                self.google.make_key()
                self.google.account_file()
                self.google.revoke()
            return gate(handler, body)
        self.google.server.RequestHandlerClass.gate = rotate_first
        self.call("many", "m", 3, 100)
        self.assertEqual(self.google.logins, ["service_account"] * 2)

    def test_tokens_that_are_never_accepted(self):
        self.with_account()
        self.google.token = lambda how: {"access_token": "x", "expires_in": 3600}
        self.call("check", code="denied", says=("401", "Invalid Credentials"))

    def test_another_key(self):
        other = pathlib.Path(self.room.name) / "other.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt",
                        "rsa_keygen_bits:2048", "-out", str(other)], check=True,
                       stderr=subprocess.DEVNULL)
        self.with_account(private_key=other.read_text())
        self.call("check", code="denied", says=("invalid_grant", "the signature is wrong"))

    def test_the_login_is_away(self):
        self.with_account()
        self.google.answers = [(503, {})]
        self.call("check", code="network", says=("503",))
        self.google.answers = [(200, {"expires_in": 3600})]
        self.call("check", code="format", says=("without an access token",))
        self.google.answers = [(200, {"access_token": "a\r\nHost: b", "expires_in": 3600})]
        self.call("check", code="format")

    def test_key_files_that_are_none(self):
        encrypted = subprocess.run(["openssl", "pkey", "-in", str(self.google.key), "-aes256",
                                    "-passout", "pass:x"], check=True, capture_output=True).stdout
        small = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt",
                                "rsa_keygen_bits:1024"], check=True, capture_output=True).stdout
        for changes, code, word in (
                ({"private_key": encrypted.decode()}, "denied", "private_key"),
                ({"private_key": small.decode()}, "denied", "2048"),
                ({"private_key": "nonsense"}, "denied", "private_key"),
                ({"client_email": ""}, "denied", "client_email"),
                ({"token_uri": "http://example.org/token"}, "denied", "token_uri"),
                ({"token_uri": "file:///etc/passwd"}, "argument", "token_uri"),
                ({"type": "external_account"}, "unsupported", "external_account")):
            self.with_account(**changes)
            self.call("check", code=code, says=(word,))
        for text in ("", "[]", '{"type": "service_account", "type": "x"}', "x" * 100000):
            self.environment["GOOGLE_APPLICATION_CREDENTIALS"] = self.google.write("bad.json", text)
            self.call("check", code="unsupported" if text == "[]" else "denied")
        self.environment["GOOGLE_APPLICATION_CREDENTIALS"] = "/nowhere/key.json"
        self.call("check", code="denied", says=("/nowhere/key.json",))
        self.assertEqual(self.google.logins, [])


class Scripted:
    """A service that says what it is told to, and nothing else."""

    def __init__(self, context=None):
        outer = self
        self.answers, self.requests = [], []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.requests.append((self.command, self.path, dict(self.headers), body))
                answer = outer.answers.pop(0) if outer.answers else (500, "no answer is left")
                status, text, *headers = answer(body) if callable(answer) else answer
                data = text if isinstance(text, bytes) else (
                    text if isinstance(text, str) else json.dumps(text)).encode()
                self.send_response_only(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = any

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def seen(self):
        return [f"{method} {path}" for method, path, *_ in self.requests]


class Hostile(Client):
    """A service that is wrong, broken or somebody else's."""

    url = "gs://pictures/p"

    def setUp(self):
        self.room = tempfile.TemporaryDirectory()
        self.addCleanup(self.room.cleanup)
        self.files = pathlib.Path(self.room.name)
        self.folder = "f"
        self.service = Scripted()
        self.addCleanup(self.service.close)
        self.environment = {"STORAGE_EMULATOR_HOST": self.service.url}
        self.small = self.file("small", 1000)
        self.big = self.file("big", 700 * KIB)

    def right(self, path, **changes):
        """What the service says of that file."""
        data = path.read_bytes()
        md5 = base64.b64encode(hashlib.md5(data).digest()).decode()
        return {"name": "p/x", "size": str(len(data)), "generation": "7", "md5Hash": md5, **changes}

    def test_what_was_stored_is_not_what_was_sent(self):
        for changes in ({"md5Hash": "AAAAAAAAAAAAAAAAAAAAAA=="}, {"crc32c": "AAAAAA=="},
                        {"size": "999"}, {"size": 1001}, {"md5Hash": None}, {"md5Hash": "short"}):
            self.service.requests.clear()
            self.service.answers = [(200, self.right(self.small, **changes)), (204, "")]
            self.call("put", "x", self.small, code="format", says=("p/x",))
            self.assertEqual(self.service.seen[1:],
                             ["DELETE /storage/v1/b/pictures/o/p%2Fx?generation=7"])
        self.service.answers = [(200, self.right(self.small, size="1")), (503, "")]
        self.call("put", "x", self.small, code="format", says=("other bytes",))
        self.service.answers = [(200, self.right(self.small))]
        self.call("put", "x", self.small)

    def test_answers_that_are_none(self):
        for text in ("", "<html>", "[]", "null", '"x"', "{}", '{"name": "p/x"}', "[" * 100000,
                     json.dumps(self.right(self.small, name="p/y")),
                     json.dumps(self.right(self.small, size=-1)),
                     json.dumps(self.right(self.small, size="1e3")),
                     json.dumps(self.right(self.small, size=None)),
                     json.dumps(self.right(self.small, generation="7&x=y")),
                     json.dumps(self.right(self.small))[:-1], "\0", "x" * (2 << 20)):
            self.service.requests.clear()
            self.service.answers = [(200, text)]
            self.call("put", "x", self.small, code="format")
            self.assertEqual(len(self.service.requests), 1)

    def test_refusals(self):
        def error(reason, message="so it is"):
            return {"error": {"message": message, "errors": [{"reason": reason}]}}
        for status, body, code in ((403, error("forbidden"), "denied"), (401, error(""), "denied"),
                                   (403, error("rateLimitExceeded"), "network"),
                                   (403, error("userRateLimitExceeded"), "network"),
                                   (409, error("conflict"), "network"), (400, error(""), "format"),
                                   (500, "[]", "network"), (404, error(""), "not_found"),
                                   (302, error(""), "format"), (429, error(""), "network")):
            self.service.answers = [(status, body, ("Location", "http://127.0.0.1:1/"))]
            self.call("put", "x", self.small, code=code, says=(str(status),))
        self.service.answers = [(403, error("", "no\nline\x1b[31m"))]
        self.call("put", "x", self.small, code="denied", says=("no?line?[31m",))

    def test_there_and_gone(self):
        self.service.answers = [(412, ""), (404, "")]
        self.call("put", "x", self.small, code="network", says=("gone",))
        self.service.answers = [(412, ""), (200, self.right(self.small))]
        self.assertTrue(self.call("put", "x", self.small)["existed"])
        unknown = self.right(self.small)
        del unknown["md5Hash"]
        self.service.answers = [(412, ""), (200, unknown)]
        self.call("put", "x", self.small, code="conflict", says=("unknown",))

    def test_sessions_that_lead_elsewhere(self):
        other = Scripted()
        self.addCleanup(other.close)
        for place in (other.url + "/up", "//127.0.0.1:1/up", "/up", "", "ftp://127.0.0.1/",
                      self.service.url.replace("127.0.0.1", "127.0.0.1.nip.io"),
                      self.service.url.replace("://", "://user@"),
                      self.service.url.replace("http:", "https:")):
            self.service.answers = [(200, "", ("Location", place))]
            self.call("put", "x", self.big, "resumable=1", code="format", says=("address",))
        self.service.answers = [(200, "")]
        self.call("put", "x", self.big, "resumable=1", code="format")
        self.assertEqual(other.requests, [])
        self.assertEqual(self.sessions, [])

    def test_progress_that_cannot_be(self):
        place = ("Location", self.service.url + "/up")
        for span, code in (("bytes=0-999999999", "format"), ("bytes=5-9", "format"),
                           ("bytes=0--1", "format"), ("nonsense", "format"),
                           ("bytes=0-9999999999999999999999", "format")):
            self.service.answers = [(200, "", place), (308, "", ("Range", span))]
            self.call("put", "x", self.big, "resumable=1", f"part={256 * KIB}", code=code)
        self.service.answers = [(200, "", place), (308, "")]
        self.call("put", "x", self.big, "resumable=1", f"part={256 * KIB}", code="network",
                  says=("stays at 0",))
        # Fewer bytes than were sent: those are sent again.
        half = ("Range", f"bytes=0-{128 * KIB - 1}")
        self.service.requests.clear()
        self.service.answers = [(200, "", place), (308, "", half), (200, self.right(self.big))]
        self.call("put", "x", self.big, "resumable=1", f"part={768 * KIB}")
        self.assertEqual([r[2].get("Content-Range") for r in self.service.requests[1:]],
                         [f"bytes 0-{700 * KIB - 1}/{700 * KIB}",
                          f"bytes {128 * KIB}-{700 * KIB - 1}/{700 * KIB}"])

    def test_a_session_that_ends_on_the_way(self):
        place = ("Location", self.service.url + "/up")
        for status in (404, 410, 499):
            self.service.answers = [(200, "", place), (status, "")]
            self.call("put", "x", self.big, "resumable=1", code="network", says=("forgot",))
            self.service.answers = [(status, ""), (200, "", place), (200, self.right(self.big))]
            self.call("put", "x", self.big, f"session={self.sessions[0]}")
            self.assertEqual(len(self.sessions), 1)

    def test_a_large_body_is_sent_at_once(self):
        """Nothing waits for the "100 Continue" that this service never says."""
        path = self.file("large", 3 * MIB)
        self.service.answers = [(200, self.right(path))]
        self.call("put", "x", path, "resumable=99999999")
        self.assertNotIn("Expect", self.service.requests[0][2])

    def test_contents_that_differ(self):
        for body, code in ((b"x" * 1000, "format"), (b"", "format"), (b"x" * 9000, "format"),
                           (self.small.read_bytes(), "done")):
            self.service.answers = [(200, self.right(self.small)), (200, body)]
            self.call("get", "x", code=code)
        self.assertEqual(self.service.seen[-1],
                         "GET /storage/v1/b/pictures/o/p%2Fx?alt=media&generation=7")

    def test_lists(self):
        one = {"name": "p/a", "size": "1", "updated": "2026-01-01T00:00:00Z"}
        for body in ({"items": [one, one]}, {"items": [{"size": "1"}]}, {"items": [{"name": "p/a"}]},
                     {"items": [{**one, "name": "q/a"}]}, "[", "x" * (9 << 20)):
            self.service.answers = [(200, body)]
            self.call("list", "", 1, code="format")
        for body in ({}, {"items": 7}, []):
            self.service.answers = [(200, body)]
            self.assertEqual(self.call("list", "", 1), {"items": [], "next": None})

    def test_permissions(self):
        both = ["storage.objects.get", "storage.objects.create"]
        self.service.answers = [(200, {"permissions": both})]
        self.call("check")
        for left in both:
            self.service.answers = [(200, {"permissions": [left]})]
            self.call("check", code="denied", says=([p for p in both if p != left][0],))
        self.service.answers = [(200, {})]
        self.call("check", code="denied")
        self.service.answers = [(403, "")]
        self.call("check", code="denied")
        for status in (404, 405, 501):
            self.service.answers = [(status, ""), (200, {})]
            self.call("check")
        self.service.answers = [(404, ""), (404, "")]
        self.call("check", code="not_found")


class Tls(Client):
    """Who is not trusted hears nothing."""

    url = "gs://pictures/p"
    right = Hostile.right

    def setUp(self):
        self.room = tempfile.TemporaryDirectory()
        self.addCleanup(self.room.cleanup)
        self.files = pathlib.Path(self.room.name)
        self.folder = "f"
        self.small = self.file("small", 1000)

    def certificate(self, name):
        """A certificate for that name, and its key, signed by an authority of our own."""
        key, cert = str(self.files / "key.pem"), str(self.files / "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout", key, "-out",
                        cert, "-subj", "/CN=test", "-addext", f"subjectAltName={name}"], check=True,
                       stderr=subprocess.DEVNULL)
        return cert, key

    def serve(self, name="IP:127.0.0.1", newest=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        cert, key = self.certificate(name)
        context.load_cert_chain(cert, key)
        if newest:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = newest
        service = Scripted(context)
        self.addCleanup(service.close)
        self.environment = {"STORAGE_EMULATOR_HOST": service.url, "TEST_CA_FILE": cert}
        return service

    def test_trust(self):
        service = self.serve()
        service.answers = [(200, self.right(self.small))]
        self.call("put", "x", self.small)
        self.assertEqual(len(service.requests), 1)
        del self.environment["TEST_CA_FILE"]
        self.call("put", "x", self.small, code="denied", says=("trusted",))
        self.assertEqual(len(service.requests), 1)

    def test_another_name(self):
        service = self.serve("DNS:example.org")
        self.call("put", "x", self.small, code="denied", says=("trusted",))
        self.assertEqual(service.requests, [])

    @unittest.skipIf(not ssl.HAS_TLSv1_1, "NOT RUN: this Python has no TLS 1.1")
    def test_old_versions(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            service = self.serve(newest=ssl.TLSVersion.TLSv1_1)
        self.call("put", "x", self.small, code="network")
        self.assertEqual(service.requests, [])


del GcsTest, Client

if __name__ == "__main__":
    unittest.main()
