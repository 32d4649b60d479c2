"""The services of deploy/compose.yaml together, each with the command, user, secrets, limits of writing and
variables that it has there: PostgreSQL, Redis, migrations, server, worker; then a picture.

Without a registry there is one stand-in for two images, made of Debian's packages. All containers share
one network, which is nothing but a loopback.
"""

import json
import pathlib
import secrets
import shutil
import subprocess
import tempfile
import time
import unittest

from engine import DEBIAN, SOURCE, Engine
from test_compose import READER, project
from test_image import DRAW

STAND_IN = "localhost/cauldron-test-stores"
# What the entrypoint of the stock image does with its variables.
POSTGRES = """#!/bin/sh
set -eu
export PGDATA=/var/lib/postgresql/data PATH="/usr/lib/postgresql/15/bin:$PATH"
initdb -U "$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" --no-sync $POSTGRES_INITDB_ARGS >/dev/null
echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
export PGPASSWORD
pg_ctl -w -o "-c listen_addresses=''" start
createdb -U "$POSTGRES_USER" "$POSTGRES_DB" 2>/dev/null || true
pg_ctl -w -m fast stop >/dev/null
exec "$@" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql
"""
DOCKERFILE = f"""FROM {DEBIAN}
RUN apt-get update -q && apt-get install -qy --no-install-recommends postgresql-15 redis-server \\
    && rm -rf /var/lib/apt/lists/* \\
    && install -d -o postgres -g postgres -m 0700 /var/lib/postgresql/data && install -d -o redis -g redis /data
COPY postgres.sh /usr/local/bin/postgres.sh
"""

engine = runtime = None


def setUpModule():
    global engine, runtime
    if not READER.exists():
        raise unittest.SkipTest("NOT RUN: there is no compose-go (tools/scan_tools.sh)")
    engine = Engine()
    if not engine.local:
        raise unittest.SkipTest("NOT RUN: Docker starts compose.yaml itself")
    [runtime] = engine.build("runtime")
    with tempfile.TemporaryDirectory() as folder:
        there = pathlib.Path(folder)
        (there / "Dockerfile").write_text(DOCKERFILE)
        (there / "postgres.sh").write_text(POSTGRES)
        (there / "postgres.sh").chmod(0o755)
        engine.run("build", "--pull=never", "--layers", "--isolation=chroot", "-t", STAND_IN, folder)


def tearDownModule():
    engine.prune()


class Services(unittest.TestCase):
    def setUp(self):
        self.tag = "cauldron-test-" + secrets.token_hex(4)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cauldron-services-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        subprocess.run([SOURCE / "deploy/secrets.sh", self.folder], check=True,
                       stdout=subprocess.DEVNULL)
        self.services = project()["services"]
        self.first = None # whose network the others join
        self.volumes = set()
        self.addCleanup(self.remove)

    def remove(self):
        for kind, names in (("rm --volumes", self.names()), ("volume rm", self.volumes)):
            for name in names:
                subprocess.run([engine.name, *kind.split(), "--force", name], env=engine.env,
                               check=False, capture_output=True)

    def names(self):
        listed = engine.run("ps", "--all", "--format", "{{.Names}}", "--filter", f"name={self.tag}")
        # Who joined a network goes before whose it is.
        return sorted(listed.split(), key=lambda name: name == self.first)

    def options(self, service):
        words = ["--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges"]
        for key, value in service.get("environment", {}).items():
            words += ["--env", f"{key}={value}"]
        for secret in service.get("secrets", []):
            words += ["--volume", f"{self.folder / secret['source']}:{secret['target']}:ro"]
        for mount in service.get("volumes", []):
            volume = f"{self.tag}-{mount['source']}"
            self.volumes.add(volume)
            mode = ":ro" if mount.get("read_only") else ""
            words += ["--volume", f"{volume}:{mount['target']}{mode}"]
        for place in service.get("tmpfs", []):
            # runc gives a tmpfs the mode of the folder below it, whatever mode is asked for; a new
            # volume has the owner that the image gave the folder.
            words += ["--tmpfs", place] if place.startswith("/tmp") else ["--volume",
                                                                          place.split(":")[0]]
        if service.get("user"):
            words += ["--user", service["user"]]
        # What compose's own name service answers.
        (self.folder / "hosts").write_text("127.0.0.1 localhost postgres redis\n")
        network = f"container:{self.first}" if self.first else "none"
        return [*words, "--network", network, "--volume", f"{self.folder}/hosts:/etc/hosts:ro"]

    def start(self, name, image, *before, wait=True):
        """Start it, and wait until its health check is content (or, without waiting, until it ends)."""
        service = self.services[name]
        full = f"{self.tag}-{name}"
        run = ["run", "--name", full, *(["--detach"] if wait else []), *self.options(service)]
        engine.run(*run, image, *before, *service["command"])
        self.first = self.first or full
        if wait:
            self.until_healthy(full, service)
        return full

    def until_healthy(self, full, service):
        test = service.get("healthcheck", {}).get("test", ["CMD", "cauldron", "health"])
        words = test[1:] if test[0] == "CMD" else ["sh", "-c", test[1]]
        end = time.monotonic() + 60
        while True:
            done = subprocess.run([engine.name, "exec", full, *words], env=engine.env, check=False,
                                  capture_output=True, text=True)
            if done.returncode == 0:
                return
            if time.monotonic() > end or full not in engine.run("ps", "--format", "{{.Names}}"):
                logs = subprocess.run([engine.name, "logs", full], env=engine.env, check=False,
                                      capture_output=True, text=True)
                self.fail(f"{full}: {done.stdout}{done.stderr}\n{logs.stdout}{logs.stderr}")
            time.sleep(0.3)

    def test_a_picture_is_drawn_by_the_worker(self):
        self.start("postgres", STAND_IN, "postgres.sh")
        self.start("redis", STAND_IN)
        self.start("migrate", runtime, wait=False)
        self.start("app", runtime)
        self.start("worker", runtime)
        state = json.loads(engine.run("container", "inspect", self.first))[0]["State"]
        password = (self.folder / "admin_password").read_text()
        done = subprocess.run(["nsenter", "--net", "--target", str(state["Pid"]), "python3", "-c",
                               DRAW, password], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        said = json.loads(done.stdout)
        self.assertEqual((said["status"], said["magic"]), ("succeeded", "89504e47"))
        drawn = engine.run("exec", f"{self.tag}-worker", "sh", "-c", "ls /data/blobs/*/*/*")
        self.assertTrue(drawn.strip())
        for name in ("worker", "app"):
            engine.run("stop", "--time", "40", f"{self.tag}-{name}")
            state = json.loads(engine.run("container", "inspect", f"{self.tag}-{name}"))[0]["State"]
            self.assertEqual(state["ExitCode"], 0, name)


if __name__ == "__main__":
    unittest.main()
