#!/usr/bin/env python3
"""Real servers for tests, in a folder that is removed afterwards.

    python3 tests/servers.py -- meson test -C build

starts PostgreSQL and Redis on unix sockets (PostgreSQL as user postgres when run by root), and on
loopback, where tools/test_servers.sh has installed them, servers that speak MongoDB's protocol,
Google Cloud Storage's and S3's. It puts their URLs into CAULDRON_TEST_POSTGRES, _REDIS, _MONGO, _GCS
and _S3 (with _S3_KEY and _S3_SECRET), runs the command, stops them, and ends with its exit status.
`--tcp` makes all of them listen on loopback, on free ports; `--no-postgres` and `--no-redis` leave one
out; `--mongo`, `--gcs` and `--s3` insist on one (it is an error when it cannot be had), `--no-mongo`,
... leave it out. Tests that stop and start a server use the classes:

    with tempfile.TemporaryDirectory() as folder, Postgres(folder) as pg:
        ... pg.url ...
        pg.stop(); pg.start(); pg.kill()
"""

import argparse
import glob
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse


def free_port():
    """A port that nobody has at this moment."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """One server in its own folder: start, stop (politely), kill (as a crash), restart."""

    name = ""

    def __init__(self, folder, tcp=False):
        self.folder = pathlib.Path(folder) / self.name
        self.folder.mkdir(parents=True)
        self.port = free_port() if tcp else None
        self.process = None
        self.prepare()

    def prepare(self):
        """What is done once, before the first start."""

    def command(self):
        raise NotImplementedError

    def ready(self):
        raise NotImplementedError

    def start(self, timeout=60):
        end = time.monotonic() + timeout
        while not self.started(end):
            if not self.worth_another_try() or time.monotonic() > end:
                raise RuntimeError(f"{self.name} did not start:\n" + self.last_words(2000))
            time.sleep(0.3)
        return self

    def started(self, end):
        """One try: False when the process has ended, or does not answer before the end."""
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, cwd=self.folder,
                                            **self.identity())
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                return False
            time.sleep(0.05)
        return True

    def last_words(self, count):
        return (self.folder / "log").read_text(errors="replace")[-count:]

    def worth_another_try(self):
        """Whether what kept it from starting passes by itself."""
        return False

    def identity(self):
        return {}

    def end(self, number):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def stop(self):
        self.end(signal.SIGTERM)

    def kill(self):
        self.end(signal.SIGKILL)

    def restart(self):
        self.stop()
        self.start()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Postgres(Server):
    """PostgreSQL, which refuses to run as root. fsync is off: a test's data need not survive a
    crash of the machine, and does survive one of the server."""

    name = "postgres"
    user = "postgres"

    def worth_another_try(self):
        # After a crash its children need a moment to see that they are orphans.
        return "is still in use" in self.last_words(500)

    @staticmethod
    def program(name):
        found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"),
                       key=lambda p: int(p.split("/")[4]))
        path = found[-1] if found else shutil.which(name)
        if not path:
            raise RuntimeError(f"there is no {name}: install the package postgresql")
        return path

    def identity(self):
        if os.geteuid() != 0:
            return {}
        return {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []}

    def prepare(self):
        if os.geteuid() == 0:
            who = pwd.getpwnam(self.user)
            os.chown(self.folder, who.pw_uid, who.pw_gid)
            # The folders above must let that user through.
            for above in self.folder.parents:
                if above.stat().st_uid == 0 and not above.stat().st_mode & 0o001:
                    above.chmod(above.stat().st_mode | 0o011)
        self.folder.chmod(0o700 if os.geteuid() else 0o755)
        subprocess.run([self.program("initdb"), "-D", str(self.folder / "data"), "-A", "trust",
                        "-U", "cauldron", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
                       check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self.identity())

    def command(self):
        options = {"unix_socket_directories": self.folder, "fsync": "off", "max_connections": "200",
                   "shared_buffers": "256MB", "autovacuum_naptime": "5s",
                   "listen_addresses": "127.0.0.1" if self.port else "", "port": self.number}
        return [self.program("postgres"), "-D", str(self.folder / "data")] + [
            part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    @property
    def number(self):
        return self.port or 5432

    def ready(self):
        return subprocess.run([self.program("pg_isready"), "-q", "-h", str(self.folder), "-p",
                               str(self.number), "-d", "postgres"], check=False).returncode == 0

    def stop(self):
        self.end(signal.SIGINT)  # "fast": sessions are ended, not waited for

    @property
    def url(self):
        if self.port:
            return f"postgresql://cauldron@127.0.0.1:{self.port}/postgres"
        return (f"postgresql://cauldron@/postgres?port={self.number}&host="
                + urllib.parse.quote(str(self.folder), safe=""))


class Redis(Server):
    """Redis without files: what it loses, the database has."""

    name = "redis"

    def command(self):
        program = shutil.which("redis-server")
        if not program:
            raise RuntimeError("there is no redis-server: install the package redis-server")
        return [program, "--port", str(self.port or 0), "--bind", "127.0.0.1", "--unixsocket",
                str(self.folder / "socket"), "--save", "", "--appendonly", "no", "--dir",
                str(self.folder)]

    def ready(self):
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(str(self.folder / "socket"))
                s.sendall(b"PING\r\n")
                return s.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    @property
    def url(self):
        if self.port:
            return f"redis://127.0.0.1:{self.port}/0"
        return f"unix://{self.folder / 'socket'}"


class Tool(Server):
    """One that tools/test_servers.sh installs; always on a loopback port of its own."""

    tools = pathlib.Path(os.environ.get("CAULDRON_TOOLS")
                         or pathlib.Path.home() / ".cache/cauldron/tools")

    def __init__(self, folder, tcp=True):
        super().__init__(folder, True)

    @classmethod
    def missing(cls):
        """Why it cannot be started; None when it can."""
        return None if cls.program().exists() else f"{cls.program()} is missing (tools/test_servers.sh)"

    @classmethod
    def program(cls):
        raise NotImplementedError

    @classmethod
    def need(cls):
        """For setUpModule: the tests are skipped and say so."""
        if cls.missing():
            raise unittest.SkipTest(f"NOT RUN: {cls.missing()}")

    @classmethod
    def packages(cls):
        """Makes what is in the tools' virtual environment importable: pymongo, ..."""
        for folder in sorted(cls.tools.glob("venv/lib/python3*/site-packages")):
            if str(folder) not in sys.path:
                sys.path.append(str(folder))

    def ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def environment(self):
        """What a test must know: the ends of its variables' names, and their values."""
        return {"": self.url}


class Mongo(Tool):
    """mongo-java-server: no login, no sessions, no transactions. Its data is in a file and outlives
    stop() and kill(), but for the last 20 milliseconds before a kill(); with memory=True it is
    quicker and forgets."""

    name = "mongo"

    def __init__(self, folder, tcp=True, memory=False):
        self.memory = memory
        super().__init__(folder)

    @classmethod
    def program(cls):
        return cls.tools / "mongo/classes/Mongo.class"

    def command(self):
        java = shutil.which("java")
        if not java:
            raise RuntimeError("there is no java: install the package default-jdk-headless")
        path = f"{self.tools}/mongo/classes:{self.tools}/mongo/target/dependency/*"
        return [java, "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", path, "Mongo",
                str(self.port), *([] if self.memory else [str(self.folder / "data.mv")])]

    @property
    def url(self):
        return f"mongodb://127.0.0.1:{self.port}"


class Gcs(Tool):
    """fake-gcs-server with its objects in a folder, so that they outlive a restart. It asks for no
    token, and answers the status query of a resumable upload wrong (it ends the upload)."""

    name = "gcs"

    @classmethod
    def program(cls):
        return cls.tools / "bin/fake-gcs-server"

    def command(self):
        here = f"127.0.0.1:{self.port}"
        return [str(self.program()), "-backend", "filesystem", "-filesystem-root",
                str(self.folder / "objects"), "-scheme", "http", "-host", "127.0.0.1", "-port",
                str(self.port), "-public-host", here, "-external-url", f"http://{here}"]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


class GcsEmulator(Tool):
    """gcp-storage-emulator: the one that answers the status query of a resumable upload right. It
    ignores ifGenerationMatch. One bucket, "pictures"; in memory."""

    name = "gcs-emulator"
    bucket = "pictures"

    @classmethod
    def program(cls):
        return cls.tools / "venv/bin/gcp-storage-emulator"

    def command(self):
        return [str(self.program()), "start", "--host=127.0.0.1", f"--port={self.port}", "--in-memory",
                f"--default-bucket={self.bucket}"]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


class S3(Tool):
    """versitygw over a folder: checks signatures, dates and payload hashes."""

    name = "s3"
    region = "us-east-1"

    def prepare(self):
        self.key = "testkey" + secrets.token_hex(6)
        self.secret = secrets.token_hex(20)
        (self.folder / "objects").mkdir()

    @classmethod
    def program(cls):
        return cls.tools / "bin/versitygw"

    def identity(self):
        return {"env": {**os.environ, "ROOT_ACCESS_KEY": self.key, "ROOT_SECRET_KEY": self.secret}}

    def command(self):
        return [str(self.program()), "--port", f"127.0.0.1:{self.port}", "--region", self.region,
                "--quiet", "posix", str(self.folder / "objects")]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def environment(self):
        return {"": self.url, "_KEY": self.key, "_SECRET": self.secret}


def main():
    parser = argparse.ArgumentParser(description="run a command with real servers")
    parser.add_argument("--tcp", action="store_true")
    parser.add_argument("--no-postgres", action="store_true")
    parser.add_argument("--no-redis", action="store_true")
    for kind in (Mongo, Gcs, S3):
        parser.add_argument(f"--{kind.name}", action=argparse.BooleanOptionalAction)
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    environment = dict(os.environ)
    started = []
    with tempfile.TemporaryDirectory(prefix="servers-") as folder:
        try:
            for kind, wanted in ((Postgres, not args.no_postgres), (Redis, not args.no_redis)):
                if wanted:
                    server = kind(folder, args.tcp)
                    started.append(server)
                    server.start()
                    environment[f"CAULDRON_TEST_{kind.name.upper()}"] = server.url
            for kind in (Mongo, Gcs, S3):
                wanted = getattr(args, kind.name)
                if wanted and kind.missing():
                    raise SystemExit(f"servers.py: {kind.missing()}")
                if wanted is False or kind.missing():
                    continue
                server = kind(folder)
                started.append(server)
                server.start()
                for end, value in server.environment().items():
                    environment[f"CAULDRON_TEST_{kind.name.upper()}{end}"] = value
            return subprocess.run(args.command, env=environment, check=False).returncode
        finally:
            for server in reversed(started):
                server.stop()


if __name__ == "__main__":
    # A polite end of this program ends the servers, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
