"""Running a server program under test, and talking to it over plain sockets."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import threading
import unittest


class Answer:
    """What came back: status, headers (lower-case names, the last value counts), body."""

    def __init__(self, response):
        self.status = response.status
        self.all = [(name.lower(), value) for name, value in response.getheaders()]
        self.headers = dict(self.all)
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


class Server:
    """A program that prints its port first and ends when its standard input does."""

    def __init__(self, program, *options):
        self.process = subprocess.Popen([program, *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.log = []
        self.reader = threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()
        self.port = int(self.process.stdout.readline() or 0)
        if not self.port:
            self.process.wait(20)
            self.reader.join(10)
            for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
                pipe.close()
            raise RuntimeError(f"the server did not start: {self.log}")

    def read_log(self):
        for line in self.process.stderr:
            self.log.append(line.decode(errors="replace").rstrip("\n"))

    def stop(self):
        """End it; returns what it printed last. A sanitizer's report makes the status non-zero."""
        if self.process.poll() is None:
            self.process.stdin.close()
        last = self.process.stdout.read().decode()
        status = self.process.wait(60)
        self.reader.join(10)
        self.process.stdout.close()
        self.process.stderr.close()
        if status or any("runtime error" in line for line in self.log):
            raise RuntimeError(f"status {status}:\n" + "\n".join(self.log))
        return last.strip()

    def connect(self, timeout=20):
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def ask(self, method, path, body=None, headers=None, timeout=20):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=headers or {})
            return Answer(connection.getresponse())

    def get(self, path, **headers):
        return self.ask("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def post_json(self, path, value, **headers):
        return self.ask("POST", path, json.dumps(value).encode(),
                        {"Content-Type": "application/json",
                         **{k.replace("_", "-"): v for k, v in headers.items()}})

    def raw(self, data, timeout=20):
        """Send bytes, read until the server closes or nothing comes any more."""
        with contextlib.closing(self.connect(timeout)) as s:
            s.sendall(data)
            return read_all(s)


def read_all(s):
    parts = []
    try:
        while data := s.recv(65536):
            parts.append(data)
    except (ConnectionResetError, socket.timeout):
        pass
    return b"".join(parts)


class ServerTest(unittest.TestCase):
    """One server a class with `options`; other() starts more of them."""

    program = None
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(os.environ[cls.program], *cls.options)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def other(self, *options):
        server = Server(os.environ[self.program], *options)
        self.addCleanup(server.stop)
        return server

    def problem(self, answer, status, code):
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        problem = answer.json
        self.assertEqual(problem["code"], code)
        self.assertEqual(problem["type"], f"/docs#problem-{code}")
        self.assertEqual(problem["status"], status)
        self.assertEqual(problem["request_id"], answer.headers["x-request-id"])
        return problem
