"""src/objects/s3*.c against a server that checks signatures, and against one that misbehaves."""

import base64
import concurrent.futures
import email.utils
import hashlib
import http.server
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

SOURCE = pathlib.Path(os.environ["CAULDRON_SOURCE"])
PROGRAM = os.environ["STORE_UNDER_TEST"]
sys.path.insert(0, str(SOURCE / "tests"))
from servers import S3  # noqa: E402 (the path is set above)

MIB = 1 << 20


class Proxy:
    """Between the program and the server: passes on, and breaks what it is told to break.

    `faults` holds functions of (method, path, headers, body) that are asked in turn: True when they
    have dealt with the request; each gets the handler as its first argument."""

    def __init__(self, target):
        outer = self
        self.target = urllib.parse.urlsplit(target)
        self.seen, self.faults = [], []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.seen.append((self.command, self.path, dict(self.headers), len(body)))
                for fault in list(outer.faults):
                    if fault(self, body):
                        return
                self.reply(*outer.forward(self.command, self.path, self.headers, body))

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = any

            def reply(self, status, headers, body):
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(name, value)
                length = dict((n.lower(), v) for n, v in headers).get("content-length")
                self.send_header("Content-Length",
                                 length if self.command == "HEAD" and length else str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def refuse(self, status, code, headers=()):
                self.reply(status, [("Content-Type", "application/xml"), *headers],
                           f"<Error><Code>{code}</Code><Message>so it is</Message></Error>".encode())

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def forward(self, method, path, headers, body):
        connection = http.client.HTTPConnection(self.target.hostname, self.target.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(body or None)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def once(*faults):
    """Each of these answers one request that it wants to answer, then it is gone."""
    left = list(faults)

    def fault(handler, body):
        if left and left[0](handler, body):
            left.pop(0)
            return True
        return False
    return fault


class S3Test(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        S3.need()
        cls.room = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.room.cleanup)
        cls.server = S3(cls.room.name).start()
        cls.addClassCleanup(cls.server.stop)
        cls.files = pathlib.Path(cls.room.name) / "files"
        cls.files.mkdir()

    def setUp(self):
        self.bucket = "b" + hashlib.md5(self.id().encode()).hexdigest()[:12]
        self.objects = self.server.folder / "objects" / self.bucket
        self.objects.mkdir()
        self.url = f"s3://{self.bucket}/pre fix"
        self.environment = {"AWS_ACCESS_KEY_ID": self.server.key, "AWS_REGION": self.server.region,
                            "AWS_SECRET_ACCESS_KEY": self.server.secret,
                            "AWS_ENDPOINT_URL_S3": self.server.url}

    def proxy(self):
        proxy = Proxy(self.server.url)
        self.addCleanup(proxy.close)
        # The signature covers Host; the server takes what it was asked as.
        self.environment["AWS_ENDPOINT_URL_S3"] = proxy.url
        return proxy

    def start(self, *args, **environment):
        return subprocess.Popen([PROGRAM, self.url, *map(str, args)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE,
                                env={**os.environ, **self.environment, **environment})

    def call(self, *args, code="done", says=(), **environment):
        process = self.start(*args, **environment)
        out, self.content = process.communicate(timeout=120)
        *sessions, last = out.decode().splitlines() or [""]
        self.sessions = [json.loads(line)["session"] for line in sessions]
        self.assertTrue(last, (process.returncode, self.content[-2000:]))
        answer = json.loads(last)
        self.assertEqual(answer["code"], code, answer)
        for word in says:
            self.assertIn(word, answer["message"])
        self.resumed, self.sent = answer["resumed"], answer["sent"]
        return answer.get("result") if code == "done" else answer

    def file(self, content):
        path = self.files / hashlib.md5(content).hexdigest()
        path.write_bytes(content)
        return path

    def put(self, name, content, *more, **options):
        return self.call("put", name, self.file(content), *more, **options)

    def stored(self, name):
        return (self.objects / "pre fix" / name).read_bytes()

    def uploads(self):
        """What is left of uploads in parts at the server."""
        return [p for p in (self.objects / ".sgwtmp/multipart").glob("*/*") if p.is_dir()]


class Plain(S3Test):
    def test_goes_in_and_out(self):
        content = os.urandom(70000)
        info = self.put("set/7/4 2+&é'.png", content, "pair=Recipe:7 steps")
        self.assertEqual(info["size"], 70000)
        self.assertEqual(info["md5"], base64.b64encode(hashlib.md5(content).digest()).decode())
        self.assertEqual(len(info["crc32c"]), 8)
        self.assertEqual(info["sent"], 70000)
        self.assertFalse(info["existed"])
        self.assertEqual(info["url"], f"s3://{self.bucket}/pre fix/set/7/4 2+&é'.png")
        self.assertEqual(info["https"], f"{self.server.url}/{self.bucket}/pre%20fix/set/7/"
                                        "4%202%2B%26%C3%A9%27.png")
        self.assertEqual(self.stored("set/7/4 2+&é'.png"), content)
        head = self.call("head", "set/7/4 2+&é'.png")
        self.assertEqual({k: head[k] for k in ("size", "md5", "crc32c", "type", "url")},
                         {k: info[k] for k in ("size", "md5", "crc32c", "type", "url")})
        got = self.call("get", "set/7/4 2+&é'.png")
        self.assertEqual(self.content, content)
        self.assertEqual(got["type"], "image/png")
        self.call("delete", "set/7/4 2+&é'.png")
        self.call("delete", "set/7/4 2+&é'.png")
        self.call("head", "set/7/4 2+&é'.png", code="not_found")
        self.call("get", "set/7/4 2+&é'.png", code="not_found", says=["NoSuchKey"])

    def test_nothing_is_something(self):
        self.assertEqual(self.put("empty", b"")["size"], 0)
        self.call("get", "empty")
        self.assertEqual(self.content, b"")

    def test_a_second_put_sends_nothing_new_and_overwrites_nothing(self):
        first = self.put("a.png", b"one")
        again = self.put("a.png", b"one")
        self.assertTrue(again["existed"])
        self.assertEqual(again["version"], first["version"])
        self.put("a.png", b"two", code="conflict", says=["a.png", "already"])
        self.put("a.png", b"longer", code="conflict")
        self.assertEqual(self.stored("a.png"), b"one")
        self.assertFalse(self.put("a.png", b"two", "replace")["existed"])
        self.assertEqual(self.stored("a.png"), b"two")

    def test_one_of_many_at_once_wins(self):
        contents = [bytes([65 + i]) * 1000 for i in range(6)]
        paths = [self.file(c) for c in contents]
        processes = [self.start("put", "race", p) for p in paths for _ in range(2)]
        answers = [json.loads(p.communicate(timeout=60)[0].decode().splitlines()[-1])
                   for p in processes]
        won = {i // 2 for i, a in enumerate(answers) if a["code"] == "done"}
        self.assertEqual(len(won), 1, answers)
        self.assertEqual(self.stored("race"), contents[won.pop()])
        self.assertEqual({a["code"] for a in answers}, {"done", "conflict"})

    def test_lists_in_pages(self):
        names = [f"s/{i:02}" for i in range(7)] + ["s/ü <&>", "t/x"]
        for name in names:
            self.put(name, name.encode())
        found, cursor = [], []
        while True:
            page = self.call("list", "s/", 3, *cursor)
            found += page["items"]
            if not page["next"]:
                break
            self.assertEqual(len(page["items"]), 3)
            cursor = [page["next"]]
        self.assertEqual([f["name"] for f in found], names[:-1])
        self.assertEqual([f["size"] for f in found], [len(n.encode()) for n in names[:-1]])
        for f in found:
            self.assertLess(abs(f["updated_at"] / 1000 - time.time()), 120)
        self.assertEqual(len(self.call("list", "", 100)["items"]), 9)
        self.assertEqual(self.call("list", "nothing/", 100)["items"], [])

    def test_who_may_not(self):
        self.call("check")
        self.call("check", code="denied", says=["SignatureDoesNotMatch"], AWS_SECRET_ACCESS_KEY="x")
        self.call("check", code="denied", AWS_ACCESS_KEY_ID="nobody")
        self.call("check", code="denied", says=["AWS_SECRET_ACCESS_KEY"], AWS_SECRET_ACCESS_KEY="")
        self.put("x", b"x", code="denied", AWS_SECRET_ACCESS_KEY="x")
        self.url = "s3://nosuchbucket"
        self.call("check", code="not_found", says=["NoSuchBucket"])
        self.put("x", b"x", code="not_found", says=["NoSuchBucket"])
        self.call("get", "x", code="not_found", says=["NoSuchBucket"])

    def test_nobody_listens(self):
        self.put("x", b"x", code="network", AWS_ENDPOINT_URL_S3="http://127.0.0.1:1")
        self.put("x", b"x", code="argument", says=["AWS_ENDPOINT_URL"], AWS_ENDPOINT_URL_S3="ftp://x")


class InParts(S3Test):
    def big(self, megabytes=12, odd=123):
        return os.urandom(megabytes * MIB + odd)

    def test_goes_in_and_out(self):
        content = self.big()
        info = self.put("big", content, "part=5242880", "type=video/mp4", "pair=a:b")
        self.assertEqual(len(self.sessions), 1)
        self.assertEqual(info["size"], len(content))
        self.assertEqual(self.sent, len(content))
        self.assertTrue(info["version"].endswith("-3"), info)
        self.assertEqual(self.stored("big"), content)
        self.call("get", "big")
        self.assertEqual(self.content, content)
        self.assertEqual(self.uploads(), [])
        again = self.put("big", content, "part=5242880")
        self.assertTrue(again["existed"])
        self.assertEqual((self.sent, self.sessions), (0, []))
        # In parts of another size its ETag is another, and it is the same all the same.
        self.assertTrue(self.put("big", content, "part=6000000")["existed"])
        self.assertTrue(self.put("big", content, "part=99999999")["existed"])
        other = content[:-1] + bytes([content[-1] ^ 1])
        self.put("big", other, "part=5242880", code="conflict")
        self.assertEqual(self.stored("big"), content)
        self.assertFalse(self.put("big", other, "replace", "part=5242880")["existed"])
        self.assertEqual(self.stored("big"), other)
        self.assertEqual(self.uploads(), [])

    def cut(self, proxy, part):
        """The connection ends when that part has come, and the server never sees it."""
        def fault(handler, body):
            if f"partNumber={part}&" in handler.path:
                handler.close_connection = True
                handler.connection.close()
                return True
            return False
        proxy.faults.append(fault)

    def test_goes_on_where_it_was_cut(self):
        content, proxy = self.big(), self.proxy()
        self.cut(proxy, 2)
        self.put("big", content, "part=5242880", code="network")
        [session] = self.sessions
        self.assertEqual(len(self.uploads()), 1)
        self.call("head", "big", code="not_found")
        proxy.faults.clear()
        proxy.seen.clear()
        self.put("big", content, "part=6000000", f"session={session}")
        self.assertEqual(self.resumed, 1)
        self.assertEqual(self.sent, len(content) - 5 * MIB)
        self.assertFalse(any("partNumber=1&" in path for _, path, _, _ in proxy.seen))
        self.assertEqual(self.stored("big"), content)
        self.assertEqual(self.uploads(), [])
        # And once more, as by somebody who died before writing down that it was done.
        self.assertTrue(self.put("big", content, f"session={session}")["existed"])

    def test_a_killed_one_is_gone_on_with(self):
        content, proxy = self.big(22), self.proxy()
        reached = threading.Event()
        proxy.faults.append(lambda handler, body: "partNumber=3&" in handler.path
                            and (reached.set() or time.sleep(30) or True))
        process = self.start("put", "big", self.file(content), "part=5242880")
        session = json.loads(process.stdout.readline())["session"]
        self.assertTrue(reached.wait(60))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        proxy.faults.clear()
        self.put("big", content, "part=5242880", f"session={session}")
        self.assertEqual(self.sent, len(content) - 10 * MIB)
        self.assertEqual(self.stored("big"), content)

    def test_parts_of_other_bytes_are_sent_again(self):
        content, proxy = self.big(), self.proxy()
        self.cut(proxy, 3)
        self.put("big", content, "part=5242880", code="network")
        proxy.faults.clear()
        other = os.urandom(5 * MIB) + content[5 * MIB:]
        self.put("big", other, f"session={self.sessions[0]}")
        self.assertEqual(self.sent, len(content) - 5 * MIB)
        self.assertEqual(self.stored("big"), other)

    def test_a_forgotten_session_is_begun_again(self):
        content, proxy = self.big(), self.proxy()
        self.cut(proxy, 2)
        self.put("big", content, "part=5242880", code="network")
        proxy.faults.clear()
        [session] = self.sessions
        self.call("abandon", "big", session)
        self.assertEqual(self.uploads(), [])
        self.call("abandon", "big", session)
        self.put("big", content, "part=5242880", f"session={session}")
        self.assertEqual((self.resumed, self.sent), (0, len(content)))
        self.assertNotEqual(self.sessions, [session])
        self.put("other", content, "part=5242880", "session=not one of ours")
        self.call("abandon", "big", "not one of ours", code="argument")

    def test_forgotten_in_the_middle(self):
        content, proxy = self.big(), self.proxy()
        proxy.faults.append(once(lambda handler, body: "partNumber=2&" in handler.path and (
            handler.refuse(404, "NoSuchUpload") or True)))
        self.put("big", content, "part=5242880")
        self.assertEqual(len(self.sessions), 2)
        self.assertEqual(self.stored("big"), content)

    def test_somebody_is_quicker(self):
        content, other, proxy = self.big(), self.big(), self.proxy()

        def fault(handler, body):
            if b"CompleteMultipartUpload" in body:
                (self.objects / "pre fix").mkdir(exist_ok=True)
                self.direct("put", "big", self.file(other), "part=5242880")
            return False
        proxy.faults.append(once(fault, lambda *_: False))
        self.put("big", content, "part=5242880", code="conflict")
        self.assertEqual(self.stored("big"), other)
        self.assertEqual(self.uploads(), [])

    def direct(self, *args):
        subprocess.run([PROGRAM, self.url, *map(str, args)], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, **self.environment,
                            "AWS_ENDPOINT_URL_S3": self.server.url})

    def test_what_nobody_can_go_on_with_is_removed(self):
        proxy = self.proxy()
        self.put("big", self.big(), "part=5242880", code="io", REFUSE_SESSION="1")
        self.assertEqual(self.uploads(), [])
        self.cut(proxy, 2)
        self.put("big", self.big(), "part=5242880", "unsaved", code="network")
        self.assertEqual(self.uploads(), [])

    def test_a_success_that_is_none(self):
        proxy = self.proxy()
        proxy.faults.append(once(lambda handler, body: b"CompleteMultipartUpload" in body and (
            handler.refuse(200, "InternalError") or True)))
        content = self.big()
        self.put("big", content, "part=5242880", code="network", says=["InternalError"])
        self.put("big", content, f"session={self.sessions[0]}")
        self.assertEqual(self.sent, 0)
        self.assertEqual(self.stored("big"), content)


class Faults(S3Test):
    def answer(self, *refusals, method="PUT"):
        proxy = self.proxy()
        proxy.faults.append(once(*[
            lambda handler, body, r=r: handler.command == method and (handler.refuse(*r) or True)
            for r in refusals]))
        return proxy

    def test_what_is_worth_another_try(self):
        for status, code in ((503, "SlowDown"), (500, "InternalError"), (400, "RequestTimeout"),
                             (503, "whatever"), (429, ""), (400, "BadDigest"),
                             (409, "ConditionalRequestConflict")):
            self.answer((status, code))
            self.put("x", b"x", code="network")
        for status, code in ((403, "AccessDenied"), (403, "InvalidAccessKeyId"), (403, "ExpiredToken"),
                             (404, "XAdminUserNotFound"), (401, "")):
            self.answer((status, code))
            self.put("x", b"x", code="denied")
        self.answer((301, "PermanentRedirect", [("x-amz-bucket-region", "eu-west-3")]))
        self.put("x", b"x", code="denied", says=["AWS_REGION", "eu-west-3"])
        self.put("x", b"x")

    def test_an_answer_that_is_lost(self):
        proxy = self.proxy()

        def lose(handler, body):
            if handler.command != "PUT":
                return False
            proxy.forward(handler.command, handler.path, handler.headers, body)
            handler.close_connection = True
            handler.connection.close()
            return True
        proxy.faults.append(once(lose))
        self.put("x", b"content", code="network")
        self.assertTrue(self.put("x", b"content")["existed"])

    def test_a_wrong_clock_is_set_once(self):
        proxy, dates = self.proxy(), []
        later = time.time() + 7200

        def skewed(handler, body):
            date = handler.headers["x-amz-date"]
            dates.append(date)
            here = time.mktime(time.strptime(date, "%Y%m%dT%H%M%SZ")) - time.timezone
            if abs(here - later) > 900:
                handler.refuse(403, "RequestTimeTooSkewed",
                               [("Date", email.utils.formatdate(later, usegmt=True))])
            else:
                handler.reply(200, [("ETag", '"' + hashlib.md5(body).hexdigest() + '"')], b"")
            return True
        proxy.faults.append(skewed)
        self.call("many", "x", 3, 100)
        self.assertEqual(len(dates), 4, dates)
        proxy.faults[0] = lambda handler, body: handler.refuse(403, "RequestTimeTooSkewed") or True
        self.put("x", b"x", code="denied", says=["RequestTimeTooSkewed"])

    def test_services_that_know_less(self):
        proxy, headers = self.proxy(), []

        def old(handler, body):
            if handler.command == "PUT":
                headers.append({h.lower() for h in handler.headers})
                for name in ("x-amz-checksum-crc32c", "If-None-Match"):
                    if name in handler.headers:
                        handler.refuse(501, "NotImplemented")
                        return True
            return False
        proxy.faults.append(old)
        self.call("many", "x", 2, 100)
        self.assertEqual(len(headers), 4)
        self.assertTrue(self.put("x-0", b"a" * 100)["existed"])
        self.put("x-0", b"b" * 100, code="conflict")
        self.assertTrue(all("content-md5" in h for h in headers))

    def test_an_etag_that_is_no_sum(self):
        proxy = self.proxy()

        def kms(handler, body):
            status, headers, content = proxy.forward(handler.command, handler.path, handler.headers,
                                                     body)
            headers = [("ETag", '"' + "ab" * 16 + '"') if n.lower() == "etag" else (n, v)
                       for n, v in headers if "checksum" not in n.lower() and "x-amz-meta" not in n]
            handler.reply(status, headers + [("x-amz-server-side-encryption", "aws:kms")], content)
            return True
        proxy.faults.append(kms)
        info = self.put("x", b"content")
        self.assertFalse(info["existed"])
        self.assertTrue(any(method == "GET" for method, *_ in proxy.seen), "it was not read back")
        self.assertTrue(self.put("x", b"content")["existed"])
        self.put("x", b"CONTENT", code="conflict")
        self.call("get", "x")
        self.assertEqual(self.content, b"content")

    def test_what_was_stored_is_not_what_was_sent(self):
        proxy = self.proxy()

        def damage(handler, body):
            if handler.command != "PUT":
                return False
            name = urllib.parse.unquote(handler.path).split("/")[-1]
            (self.objects / "pre fix").mkdir(exist_ok=True)
            (self.objects / "pre fix" / name).write_bytes(b"damaged")
            handler.reply(200, [("ETag", '"' + hashlib.md5(b"damaged").hexdigest() + '"')], b"")
            return True
        proxy.faults.append(damage)
        self.put("x", b"content", code="format", says=["other bytes"])

    def test_hostile_answers(self):
        answers = [b"", b"<a>", b"\0", b"<!DOCTYPE a [<!ENTITY b 'c'>]><ListBucketResult/>",
                   b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
                   b"<ListBucketResult><Contents><Key>../../etc</Key></Contents><IsTruncated>true"
                   b"</IsTruncated></ListBucketResult>" * 2]
        proxy = self.proxy()
        for body in answers:
            proxy.faults[:] = [lambda handler, _, body=body: handler.reply(200, [], body) or True]
            self.call("list", "", 10, code="format")
        proxy.faults[:] = [lambda handler, _: handler.reply(
            200, [], b"<InitiateMultipartUploadResult/>") or True if handler.command == "POST"
            else False]
        self.put("big", os.urandom(9 * MIB), code="format")

    def test_tokens_and_headers_are_signed(self):
        proxy = self.proxy()
        proxy.faults.append(lambda handler, body: handler.reply(
            200, [("ETag", '"' + hashlib.md5(body).hexdigest() + '"')], b"") or True)
        self.put("x", b"x", AWS_SESSION_TOKEN="token")
        [(method, _, headers, _)] = proxy.seen
        self.assertEqual(method, "PUT")
        self.assertEqual(headers["x-amz-security-token"], "token")
        signed = set(re.search("SignedHeaders=([^,]*)", headers["Authorization"])[1].split(";"))
        self.assertLessEqual({"host", "content-md5", "content-type", "if-none-match", "x-amz-date",
                              "x-amz-content-sha256", "x-amz-security-token", "x-amz-meta-sha256",
                              "x-amz-checksum-crc32c"}, signed)
        self.assertEqual(headers["x-amz-content-sha256"], hashlib.sha256(b"x").hexdigest())

    def test_at_once(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(self.start("many", f"n{i}", 20, 2000).communicate, timeout=60)
                    for i in range(4)]
            for job in jobs:
                self.assertEqual(json.loads(job.result()[0])["code"], "done")
        self.assertEqual(len(self.call("list", "", 1000)["items"]), 80)


class Lender:
    """Lends the server's keys, as STS does to roles and ECS to containers."""

    def __init__(self, key, secret):
        outer = self
        self.asked, self.status, self.seconds, self.body = [], 200, 3600, None

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                self.lend(None, json.dumps({"AccessKeyId": key, "SecretAccessKey": secret,
                                            "Token": "lent", "Expiration": outer.end()}))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.lend(dict(urllib.parse.parse_qsl(body)), f"""
                    <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
                    <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{key}</AccessKeyId>
                    <SecretAccessKey>{secret}</SecretAccessKey><SessionToken>lent</SessionToken>
                    <Expiration>{outer.end()}</Expiration></Credentials>
                    </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>""")

            def lend(self, form, text):
                outer.asked.append((self.path, form, self.headers["Authorization"]))
                data = (text if outer.body is None else outer.body).encode()
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def end(self):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.seconds))

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Lent(S3Test):
    def setUp(self):
        super().setUp()
        self.lender = Lender(self.server.key, self.server.secret)
        self.addCleanup(self.lender.close)
        self.token = self.files / "token"
        self.token.write_text("a.b+c/d=\n")
        del self.environment["AWS_ACCESS_KEY_ID"], self.environment["AWS_SECRET_ACCESS_KEY"]
        # The server knows no tokens but its own: this one takes what names one of ours.
        self.service = self.proxy()
        self.service.faults.append(lambda handler, body: handler.headers["x-amz-security-token"]
                                   == "lent" and (handler.reply(200, [
                                       ("ETag", f'"{hashlib.md5(body).hexdigest()}"')], b"") or True))

    def as_role(self):
        self.environment |= {"AWS_ROLE_ARN": "arn:aws:iam::1:role/x",
                             "AWS_WEB_IDENTITY_TOKEN_FILE": str(self.token),
                             "AWS_ENDPOINT_URL_STS": self.lender.url}

    def as_container(self):
        self.environment |= {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.lender.url + "/v1/keys?a=b",
                             "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(self.token)}

    def test_to_a_role(self):
        self.as_role()
        self.call("many", "x", 3, 100)
        [(path, form, _)] = self.lender.asked
        self.assertEqual(path, "/")
        self.assertEqual(form, {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15",
                                "RoleArn": "arn:aws:iam::1:role/x", "RoleSessionName": "cauldron",
                                "WebIdentityToken": "a.b+c/d="})
        self.assertEqual({headers["x-amz-security-token"] for _, _, headers, _
                          in self.service.seen}, {"lent"})

    def test_to_a_container(self):
        self.as_container()
        self.call("many", "x", 3, 100)
        self.assertEqual(self.lender.asked, [("/v1/keys?a=b", None, "a.b+c/d=")])

    def test_renewed_before_they_end(self):
        self.as_container()
        self.lender.seconds = 200
        self.call("many", "x", 3, 100)
        self.assertEqual(len(self.lender.asked), 3)

    def test_renewed_when_they_ended(self):
        self.as_role()
        self.service.faults.insert(0, once(
            lambda handler, _: handler.refuse(400, "ExpiredToken") or True))
        self.put("x", b"x")
        self.assertEqual(len(self.lender.asked), 2)
        self.service.faults[0] = lambda handler, _: handler.refuse(400, "ExpiredToken") or True
        self.put("y", b"y", code="denied", says=["ExpiredToken"])
        self.assertEqual(len(self.lender.asked), 4)

    def test_not_lent(self):
        for prepare in (self.as_role, self.as_container):
            prepare()
            self.lender.status, self.lender.body = 200, None
            self.put("x", b"x")
            for self.lender.status, code in ((403, "denied"), (400, "denied"), (503, "network")):
                self.put("x", b"x", code=code)
            self.lender.status = 200
            for self.lender.body in ("", "{}", "<a/>", '{"AccessKeyId": 3}'):
                self.put("x", b"x", code="format")
            for name in ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ENDPOINT_URL_STS"):
                self.environment.pop(name, None)

    def test_what_is_missing(self):
        self.put("x", b"x", code="denied", says=["AWS_ACCESS_KEY_ID"])
        self.put("x", b"x", code="denied", says=["AWS_PROFILE is not read"], AWS_PROFILE="work")
        self.as_role()
        self.put("x", b"x", code="denied", says=["token"],
                 AWS_WEB_IDENTITY_TOKEN_FILE=str(self.files / "none"))
        del self.environment["AWS_ROLE_ARN"]
        self.put("x", b"x", code="denied", says=["AWS_ROLE_ARN"])


if __name__ == "__main__":
    unittest.main()
