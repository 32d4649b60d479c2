"""What containers need of the program: a health check without curl, a first user without a terminal."""

import contextlib
import http.server
import json
import re
import subprocess
import threading
import unittest
import urllib.error
import urllib.request

from program import PROGRAM, SOURCE, ProgramTest

PASSWORD = "correct horse battery"


class Container(ProgramTest):
    @contextlib.contextmanager
    def serving(self, *options, env=None):
        """`cauldron serve` on a free port; the port."""
        process = subprocess.Popen(
            [PROGRAM, "serve", "--port", "0", "--no-draw", *options], cwd=self.folder,
            env={**self.env, "CAULDRON_MODELS": str(SOURCE / "models"), **(env or {})},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            found = re.search(r":(\d+)\s*$", process.stdout.readline())
            self.assertTrue(found)
            yield int(found[1])
        finally:
            process.terminate()
            process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)


class Answering(http.server.BaseHTTPRequestHandler):
    """Says 503 to everything, or sends the caller elsewhere."""

    def do_GET(self):
        self.send_response(302 if self.path.startswith("/moved") else 503)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *_):
        pass


class Health(Container):
    def test_a_server_that_answers(self):
        with self.serving() as port:
            self.assertEqual(self.succeeds("health", "--port", port).stdout, "ok\n")
            self.succeeds("health", f"http://127.0.0.1:{port}/")
            self.succeeds("health", "--ready", env={"CAULDRON_PORT": str(port),
                                                    "CAULDRON_ADDRESS": "0.0.0.0"})

    def test_a_server_that_goes_by_other_names(self):
        with self.serving("--allowed-hosts", "cauldron.example") as port:
            self.succeeds("health", "--port", port)
            self.fails(1, "health", f"http://127.0.0.1:{port}", says="answered 421")

    def test_no_proxy_is_asked(self):
        with self.serving() as port:
            self.succeeds("health", "--port", port, env={"http_proxy": "http://127.0.0.1:1"})

    def test_nobody_there(self):
        self.fails(1, "health", "--port", 1, says="cannot ask 'http://127.0.0.1:1/healthz'")
        self.fails(1, "health", "file:///etc/passwd", says="cannot ask")
        self.fails(2, "health", "a", "b", says="unexpected argument 'b'")

    def test_bad_answers(self):
        server = http.server.HTTPServer(("127.0.0.1", 0), Answering)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            self.fails(1, "health", url, says="answered 503")
            self.fails(1, "health", url + "/moved", says="answered 302")
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class FirstAdmin(Container):
    def login(self, port, name, password):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/v1/login", method="POST",
            data=json.dumps({"name": name, "password": password}).encode(),
            headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, None

    def secret(self, password):
        path = self.folder / "password"
        path.write_text(password + "\n")
        return {"CAULDRON_ADMIN_PASSWORD_FILE": str(path)}

    def test_made_from_a_file_once(self):
        with self.serving(env=self.secret(PASSWORD)) as port:
            status, who = self.login(port, "admin", PASSWORD)
            self.assertEqual((status, who["role"]), (200, "admin"))
        # Later the option says nothing any more: neither another password nor another name.
        with self.serving("--admin-name", "eve", env=self.secret("another password")) as port:
            self.assertEqual(self.login(port, "admin", PASSWORD)[0], 200)
            self.assertEqual(self.login(port, "admin", "another password")[0], 401)
            self.assertEqual(self.login(port, "eve", "another password")[0], 401)

    def test_a_password_that_is_none(self):
        self.fails(1, "serve", "--port", 0, env={**self.secret("short"), "CAULDRON_LOG_LEVEL": "off"},
                   says="the first user's password")
        self.fails(2, "serve", "--port", 0, env={"CAULDRON_ADMIN_PASSWORD_FILE": "missing",
                                                 "CAULDRON_LOG_LEVEL": "off"}, says="missing")

    def test_others_are_let_in_only_with_a_user(self):
        self.fails(1, "serve", "--address", "0.0.0.0", "--port", 0,
                   env={"CAULDRON_LOG_LEVEL": "off"}, says="CAULDRON_ADMIN_PASSWORD_FILE")


if __name__ == "__main__":
    unittest.main()
