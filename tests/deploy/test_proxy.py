"""The real nginx with deploy/nginx/nginx.conf, in front of the real `cauldron serve`."""

import base64
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

PROGRAM = os.environ["CAULDRON"]
SOURCE = pathlib.Path(os.environ["CAULDRON_SOURCE"])
PASSWORD = "correct horse battery"
SMALL = {"prompt": "a red circle", "steps": 4, "width": 64, "height": 64}


def setUpModule():
    for name in ("nginx", "openssl", "curl"):
        if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin"):
            raise unittest.SkipTest(f"NOT RUN: there is no {name} (tools/install.sh deploy)")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Proxy(unittest.TestCase):
    """One server and one proxy for the class."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="cauldron-proxy-"))
        cls.folder.chmod(0o755)
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.app_port, cls.port, cls.plain = free_port(), free_port(), free_port()
        cls.start_app()
        cls.addClassCleanup(cls.end_app)
        cls.start_nginx()
        cls.addClassCleanup(cls.end_nginx)

    @classmethod
    def start_app(cls):
        env = {"PATH": os.environ["PATH"], "HOME": str(cls.folder), "OMP_WAIT_POLICY": "passive",
               "CAULDRON_MODELS": str(SOURCE / "models"), "CAULDRON_ADMIN_PASSWORD": PASSWORD,
               "CAULDRON_TRUSTED_PROXIES": "127.0.0.1/32", "CAULDRON_LOG_LEVEL": "error",
               "CAULDRON_PORT": str(cls.app_port), "CAULDRON_ADDRESS": "127.0.0.1"}
        cls.app = subprocess.Popen([PROGRAM, "serve"], cwd=cls.folder, env=env, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        if "Shadow Cauldron is at" not in cls.app.stdout.readline():
            raise RuntimeError("the server did not start")
        threading.Thread(target=cls.app.stdout.read, daemon=True).start()

    @classmethod
    def end_app(cls):
        cls.app.terminate()
        cls.app.wait(60)
        cls.app.stdout.close()

    @classmethod
    def start_nginx(cls):
        """The file as it is shipped, but for where things lie on this machine."""
        subprocess.run([SOURCE / "deploy/nginx/self_signed.sh", cls.folder], check=True)
        text = (SOURCE / "deploy/nginx/nginx.conf").read_text()
        for old, new, times in (("/tmp/", f"{cls.folder}/", 6),
                                ("/etc/nginx/certs/", f"{cls.folder}/", 2),
                                ("server app:8000 resolve;", f"server 127.0.0.1:{cls.app_port};", 1),
                                ("listen 8080", f"listen 127.0.0.1:{cls.plain}", 1),
                                ("listen 8443", f"listen 127.0.0.1:{cls.port}", 1)):
            if text.count(old) != times:
                raise AssertionError(f"nginx.conf has '{old}' {text.count(old)} times, not {times}")
            text = text.replace(old, new)
        text = re.sub(r"(?m)^ *listen \[::\]:\d+.*\n", "", text)
        (cls.folder / "nginx.conf").write_text(text)
        words = [shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"), "-p", cls.folder,
                 "-e", "stderr", "-c", cls.folder / "nginx.conf"]
        with open(cls.folder / "nginx.log", "wb") as log:
            cls.nginx = subprocess.Popen([*words, "-g", "daemon off;"], stdout=log, stderr=log,
                                         stdin=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", cls.port), 1).close()
                return
            except OSError:
                if time.monotonic() > end or cls.nginx.poll() is not None:
                    raise RuntimeError((cls.folder / "nginx.log").read_text()) from None
                time.sleep(0.05)

    @classmethod
    def end_nginx(cls):
        cls.nginx.send_signal(signal.SIGQUIT)
        try:
            cls.nginx.wait(15)
        except subprocess.TimeoutExpired:
            cls.nginx.kill()
            cls.nginx.wait()

    # ---- asking ----

    def tls(self, *alpn):
        context = ssl.create_default_context(cafile=str(self.folder / "tls.crt"))
        context.set_alpn_protocols(list(alpn or ("http/1.1",)))
        return context

    def ask(self, method, path, body=None, headers=None, source="127.0.0.1"):
        """(status, headers, bytes) by TLS, from this address."""
        link = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.tls(),
                                           source_address=(source, 0))
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        try:
            link.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
            answer = link.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            link.close()

    def login(self, **more):
        status, headers, _ = self.ask("POST", "/api/v1/login",
                                      {"name": "admin", "password": PASSWORD}, **more)
        self.assertEqual(status, 200)
        return headers["Set-Cookie"]

    def cookie(self, **more):
        return {"Cookie": self.login(**more).split(";")[0]}


class Requests(Proxy):
    def test_plain_http_is_sent_to_tls(self):
        link = http.client.HTTPConnection("127.0.0.1", self.plain, timeout=20)
        link.request("GET", "/gallery?q=x", headers={"Host": "cauldron.example"})
        answer = link.getresponse()
        self.assertEqual(answer.status, 308)
        self.assertEqual(answer.headers["Location"], "https://cauldron.example/gallery?q=x")
        answer.read()
        link.request("GET", "/healthz")
        self.assertEqual(link.getresponse().status, 200)
        link.close()

    def test_tls_and_http_2(self):
        status, headers, _ = self.ask("GET", "/healthz")
        self.assertEqual(status, 200)
        self.assertEqual(headers["Strict-Transport-Security"], "max-age=31536000")
        with socket.create_connection(("127.0.0.1", self.port)) as plain:
            with self.tls("h2", "http/1.1").wrap_socket(plain, server_hostname="localhost") as s:
                self.assertEqual(s.selected_alpn_protocol(), "h2")
                self.assertIn(s.version(), ("TLSv1.2", "TLSv1.3"))
        done = subprocess.run(["curl", "-sS", "--http2", "--cacert", self.folder / "tls.crt", "-w",
                               " %{http_version}", f"https://127.0.0.1:{self.port}/healthz"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout, '{"status":"ok"} 2', done.stderr)

    def test_the_app_knows_who_asks_and_how(self):
        """The client's address is the connection's, whatever the client says of itself."""
        lie = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http",
               "Forwarded": "for=203.0.113.9"}
        cookie = self.login(source="127.0.0.2", headers=lie)
        self.assertIn("Secure", cookie)
        headers = {"Cookie": cookie.split(";")[0]}
        _, _, text = self.ask("GET", "/api/v1/sessions", headers=headers)
        addresses = {one["address"] for one in json.loads(text)["items"]}
        self.assertIn("127.0.0.2", addresses)
        self.assertNotIn("203.0.113.9", addresses)

    def test_a_picture(self):
        cookie = self.cookie()
        status, _, text = self.ask("POST", "/api/v1/generate", SMALL, {**cookie, "Prefer": "wait=60"})
        self.assertEqual(status, 201, text)
        made = json.loads(text)["generations"][0]
        status, headers, picture = self.ask("GET", f"/api/v1/generations/{made['id']}/image",
                                            headers=cookie)
        self.assertEqual((status, picture[:4]), (200, b"\x89PNG"))
        status, headers, part = self.ask("GET", f"/api/v1/generations/{made['id']}/image",
                                         headers={**cookie, "Range": "bytes=1-3"})
        self.assertEqual((status, part), (206, b"PNG"))

    def test_bodies_have_a_limit(self):
        link = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=self.tls())
        link.putrequest("POST", "/api/v1/generate")
        link.putheader("Content-Length", str(64 << 20))
        link.endheaders()
        self.assertEqual(link.getresponse().status, 413)
        link.close()

    def test_metrics_are_not_for_everybody(self):
        self.assertEqual(self.ask("GET", "/metrics")[0], 404)
        link = http.client.HTTPConnection("127.0.0.1", self.app_port, timeout=20)
        link.request("GET", "/metrics")
        self.assertEqual(link.getresponse().status, 200)
        link.close()

    def test_the_log_has_no_query(self):
        self.ask("GET", "/healthz?q=what-i-look-for")
        end = time.monotonic() + 10
        while '"path":"/healthz"' not in (self.folder / "nginx.log").read_text():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        self.assertNotIn("what-i-look-for", (self.folder / "nginx.log").read_text())


class Sockets(Proxy):
    """Socket.IO v5 over Engine.IO v4, written out: polling, then WebSocket on the same session."""

    def setUp(self):
        self.headers = self.cookie()
        status, _, text = self.ask("GET", "/socket.io/?EIO=4&transport=polling", headers=self.headers)
        self.assertEqual(status, 200, text)
        self.session = json.loads(text[1:])["sid"]
        self.path = f"/socket.io/?EIO=4&sid={self.session}&transport="
        self.assertEqual(self.poll(b"40"), b"ok")
        self.assertTrue(self.poll().startswith(b"40{"))

    def poll(self, packet=None):
        status, _, text = self.ask("POST" if packet else "GET", self.path + "polling", packet,
                                   {**self.headers, "Content-Type": "text/plain;charset=UTF-8"})
        self.assertEqual(status, 200, text)
        return text

    def draw(self, seed):
        status, _, text = self.ask("POST", "/api/v1/generate", {**SMALL, "seed": seed}, self.headers)
        self.assertIn(status, (200, 201, 202), text)

    def test_long_polling(self):
        timer = threading.Timer(0.3, self.draw, [71])
        timer.start()
        end = time.monotonic() + 60
        while True:
            text = self.poll()
            if b"42[" in text:
                break
            self.assertLess(time.monotonic(), end)
            self.poll(b"3")
        timer.join()

    def upgrade(self):
        link = self.tls().wrap_socket(socket.create_connection(("127.0.0.1", self.port), 30),
                                      server_hostname="localhost")
        self.addCleanup(link.close)
        link.sendall((f"GET {self.path}websocket HTTP/1.1\r\nHost: localhost:{self.port}\r\n"
                      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                      f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}\r\n"
                      f"Origin: https://localhost:{self.port}\r\n"
                      f"Cookie: {self.headers['Cookie']}\r\n\r\n").encode())
        reader = link.makefile("rb")
        self.addCleanup(reader.close)
        self.assertEqual(reader.readline().split()[1], b"101")
        while reader.readline() != b"\r\n":
            pass
        return link, reader

    @staticmethod
    def send(link, text):
        """One masked text frame (RFC 6455 5.2); a mask of zeros leaves the text as it is."""
        link.sendall(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)

    @staticmethod
    def frame(reader):
        first, length = reader.read(2)
        if length == 126:
            length = int.from_bytes(reader.read(2), "big")
        elif length == 127:
            length = int.from_bytes(reader.read(8), "big")
        return first & 15, reader.read(length)

    def test_upgrade(self):
        link, reader = self.upgrade()
        self.send(link, b"2probe")
        self.assertEqual(self.frame(reader), (1, b"3probe"))
        self.send(link, b"5")
        self.draw(72)
        end = time.monotonic() + 60
        while True:
            kind, text = self.frame(reader)
            if kind == 1 and text.startswith(b"42["):
                break
            if text == b"2":
                self.send(link, b"3")
            self.assertLess(time.monotonic(), end)


class Away(Proxy):
    def test_a_server_that_is_away(self):
        type(self).end_app()
        try:
            status, headers, text = self.ask("GET", "/api/v1/models")
            self.assertEqual((status, headers["Retry-After"]), (503, "5"))
            self.assertEqual(headers["Content-Type"], "application/problem+json")
            self.assertEqual(json.loads(text)["status"], 503)
            self.assertTrue(headers["Strict-Transport-Security"])
        finally:
            type(self).start_app()
        self.assertEqual(self.ask("GET", "/healthz")[0], 200)


if __name__ == "__main__":
    unittest.main()
