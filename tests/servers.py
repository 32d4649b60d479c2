#!/usr/bin/env python3
"""A real PostgreSQL and a real Redis for tests, in a folder that is removed afterwards.

    python3 tests/servers.py -- meson test -C build

starts both on unix sockets (PostgreSQL as user postgres when run by root), puts their URLs into
CAULDRON_TEST_POSTGRES and CAULDRON_TEST_REDIS, runs the command, stops them, and ends with its exit
status. `--tcp` makes both listen on loopback as well, on free ports, and gives those URLs;
`--no-postgres` and `--no-redis` leave one out. Tests that stop and start a server use the classes:

    with tempfile.TemporaryDirectory() as folder, Postgres(folder) as pg:
        ... pg.url ...
        pg.stop(); pg.start(); pg.kill()
"""

import argparse
import glob
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
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


def main():
    parser = argparse.ArgumentParser(description="run a command with real servers")
    parser.add_argument("--tcp", action="store_true")
    parser.add_argument("--no-postgres", action="store_true")
    parser.add_argument("--no-redis", action="store_true")
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
            return subprocess.run(args.command, env=environment, check=False).returncode
        finally:
            for server in reversed(started):
                server.stop()


if __name__ == "__main__":
    # A polite end of this program ends the servers, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
