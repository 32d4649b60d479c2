"""The HTTP half of src/server: what goes in, what comes out, and what hostile clients get."""

import concurrent.futures
import contextlib
import gzip
import http.client
import json
import pathlib
import re
import shutil
import socket
import tempfile
import threading
import time
import unittest

from serving import Answer, Server, ServerTest, read_all

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="cauldron-http-"))
FILE = FOLDER / "picture.png"
FILE.write_bytes(bytes(range(256)) * 400)


def tearDownModule():
    shutil.rmtree(FOLDER, ignore_errors=True)


class HttpTest(ServerTest):
    program = "SERVER_UNDER_TEST"
    options = (f"file={FILE}",)


class Routing(HttpTest):
    def test_json(self):
        answer = self.server.get("/hello")
        self.assertEqual((answer.status, answer.json), (200, {"hello": "world", "answer": 42}))
        self.assertEqual(answer.headers["content-type"], "application/json")
        self.assertEqual(int(answer.headers["content-length"]), len(answer.body))

    def test_names_in_paths_are_decoded_after_the_path_is_cut(self):
        self.assertEqual(self.server.get("/echo/a%2Fb%20c+d").json["name"], "a/b c+d")
        self.assertEqual(self.server.get("/echo/caf%C3%A9").json["name"], "café")
        self.assertEqual(self.server.get("/echo/x/deep/y").json["operation"], "echo_deep")

    def test_a_text_wins_over_a_name(self):
        self.assertEqual(self.server.get("/echo/fixed").json["answer"], 42)
        self.assertEqual(self.server.get("/echo/fixed/deep/1").json["name"], "fixed")

    def test_unknown_paths(self):
        for path in ("/", "/nothing", "/hello/", "/echo/", "/echo", "/hello/x", "//hello",
                     "/" + "a/" * 100):
            self.problem(self.server.get(path), 404, "not_found")

    def test_bad_paths(self):
        for path in ("/echo/%", "/echo/%4", "/echo/%zz", "/echo/%00", "/echo/%ff", "/echo/%C0%AF",
                     "/echo/%ED%A0%80"):
            self.problem(self.server.get(path), 400, "malformed")

    def test_methods(self):
        answer = self.server.ask("DELETE", "/hello")
        self.problem(answer, 405, "method_not_allowed")
        self.assertEqual(answer.headers["allow"], "GET, HEAD, PUT, OPTIONS")
        self.problem(self.server.ask("BREW", "/hello"), 405, "method_not_allowed")
        answer = self.server.ask("OPTIONS", "/hello")
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.assertEqual(answer.headers["allow"], "GET, HEAD, PUT, OPTIONS")

    def test_head_is_get_without_the_body(self):
        get, head = self.server.get("/hello"), self.server.ask("HEAD", "/hello")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertEqual(head.headers["content-length"], get.headers["content-length"])

    def test_pipelined_requests_are_answered_in_order(self):
        text = self.server.raw(b"".join(b"GET /echo/%d HTTP/1.1\r\nHost: x\r\n%s\r\n" % (
            i, b"Connection: close\r\n" if i == 9 else b"") for i in range(10)))
        places = [text.find(b'"name":"%d"' % i) for i in range(10)]
        self.assertEqual(places, sorted(places))
        self.assertNotIn(-1, places)

    def test_the_absolute_form(self):
        text = self.server.raw(b"GET http://localhost/hello HTTP/1.1\r\nHost: localhost\r\n"
                               b"Connection: close\r\n\r\n")
        self.assertTrue(text.startswith(b"HTTP/1.1 200 "), text)


class Queries(HttpTest):
    def test_types_defaults_and_lists(self):
        query = self.server.get("/echo/x?tag=a&tag=b+c%21&steps=7").json["query"]
        self.assertEqual(query, {"tag": ["a", "b c!"], "steps": 7})
        self.assertEqual(self.server.get("/echo/x?tag=one").json["query"],
                         {"tag": ["one"], "steps": 20})

    def test_bad_ones_are_named_all_at_once(self):
        problem = self.problem(self.server.get("/echo/x?steps=many&colour=red"), 422, "invalid")
        self.assertEqual({e["pointer"] for e in problem["errors"]}, {"/steps", "/colour"})

    def test_twice(self):
        self.problem(self.server.get("/echo/x?steps=1&steps=2"), 422, "invalid")

    def test_broken_escapes(self):
        for query in ("%", "tag=%0", "tag=%00", "%ff=1"):
            self.problem(self.server.get(f"/echo/x?{query}"), 400, "malformed")

    def test_too_many(self):
        self.problem(self.server.get("/echo/x?" + "a&" * 1500), 400, "malformed")

    def test_without_a_schema_all_are_texts(self):
        self.assertEqual(self.server.get("/echo/x/deep/y?a=1&b").json["query"],
                         {"a": "1", "b": ""})


class Bodies(HttpTest):
    def test_json_is_checked_and_defaults_are_filled_in(self):
        answer = self.server.post_json("/json", {"prompt": "cat"})
        self.assertEqual(answer.json["body"], {"prompt": "cat", "steps": 20})

    def test_every_bad_field_is_named(self):
        problem = self.problem(
            self.server.post_json("/json", {"steps": 99, "stepz": 1}), 422, "invalid")
        self.assertEqual({e["pointer"] for e in problem["errors"]},
                         {"/prompt", "/steps", "/stepz"})

    def test_broken_json(self):
        for text in (b"{", b"nonsense", b'{"prompt":"a","prompt":"b"}', b'{"prompt":"\xff"}',
                     b"[" * 900):
            answer = self.server.ask("POST", "/json", text, {"Content-Type": "application/json"})
            self.problem(answer, 400, "malformed")

    def test_the_content_type(self):
        answer = self.server.ask("POST", "/json", b"{}", {"Content-Type": "text/plain"})
        self.problem(answer, 415, "unsupported_media_type")
        for good in ("application/json; charset=utf-8", "Application/JSON",
                     "application/merge-patch+json"):
            answer = self.server.ask("POST", "/json", b'{"prompt":"x"}', {"Content-Type": good})
            self.assertEqual(answer.status, 200, good)

    def test_absent_bodies(self):
        self.problem(self.server.ask("POST", "/json", b"", {"Content-Length": "0"}), 400,
                     "body_missing")
        text = self.server.raw(b"POST /json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertTrue(text.startswith(b"HTTP/1.1 411 "), text)
        self.assertIsNone(self.server.ask("POST", "/optional").json["body"])

    def test_bodies_where_none_are_taken(self):
        self.problem(self.server.ask("PUT", "/hello", b"x"), 400, "body_not_taken")

    def test_too_large(self):
        self.problem(self.server.ask("POST", "/json", b"x" * 1001), 413, "body_too_large")
        self.problem(self.server.ask("POST", "/json", b"x" * 60000), 413, "body_too_large")
        self.problem(self.server.ask("POST", "/json", b"x" * (3 << 20)), 413, "body_too_large")

    def test_too_large_is_answered_before_the_body_comes(self):
        with contextlib.closing(self.server.connect()) as s:
            s.sendall(b"POST /bytes HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n")
            response = http.client.HTTPResponse(s)
            response.begin()
            self.problem(Answer(response), 413, "body_too_large")
            self.assertEqual(response.getheader("Connection"), "close")
            s.settimeout(3)
            self.assertEqual(s.recv(1), b"")  # nothing more is coming, says the server at once

    def chunked(self, path, chunks):
        yield f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        for chunk in chunks:
            yield f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n"
        yield b"0\r\n\r\n"

    def test_chunked(self):
        with contextlib.closing(self.server.connect()) as s:
            for part in self.chunked("/bytes", [b"a" * 1000, b"b", b"c" * 70000]):
                s.sendall(part)
            response = http.client.HTTPResponse(s)
            response.begin()
            self.assertEqual(json.load(response)["bytes"], 71001)

    def test_chunked_and_too_large(self):
        with contextlib.closing(self.server.connect()) as s:
            for part in self.chunked("/bytes", [b"a" * 65536] * 30):
                s.sendall(part)
            response = http.client.HTTPResponse(s)
            response.begin()
            self.problem(Answer(response), 413, "body_too_large")

    def test_100_continue(self):
        head = b"POST /bytes HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
        with contextlib.closing(self.server.connect()) as s:
            s.sendall(head % 3)
            self.assertEqual(s.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
            s.sendall(b"abc")
            self.assertIn(b'"bytes":3', s.recv(65536))
        with contextlib.closing(self.server.connect()) as s:
            s.sendall(head % (2 << 20))
            self.assertTrue(read_all(s).startswith(b"HTTP/1.1 413 "))

    def test_after_a_refusal_the_connection_goes_on(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        with contextlib.closing(connection):
            for path, status in (("/nothing", 404), ("/json", 413), ("/hello", 405),
                                 ("/bytes", 200)):
                connection.request("POST", path, body=b"x" * 3000)
                response = connection.getresponse()
                self.assertEqual((response.status, bool(response.read())), (status, True))
                sock = connection.sock
            self.assertIsNotNone(sock)

    def test_ambiguous_framing_is_refused(self):
        for lines in (b"Content-Length: 3\r\nTransfer-Encoding: chunked",
                      b"Content-Length: 3\r\nContent-Length: 3",
                      b"Content-Length: 3\r\nContent-Length: 4",
                      b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
                      b"Content-Length : 3", b"Transfer-Encoding\t: chunked",
                      b"Content-Length: 3\r\nHost: y", b"X Y: 1",
                      b"Content-Length: -3", b"Content-Length: 3x",
                      b"Content-Length: 99999999999999999999999"):
            text = self.server.raw(b"POST /bytes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
                                   lines + b"\r\n\r\nabc")
            self.assertRegex(text, rb"^HTTP/1.1 (400|413) ", lines)
        text = self.server.raw(b"POST /bytes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                               b"Transfer-Encoding: gzip\r\n\r\n")
        self.assertTrue(text.startswith(b"HTTP/1.1 501 "), text)

    def test_no_request_hides_in_a_body(self):
        hidden = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
        for line in (b"Content-Length : %d" % len(hidden), b"Transfer-Encoding : chunked",
                     b"Content-Length: %d\r\nTransfer-Encoding: chunked" % len(hidden),
                     b"Transfer-Encoding: gzip"):
            text = self.server.raw(b"POST /bytes HTTP/1.1\r\nHost: x\r\n" + line + b"\r\n\r\n" +
                                   hidden)
            self.assertEqual(text.count(b"HTTP/1.1 "), 1, line)

    def test_forms(self):
        body = (b"--B\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n"
                b"Content-Type: image/png\r\n\r\n\x00\x01\r\n-\r\n--B\r\n"
                b"Content-Disposition: form-data; name=\"prompt\"\r\n\r\ncaf\xc3\xa9\r\n--B--\r\n")
        answer = self.server.ask("POST", "/form", body,
                                 {"Content-Type": "multipart/form-data; boundary=B"})
        self.assertEqual(answer.json, [
            {"name": "image", "filename": "a.png", "type": "image/png", "bytes": 5},
            {"name": "prompt", "filename": None, "type": None, "bytes": 5}])
        answer = self.server.ask("POST", "/form", b"a=1&b=x+y",
                                 {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual([(p["name"], p["bytes"]) for p in answer.json], [("a", 1), ("b", 3)])
        self.problem(self.server.ask("POST", "/form", body, {"Content-Type": "text/plain"}), 422,
                     "unsupported")
        self.problem(self.server.ask("POST", "/form", body[:-10], {
            "Content-Type": "multipart/form-data; boundary=B"}), 400, "malformed")


class Headers(HttpTest):
    def test_security_headers_are_on_everything(self):
        for answer in (self.server.get("/hello"), self.server.get("/nothing"),
                       self.server.get("/file"), self.server.get("/events/1"),
                       self.server.ask("POST", "/bytes", b"x" * (2 << 20))):
            self.assertIn("default-src 'self'", answer.headers["content-security-policy"])
            self.assertIn("frame-ancestors 'none'", answer.headers["content-security-policy"])
            self.assertNotIn("unsafe", answer.headers["content-security-policy"])
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
            self.assertEqual(answer.headers["cross-origin-opener-policy"], "same-origin")
            self.assertEqual(answer.headers["cross-origin-resource-policy"], "same-origin")
            self.assertIn("referrer-policy", answer.headers)
            self.assertNotIn("strict-transport-security", answer.headers)

    def test_handlers_headers(self):
        answer = self.server.get("/cookies")
        self.assertEqual([v for n, v in answer.all if n == "content-security-policy"],
                         ["default-src 'none'"])
        cookies = sorted(v for n, v in answer.all if n == "set-cookie")
        self.assertEqual(cookies, ["old=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
                                   "session=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"])
        self.assertNotIn("x-injected", answer.headers)
        self.assertNotIn("x-bad", answer.headers)

    def test_request_ids(self):
        self.assertEqual(self.server.get("/echo/x", X_Request_Id="abc-1.2_3").json["id"],
                         "abc-1.2_3")
        for bad in ("a b", "x" * 65, "a\"b", "é"):
            answer = self.server.get("/echo/x", X_Request_Id=bad)
            self.assertRegex(answer.json["id"], r"^[0-9a-f]{8}-[0-9a-f]{4}-7")
            self.assertEqual(answer.headers["x-request-id"], answer.json["id"])

    def test_traceparent(self):
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        for text, want in ((f"00-{trace}-00f067aa0ba902b7-01", trace),
                           (f"00-{'0' * 32}-00f067aa0ba902b7-01", ""),
                           (f"00-{trace.upper()}-00f067aa0ba902b7-01", ""),
                           (f"ff-{trace}-00f067aa0ba902b7-01", ""), ("00-12", "")):
            self.assertEqual(self.server.get("/echo/x", traceparent=text).json["trace"], want)

    def test_cookies(self):
        for text, want in (("a=1; b=2", "1"), ("b=2; a=\"x y\"", "x y"), ("aa=1", None),
                           ("a", None), ("b=2;a=", "")):
            self.assertEqual(self.server.get("/echo/x", Cookie=text).json["cookie"], want)

    def test_hosts(self):
        text = self.server.raw(b"GET /echo/x HTTP/1.0\r\n\r\n")
        self.assertIn(b'"base_url":"http://127.0.0.1:%d"' % self.server.port, text)
        text = self.server.raw(b"GET /hello\0x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertTrue(text.startswith(b"HTTP/1.1 400 "), text)
        text = self.server.raw(b"POST /bytes HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        self.assertTrue(text.startswith(b"HTTP/1.1 400 "), text)
        for bad in (b"", b"Host: a\r\nHost: b\r\n", b"Host: a/b\r\n", b"Host: \r\n"):
            text = self.server.raw(b"GET /hello HTTP/1.1\r\nConnection: close\r\n" + bad + b"\r\n")
            self.assertTrue(text.startswith(b"HTTP/1.1 400 "), text)

    def test_unknown_hosts(self):
        server = self.other("allowed_hosts=localhost, 127.0.0.1,[::1],app.example:8443")
        for good in ("localhost", "localhost:1234", "127.0.0.1:80", "[::1]:8000", "LOCALHOST",
                     "app.example:8443"):
            self.assertEqual(server.get("/hello", Host=good).status, 200, good)
        for bad in ("evil.example", "localhost.evil.example", "app.example", "app.example:80"):
            self.problem(server.get("/hello", Host=bad), 421, "unknown_host")

    def test_long_headers(self):
        self.problem(self.server.get("/hello", A="x" * 9000), 431, "headers_too_large")
        self.assertEqual(self.server.get("/hello", A="x" * 7500).status, 200)
        many = {f"A{i}": "x" for i in range(90)}
        self.assertEqual(self.server.get("/hello", **many).status, 200)
        text = self.server.raw(b"GET /hello HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 40000 + b"\r\n\r\n")
        self.assertRegex(text, rb"^(HTTP/1.1 4..|$)")


class Errors(HttpTest):
    def test_codes(self):
        self.problem(self.server.get("/fail/conflict"), 409, "conflict")
        self.assertEqual(self.server.get("/fail/missing").json["detail"], "no such thing")

    def test_inner_messages_are_logged_and_not_shown(self):
        for name, status, code in (("io", 500, "internal"), ("network", 503, "unavailable"),
                                   ("nothing", 500, "internal")):
            answer = self.server.get(f"/fail/{name}", X_Request_Id=f"id-{name}")
            self.problem(answer, status, code)
            self.assertNotIn(b"secret", answer.body)
            self.assertNotIn("x-half", answer.headers)
            for _ in range(100):
                lines = [json.loads(line) for line in self.server.log]
                if any(line.get("request_id") == f"id-{name}" for line in lines):
                    break
                time.sleep(0.02)
            else:
                self.fail(f"nothing was logged for {name}")


class Handlers(HttpTest):
    def test_bytes_headers_and_ends(self):
        before = self.server.get("/finished").json
        answer = self.server.get("/plain")
        self.assertEqual((answer.status, answer.body), (203, b"a\0b"))
        self.assertEqual(answer.headers["content-type"], "text/plain")
        self.assertEqual([v for n, v in answer.all if n == "x-twice"], ["second"])
        self.assertEqual(sorted(v for n, v in answer.all if n == "link"), ["<a>", "<b>"])
        for _ in range(100):  # an event thread runs the ends behind the answer
            after = self.server.get("/finished").json
            if after == before + 2:
                break
            time.sleep(0.02)
        self.assertEqual(after, before + 2)

    def test_what_was_promised_before_an_error_is_released(self):
        before = self.server.get("/finished").json
        problem = self.problem(self.server.get("/replaced"), 422, "invalid")
        self.assertEqual(problem["detail"], "not UTF-8: ?")
        self.assertEqual(self.server.get("/finished").json, before + 1)

    def test_every_answer_is_counted(self):
        server = self.other("file=/nonexistent")
        for path in ("/hello", "/nothing", "/file", "/events/3"):
            server.get(path)
        with contextlib.closing(server.connect()) as s:
            s.sendall(b"POST /bytes HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
            time.sleep(0.2)
        server.get("/hello")
        time.sleep(0.5)
        seen = [(line["operation"], line["status"], line["positive"])
                for line in map(json.loads, server.log) if line["event"] == "request"]
        self.assertEqual(sorted(seen), [
            ("events", 200, 1), ("get_file", 500, 1), ("hello", 200, 1), ("hello", 200, 1),
            ("none", 404, 1), ("post_bytes", 0, 1)])


class Access(HttpTest):
    def as_role(self, method, path, role, **headers):
        return self.server.ask(method, path, headers={
            "Cookie": f"role={role}", **{k.replace("_", "-"): v for k, v in headers.items()}})

    def test_roles(self):
        routes = {"/viewer": ("GET", 1), "/editor": ("POST", 2), "/admin": ("DELETE", 3)}
        for level, role in enumerate(("nobody", "viewer", "editor", "admin")):
            for path, (method, need) in routes.items():
                answer = self.as_role(method, path, role)
                want = 200 if level >= need else 403 if level else 401
                self.assertEqual(answer.status, want, (role, path))
                self.assertEqual("www-authenticate" in answer.headers, want == 401)

    def test_scopes_of_keys(self):
        for path, method, status in (("/viewer", "GET", 200), ("/editor", "POST", 403),
                                     ("/admin", "DELETE", 403)):
            answer = self.server.ask(method, path, headers={"Authorization": "Bearer x"})
            self.assertEqual(answer.status, status, path)
        self.assertEqual(answer.json["code"], "scope_missing")

    def test_large_bodies_are_read_from_those_who_may_send_them(self):
        for role, status in (("nobody", 401), ("viewer", 403), ("broken", 503)):
            with contextlib.closing(self.server.connect()) as s:
                s.sendall(f"POST /upload HTTP/1.1\r\nHost: x\r\nCookie: role={role}\r\n"
                          "Content-Length: 1000000\r\n\r\nabc".encode())
                response = http.client.HTTPResponse(s)
                response.begin()
                self.assertEqual(response.status, status)
        headers = {"Cookie": "role=editor"}
        for n in (0, 1000, 1000000):
            answer = self.server.ask("POST", "/upload", b"x" * n, headers)
            self.assertEqual((answer.status, answer.json["bytes"]), (200, n))
        answer = self.server.ask("POST", "/upload", iter([b"x" * 100000] * 3), headers)
        self.assertEqual(answer.json["bytes"], 300000)
        with contextlib.closing(self.server.connect()) as s:
            s.sendall(b"POST /upload HTTP/1.1\r\nHost: x\r\nCookie: role=editor\r\n"
                      b"Expect: 100-continue\r\nContent-Length: 100000\r\n\r\n")
            self.assertEqual(s.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
            s.sendall(b"x" * 100000)
            self.assertIn(b'"bytes":100000', s.recv(65536))

    def test_who_asks_cannot_be_found_out(self):
        self.problem(self.as_role("GET", "/viewer", "broken"), 503, "unavailable")

    def test_pages_of_other_sites_change_nothing(self):
        own = f"http://127.0.0.1:{self.server.port}"
        for origin, status in ((own, 200), ("http://evil.example", 403), ("null", 403),
                               (f"https://127.0.0.1:{self.server.port}", 403)):
            answer = self.as_role("POST", "/editor", "editor", Origin=origin)
            self.assertEqual(answer.status, status, origin)
        self.assertEqual(self.as_role("GET", "/viewer", "viewer",
                                      Origin="http://evil.example").status, 200)
        answer = self.server.ask("POST", "/bytes", headers={"Authorization": "Bearer x",
                                                            "Origin": "http://evil.example"})
        self.assertEqual(answer.status, 200)

    def test_allowed_origins(self):
        server = self.other("allowed_origins=https://app.example,http://localhost:5173")
        answer = server.get("/hello", Origin="https://app.example")
        self.assertEqual(answer.headers["access-control-allow-origin"], "https://app.example")
        self.assertEqual(answer.headers["access-control-allow-credentials"], "true")
        self.assertEqual([v for n, v in answer.all if n == "cross-origin-resource-policy"],
                         ["cross-origin"])
        self.assertIn("Origin", answer.headers["vary"])
        answer = server.get("/hello", Origin="https://evil.example")
        self.assertNotIn("access-control-allow-origin", answer.headers)
        self.assertIn("Origin", answer.headers["vary"])
        answer = server.ask("OPTIONS", "/bytes", headers={
            "Origin": "https://app.example", "Access-Control-Request-Method": "POST"})
        self.assertEqual(answer.status, 204)
        self.assertEqual(answer.headers["access-control-allow-methods"], "POST, OPTIONS")
        self.assertIn("Content-Type", answer.headers["access-control-allow-headers"])
        answer = server.ask("POST", "/editor", headers={
            "Origin": "https://app.example", "Cookie": "role=editor"})
        self.assertEqual(answer.status, 200)
        self.assertNotIn("access-control-allow-origin", self.server.get(
            "/hello", Origin="https://app.example").headers)

    def test_any_origin_may_read_but_not_act(self):
        server = self.other("allowed_origins=*")
        answer = server.get("/hello", Origin="https://a.example")
        self.assertEqual(answer.headers["access-control-allow-origin"], "*")
        self.assertNotIn("access-control-allow-credentials", answer.headers)
        answer = server.ask("POST", "/editor", headers={
            "Origin": "https://a.example", "Cookie": "role=editor"})
        self.problem(answer, 403, "foreign_origin")

    def test_proxies(self):
        headers = {"X_Forwarded_For": "203.0.113.9, 198.51.100.7", "X_Forwarded_Proto": "https",
                   "X_Forwarded_Host": "app.example"}
        echo = self.server.get("/echo/x", **headers).json
        self.assertEqual((echo["address"], echo["base_url"]),
                         ("127.0.0.1", f"http://127.0.0.1:{self.server.port}"))
        server = self.other("trusted_proxies=127.0.0.0/8,198.51.100.7")
        answer = server.get("/echo/x", **headers)
        self.assertEqual((answer.json["address"], answer.json["base_url"]),
                         ("203.0.113.9", "https://app.example"))
        self.assertIn("max-age", answer.headers["strict-transport-security"])


class Files(HttpTest):
    def test_whole(self):
        answer = self.server.get("/file")
        self.assertEqual((answer.status, answer.body), (200, FILE.read_bytes()))
        self.assertEqual(answer.headers["etag"], '"tag-1"')
        self.assertEqual(answer.headers["accept-ranges"], "bytes")
        self.assertEqual(answer.headers["cache-control"], "private, max-age=31536000, immutable")

    def test_parts(self):
        data = FILE.read_bytes()
        n = len(data)
        for header, first, end in (("bytes=0-9", 0, 10), ("bytes=5-", 5, n), ("bytes=-7", n - 7, n),
                                   (f"bytes={n - 1}-{n + 100}", n - 1, n), ("bytes=3-3", 3, 4),
                                   (f"bytes=-{n + 5}", 0, n)):
            answer = self.server.get("/file", Range=header)
            self.assertEqual(answer.status, 206, header)
            self.assertEqual(answer.body, data[first:end], header)
            self.assertEqual(answer.headers["content-range"], f"bytes {first}-{end - 1}/{n}")

    def test_what_is_no_part(self):
        n = FILE.stat().st_size
        for header in (f"bytes={n}-", "bytes=99999999999999999999-", "bytes=-0"):
            answer = self.server.get("/file", Range=header)
            self.problem(answer, 416, "range_not_satisfiable")
            self.assertEqual(answer.headers["content-range"], f"bytes */{n}")
        for header in ("bytes=0-1,4-5", "bytes=9-3", "bytes=a-b", "lines=1-2", "bytes=-", "bytes"):
            answer = self.server.get("/file", Range=header)
            self.assertEqual((answer.status, len(answer.body)), (200, n), header)

    def test_if_range(self):
        self.assertEqual(self.server.get("/file", Range="bytes=0-1", If_Range='"tag-1"').status, 206)
        for other in ('"tag-2"', 'W/"tag-1"', "Sat, 21 Nov 2026 17:58:06 GMT"):
            self.assertEqual(self.server.get("/file", Range="bytes=0-1", If_Range=other).status, 200)

    def test_not_modified(self):
        for header in ('"tag-1"', 'W/"tag-1"', '"a", "b,c", "tag-1"', "*"):
            answer = self.server.get("/file", If_None_Match=header)
            self.assertEqual((answer.status, answer.body), (304, b""), header)
            self.assertEqual(answer.headers["etag"], '"tag-1"')
            self.assertNotIn("content-type", answer.headers)
            self.assertEqual(int(answer.headers["content-length"]), FILE.stat().st_size)
        for header in ('"tag-2"', "tag-1", '"tag-1', '"x", tag-1'):
            self.assertEqual(self.server.get("/file", If_None_Match=header).status, 200, header)

    def test_not_modified_leaves_the_connection_usable(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        with contextlib.closing(connection):
            for path, etag in (("/file", '"tag-1"'), ("/tagged", '"v1"'), ("/hello", '"x"')):
                connection.request("GET", path, headers={"If-None-Match": etag})
                response = connection.getresponse()
                self.assertEqual((response.status, response.read() == b""),
                                 (200, False) if path == "/hello" else (304, True))
                self.assertNotEqual(response.getheader("Content-Length"), "0")
                first = connection.sock if path == "/file" else first
            self.assertIs(connection.sock, first)
        self.assertEqual(self.server.get("/tagged").status, 200)

    def test_not_modified_has_no_body_on_the_wire(self):
        for path, etag, length in (("/file", "tag-1", FILE.stat().st_size), ("/tagged", "v1", 2),
                                   ("/vague", "v1", None)):
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as s:
                s.sendall(f'GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n'
                          f'If-None-Match: "{etag}"\r\n\r\n'.encode())
                answer = b""
                while more := s.recv(65536):
                    answer += more
            head, _, body = answer.partition(b"\r\n\r\n")
            self.assertEqual((head[9:12], body), (b"304", b""), path)
            said = re.search(rb"(?i)content-length: (\d+)", head)
            self.assertEqual(said and int(said[1]), length, path)
            self.assertNotIn(b"ransfer-", head, path)

    def test_head(self):
        answer = self.server.ask("HEAD", "/file", headers={"Range": "bytes=0-9"})
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(int(answer.headers["content-length"]), FILE.stat().st_size)

    def test_a_missing_file(self):
        server = self.other("file=/nonexistent")
        self.problem(server.get("/file"), 500, "internal")


class Static(HttpTest):
    @classmethod
    def setUpClass(cls):
        cls.root = FOLDER / "www"
        (cls.root / "assets").mkdir(parents=True)
        (cls.root / "index.html").write_text("<h1>index</h1>")
        (cls.root / ".env").write_text("secret")
        (cls.root / "assets" / "app-1a2b.js").write_text("run()" * 100)
        (cls.root / "assets" / "app-1a2b.js.gz").write_bytes(gzip.compress(b"run()" * 100))
        (cls.root / "link.txt").symlink_to(FILE)
        (cls.root / "out").symlink_to(FOLDER)
        cls.options = (f"static_root={cls.root}",)
        super().setUpClass()

    def test_files(self):
        answer = self.server.get("/")
        self.assertEqual((answer.body, answer.headers["cache-control"]),
                         (b"<h1>index</h1>", "no-cache"))
        self.assertEqual(answer.headers["content-type"], "text/html; charset=utf-8")
        again = self.server.get("/index.html", If_None_Match=answer.headers["etag"])
        self.assertEqual(again.status, 304)
        answer = self.server.get("/assets/app-1a2b.js")
        self.assertEqual(answer.body, b"run()" * 100)
        self.assertIn("immutable", answer.headers["cache-control"])
        self.assertEqual(self.server.ask("HEAD", "/index.html").status, 200)
        self.assertEqual(self.server.get("/hello").json["answer"], 42)

    def test_packed(self):
        answer = self.server.get("/assets/app-1a2b.js", Accept_Encoding="br, gzip;q=0.5")
        self.assertEqual(answer.headers["content-encoding"], "gzip")
        self.assertEqual(gzip.decompress(answer.body), b"run()" * 100)
        self.assertEqual(answer.headers["content-type"], "text/javascript; charset=utf-8")
        self.assertIn("Accept-Encoding", answer.headers["vary"])
        for header in ("gzip;q=0", "identity", "xgzip"):
            answer = self.server.get("/assets/app-1a2b.js", Accept_Encoding=header)
            self.assertNotIn("content-encoding", answer.headers)

    def test_nothing_outside(self):
        for path in ("/../picture.png", "/assets/../../picture.png", "/%2e%2e/picture.png",
                     "/..%2fpicture.png", "/assets/%2e%2e%2f%2e%2e%2fpicture.png", "/link.txt",
                     "/out/picture.png", "/.env", "/assets", "/assets/", "//index.html",
                     "/assets//app-1a2b.js", "/nothing.txt"):
            text = self.server.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                                   .encode())
            self.assertTrue(text.startswith(b"HTTP/1.1 404 "), (path, text[:100]))
        self.problem(self.server.get("/%00"), 400, "malformed")

    def test_pages_of_the_application(self):
        self.assertEqual(self.server.get("/experiments/42", Accept="text/html,*/*").body,
                         b"<h1>index</h1>")
        for path, accept in (("/experiments/42", "application/json"), ("/a.js", "text/html"),
                             ("/api/v1/x", "text/html")):
            self.problem(self.server.get(path, Accept=accept), 404, "not_found")

    def test_other_methods(self):
        answer = self.server.ask("POST", "/index.html", b"x")
        self.problem(answer, 405, "method_not_allowed")
        self.assertEqual(answer.headers["allow"], "GET, HEAD, OPTIONS")


class Streams(HttpTest):
    def test_events(self):
        answer = self.server.get("/events/7")
        self.assertEqual(answer.body, b"".join(b"data: %d\n\n" % i for i in range(7)))
        self.assertEqual(answer.headers["content-type"], "text/event-stream")
        self.assertEqual(answer.headers["transfer-encoding"], "chunked")

    def test_empty(self):
        self.assertEqual(self.server.get("/events/0").body, b"")

    def test_http_1_0(self):
        text = self.server.raw(b"GET /events/3 HTTP/1.0\r\nHost: x\r\n\r\n")
        self.assertTrue(text.endswith(b"data: 0\n\ndata: 1\n\ndata: 2\n\n"), text)

    def test_a_failure_is_seen(self):
        with self.assertRaises(http.client.IncompleteRead):
            self.server.get("/events/-3")

    def test_pauses_hold_no_worker(self):
        server = self.other("workers=1")
        with concurrent.futures.ThreadPoolExecutor(30) as pool:
            streams = [pool.submit(server.get, "/events/40") for _ in range(20)]
            self.assertEqual(server.get("/hello").status, 200)
            for stream in streams:
                self.assertEqual(stream.result().body.count(b"data"), 40)

    def test_clients_that_leave(self):
        server = Server(self.server.process.args[0])
        for _ in range(20):
            with contextlib.closing(server.connect()) as s:
                s.sendall(b"GET /events/1000000 HTTP/1.1\r\nHost: x\r\n\r\n")
                s.recv(100)
        self.assertEqual(int(server.stop()), 20)  # every stream was released

    def test_clients_that_leave_during_a_long_pause(self):
        server = self.other()
        with contextlib.closing(server.connect()) as s:
            s.sendall(b"GET /silence HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(b"text/event-stream", s.recv(4096))
            self.assertEqual(server.get("/finished").json, 0)
            time.sleep(1.2)  # it is not asked again
        for _ in range(100):
            if server.get("/finished").json:
                break
            time.sleep(0.05)
        self.assertEqual(server.get("/finished").json, 1)


class Later(HttpTest):
    options = (f"file={FILE}", "workers=2", "queue=200")

    def test_the_time_is_over(self):
        start = time.monotonic()
        answer = self.server.get("/later/2?seconds=0.3")
        self.assertEqual((answer.status, answer.json["gone"]), (201, False))
        self.assertGreaterEqual(time.monotonic() - start, 0.3)
        self.assertEqual(answer.headers["x-request-id"], answer.json["id"])

    def test_finished_before_the_handler_returns(self):
        self.assertEqual(self.server.get("/later/0").status, 201)

    def test_an_error_of_the_handler_is_the_answer(self):
        self.problem(self.server.get("/later/1"), 409, "conflict")

    def test_finished_by_another_request(self):
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            waiting = [pool.submit(self.server.get, f"/later/{n}?seconds=60")
                       for n in range(10, 90)]
            time.sleep(0.5)
            self.assertFalse(any(w.done() for w in waiting))
            self.assertEqual(self.server.get("/hello").status, 200)  # with two workers
            for n in range(10, 90):
                self.assertEqual(self.server.ask("POST", f"/finish/{n}").status, 204)
            for w in waiting:
                self.assertEqual(w.result().status, 201)
        for n in range(10, 90):  # long over
            self.assertEqual(self.server.ask("POST", f"/finish/{n}").status, 204)

    def test_a_client_that_leaves(self):
        server = Server(self.server.process.args[0])
        with contextlib.closing(server.connect()) as s:
            s.sendall(b"GET /later/5?seconds=100 HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.2)
        time.sleep(0.5)
        self.assertEqual(int(server.stop()), 1)


class Limits(HttpTest):
    def test_a_full_queue(self):
        server = self.other("workers=1", "queue=2")
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            first = pool.submit(server.get, "/slow/1.5")
            time.sleep(0.5)
            answers = [a.result() for a in [pool.submit(server.get, "/slow/1") for _ in range(7)]]
            answers.append(first.result())
        statuses = sorted(a.status for a in answers)
        self.assertEqual(statuses.count(200), 3)
        self.assertEqual(statuses.count(503), 5)
        refused = next(a for a in answers if a.status == 503)
        self.problem(refused, 503, "busy")
        self.assertEqual(refused.headers["retry-after"], "1")

    def test_requests_a_second(self):
        server = self.other("rate=5")
        answers = [server.get("/hello") for _ in range(14)]
        statuses = [a.status for a in answers]
        self.assertEqual(statuses[:10], [200] * 10)
        self.assertIn(429, statuses[10:])
        refused = next(a for a in answers if a.status == 429)
        self.problem(refused, 429, "too_many_requests")
        self.assertEqual(refused.headers["retry-after"], "1")
        time.sleep(1)
        self.assertEqual(server.get("/hello").status, 200)

    def test_bodies_in_all(self):
        server = self.other("buffered=100000")
        head = b"POST /bytes HTTP/1.1\r\nHost: x\r\nContent-Length: 65000\r\n\r\n"
        with contextlib.closing(server.connect()) as s:
            s.sendall(head + b"x" * 60000)
            time.sleep(0.3)
            self.problem(server.ask("POST", "/bytes", b"x" * 50000), 503, "busy")
            self.assertEqual(server.ask("POST", "/bytes", b"x" * 30000).status, 200)
            s.sendall(b"x" * 5000)
            self.assertIn(b'"bytes":65000', s.recv(65536))
        for _ in range(100):  # an event thread gives it back behind the answer
            if server.ask("POST", "/bytes", b"x" * 99000).status == 200:
                break
            time.sleep(0.05)
        else:
            self.fail("what was taken for bodies has not been given back")

    def test_clients_behind_a_proxy_have_accounts_of_their_own(self):
        server = self.other("rate=1", "trusted_proxies=127.0.0.1", "per_address=1")
        with contextlib.closing(server.connect()):
            for client in ("192.0.2.1", "192.0.2.2", "2001:db8::1"):
                statuses = [server.get("/hello", X_Forwarded_For=client).status for _ in range(3)]
                self.assertEqual(statuses, [200, 200, 429], client)

    def closed(self, s):
        s.settimeout(5)  # before the deadline for headers
        try:
            return s.recv(1) == b""
        except ConnectionResetError:
            return True

    def test_connections_of_one_address(self):
        server = self.other("per_address=3")
        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(contextlib.closing(server.connect()))
                           for _ in range(3)]
            time.sleep(0.2)
            for _ in range(3):
                self.assertTrue(self.closed(
                    stack.enter_context(contextlib.closing(server.connect()))))
            connections[0].close()
            time.sleep(0.3)
            self.assertEqual(server.get("/hello").status, 200)

    def test_connections_in_all(self):
        server = self.other("max_connections=3")
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(contextlib.closing(server.connect()))
            time.sleep(0.2)
            self.assertTrue(self.closed(stack.enter_context(contextlib.closing(server.connect()))))


class Deadlines(HttpTest):
    def lives(self, server, first, then, seconds):
        """How long a connection lives that sends `first` and then one byte every 100 ms."""
        with contextlib.closing(server.connect()) as s:
            s.sendall(first)
            start = time.monotonic()
            s.settimeout(0.1)
            while time.monotonic() - start < seconds:
                try:
                    s.sendall(then)
                    if s.recv(65536) == b"":
                        break
                except socket.timeout:
                    continue
                except (ConnectionResetError, BrokenPipeError):
                    break
            return time.monotonic() - start

    def test_slow_headers(self):
        server = self.other("header_seconds=1", "idle_seconds=30", "body_seconds=30")
        self.assertLess(self.lives(server, b"GET /hello HTTP/1.1\r\nHost: x\r\nA: ", b"a", 8), 4)
        self.assertLess(self.lives(server, b"", b"G", 8), 4)
        self.assertLess(self.lives(server, b"", b"", 8), 4)

    def test_slow_headers_of_the_second_request(self):
        server = self.other("header_seconds=1", "idle_seconds=30", "body_seconds=30")
        self.assertLess(self.lives(server, b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
                                   b"GET /hello HTTP/1.1\r\nHost: x\r\nA: ", b"a", 8), 4)

    def test_slow_bodies(self):
        server = self.other("header_seconds=30", "idle_seconds=30", "body_seconds=1")
        head = b"POST /bytes HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
        self.assertLess(self.lives(server, head, b"a", 8), 4)

    def test_idle_connections(self):
        server = self.other("header_seconds=30", "idle_seconds=1", "body_seconds=30")
        self.assertLess(self.lives(server, b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", b"", 8), 4)

    def test_clients_that_do_not_read(self):
        file = FOLDER / "large"
        with file.open("wb") as f:
            f.truncate(64 << 20)
        server = self.other(f"file={file}", "idle_seconds=1", "body_seconds=1")
        with contextlib.closing(server.connect(60)) as s:
            s.sendall(b"GET /file HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(8)
            s.settimeout(10)
            self.assertLess(len(read_all(s)), 64 << 20)

    def test_slow_handlers_and_streams_are_not_cut(self):
        server = self.other("header_seconds=1", "idle_seconds=1", "body_seconds=1")
        self.assertEqual(server.get("/slow/2.5").status, 200)
        self.assertEqual(server.get("/later/3?seconds=2.5").status, 201)
        self.assertEqual(server.get("/events/100").body.count(b"data"), 100)

    def test_slow_clients_do_not_stop_others(self):
        server = self.other("header_seconds=3", "workers=4")
        stop = threading.Event()
        sockets = [server.connect() for _ in range(500)]
        self.addCleanup(lambda: [s.close() for s in sockets])
        for s in sockets:
            s.sendall(b"GET /hello HTTP/1.1\r\nHost: x\r\nX-Slow: ")

        def dribble():
            while not stop.wait(0.2):
                for s in sockets:
                    with contextlib.suppress(OSError):
                        s.send(b"a")

        thread = threading.Thread(target=dribble)
        thread.start()
        times = []
        end = time.monotonic() + 6
        try:
            while time.monotonic() < end:
                start = time.monotonic()
                self.assertEqual(server.get("/hello").status, 200)
                times.append(time.monotonic() - start)
        finally:
            stop.set()
            thread.join()
        self.assertGreater(len(times), 50)
        for s in sockets:  # all of them have been cut off, though they never stopped sending
            s.settimeout(5)
            try:
                self.assertEqual(s.recv(10), b"")
            except ConnectionResetError:
                pass


class Stopping(HttpTest):
    def test_requests_in_progress_finish(self):
        server = Server(self.server.process.args[0], "stop_seconds=10")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            slow = [pool.submit(server.get, "/slow/1") for _ in range(4)]
            time.sleep(0.3)
            server.stop()
            for answer in slow:
                self.assertEqual((answer.result().status, answer.result().json["gone"]),
                                 (200, False))
        with self.assertRaises(OSError):
            server.connect(1)

    def test_pauses_of_streams_are_not_waited_for(self):
        server = Server(self.server.process.args[0], "stop_seconds=1000")
        with contextlib.closing(server.connect()) as s:
            s.sendall(b"GET /silence HTTP/1.1\r\nHost: x\r\n\r\n")
            s.recv(4096)
            self.assertIn(server.stop(), ("1", "2"))  # asked a last time
            self.assertEqual(read_all(s), b"0\r\n\r\n")  # an end, not an abort

    def test_the_rest_is_cancelled(self):
        server = Server(self.server.process.args[0], "stop_seconds=0.3")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            slow = pool.submit(server.get, "/slow/100")
            later = pool.submit(server.get, "/later/7?seconds=100")
            time.sleep(0.3)
            start = time.monotonic()
            server.stop()
            self.assertLess(time.monotonic() - start, 10)
            for one in (slow, later):
                with contextlib.suppress(OSError, http.client.HTTPException):
                    self.assertTrue(one.result().json["gone"])

    def test_with_idle_and_half_open_connections(self):
        server = Server(self.server.process.args[0])
        with contextlib.ExitStack() as stack:
            for first in (b"", b"GET /", b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n",
                          b"POST /bytes HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\na"):
                stack.enter_context(contextlib.closing(server.connect())).sendall(first)
            time.sleep(0.2)
            server.stop()

    def test_bad_options(self):
        for option, says in (("workers=0", "threads"), ("address=nonsense.invalid", "address"),
                             ("static_root=/nonexistent", "folder"), ("header_seconds=0", "times"),
                             ("trusted_proxies=here", "IP address"), ("event_threads=0", "event"),
                             ("max_connections=0", "connections"), ("port=70000", "port"),
                             (f"port={self.server.port}", "listen")):
            with self.assertRaises(RuntimeError) as caught:
                Server(self.server.process.args[0], option)
            self.assertIn(says, str(caught.exception))

    def test_ipv6(self):
        with contextlib.closing(socket.socket(socket.AF_INET6)) as s:
            try:
                s.bind(("::1", 0))
            except OSError:
                self.skipTest("no IPv6 here")
        server = self.other("address=::1")
        with contextlib.closing(http.client.HTTPConnection("::1", server.port, timeout=20)) as c:
            c.request("GET", "/echo/x")
            echo = json.load(c.getresponse())
            self.assertEqual((echo["address"], echo["base_url"]),
                             ("::1", f"http://[::1]:{server.port}"))


class Hammering(HttpTest):
    options = (f"file={FILE}", "workers=4", "queue=1000")

    def test_many_kinds_at_once(self):
        paths = ["/hello", "/file", "/echo/x?tag=1", "/events/5", "/later/0", "/nothing",
                 "/fail/io", "/later/9?seconds=0.05", "/slow/0.01"]
        wants = [200, 200, 200, 200, 201, 404, 500, 201, 200]

        def client(number):
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
            with contextlib.closing(connection):
                for i in range(60):
                    at = (number + i) % len(paths)
                    connection.request("GET", paths[at])
                    response = connection.getresponse()
                    response.read()
                    self.assertEqual(response.status, wants[at])

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for done in [pool.submit(client, n) for n in range(16)]:
                done.result()


if __name__ == "__main__":
    unittest.main()
