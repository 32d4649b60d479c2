"""deploy/compose.yaml and its secrets: valid by the reference's own reader (compose-go), every service
held to what it needs, every name one that the program knows, Redis started as it says."""

import json
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ["CAULDRON"]
SOURCE = pathlib.Path(os.environ["CAULDRON_SOURCE"])
TOOLS = pathlib.Path(os.environ.get("CAULDRON_TOOLS")
                     or pathlib.Path.home() / ".cache" / "cauldron" / "tools")
READER = TOOLS / "bin" / "compose-go"
MAIN, GPU = SOURCE / "deploy/compose.yaml", SOURCE / "deploy/compose.gpu.yaml"
OURS = ("migrate", "app", "worker")
OUTSIDE = {"app", "worker"}


def setUpModule():
    if not READER.exists():
        raise unittest.SkipTest("NOT RUN: there is no compose-go (tools/scan_tools.sh)")


def read(*files):
    """Paths in them are relative to deploy/, as for `docker compose -f deploy/compose.yaml`."""
    return subprocess.run([READER, "-format", "json", *files], capture_output=True, text=True,
                          check=False, cwd=SOURCE / "deploy")


def project(*files):
    done = read(*(files or (MAIN,)))
    if done.returncode:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cauldron-compose-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)


class Valid(Folder):
    def test_both_files(self):
        self.assertEqual(project()["name"], "cauldron")
        devices = project(MAIN, GPU)["services"]["worker"]["deploy"]["resources"]["reservations"]
        self.assertEqual(devices["devices"][0]["driver"], "nvidia")
        self.assertEqual(project(MAIN, GPU)["services"]["worker"]["build"]["target"], "cuda")

    def test_the_reader_is_strict(self):
        wrong = self.folder / "compose.yaml"
        wrong.write_text(MAIN.read_text().replace("read_only: true", "read_olny: true"))
        self.assertNotEqual(read(wrong).returncode, 0)


class Services(unittest.TestCase):
    def setUp(self):
        self.project = project()
        self.services = self.project["services"]

    def test_what_was_asked_for(self):
        self.assertLessEqual({"app", "worker", "migrate", "postgres", "redis", "mongo",
                              "prometheus", "grafana", "nginx"}, set(self.services))
        self.assertRegex(self.services["postgres"]["image"], r"^postgres:15\.")
        self.assertRegex(self.services["redis"]["image"], r"^redis:7\.")

    def test_hardened(self):
        for service in self.services.values():
            self.assertIs(service.get("read_only"), True)
            self.assertEqual(service["cap_drop"], ["ALL"])
            self.assertEqual(service["security_opt"], ["no-new-privileges:true"])
            self.assertNotIn("privileged", service)
            self.assertNotIn("cap_add", service)
            limits = service["deploy"]["resources"]["limits"]
            self.assertLessEqual({"cpus", "memory", "pids"}, set(limits))
            self.assertIn(service["restart"], ("unless-stopped", "on-failure"))

    def test_health_checks(self):
        for name, service in self.services.items():
            if name in ("migrate", "app"): # one ends, the other's check is the image's
                continue
            self.assertTrue(service["healthcheck"]["test"])

    def test_images_are_pinned(self):
        for name, service in self.services.items():
            tag = service["image"].rpartition(":")[2]
            self.assertRegex(tag, r"^v?\d+\.\d+(\.\d+)?")
        version = re.search(r"version: '([\d.]+)'", (SOURCE / "meson.build").read_text())[1]
        for name in OURS:
            self.assertEqual(self.services[name]["image"], f"cauldron:{version}")

    def test_only_server_and_workers_reach_the_outside(self):
        networks = self.project["networks"]
        open_ones = {name for name, net in networks.items() if not net.get("internal")}
        self.assertEqual(open_ones, {"edge", "egress"})
        self.assertEqual(networks["edge"]["driver_opts"],
                         {"com.docker.network.bridge.enable_ip_masquerade": "false"})
        for name, service in self.services.items():
            self.assertEqual("egress" in service["networks"], name in OUTSIDE)
            self.assertEqual("edge" in service["networks"], name == "nginx")
            self.assertEqual("ports" in service, name == "nginx")
            self.assertNotIn("network_mode", service)
        for name in OUTSIDE:
            self.assertTrue(self.services[name]["environment"]["CAULDRON_ALLOW_HOSTS"])
        # The proxy has no way to the databases.
        self.assertFalse(set(self.services["nginx"]["networks"])
                         & set(self.services["postgres"]["networks"]))

    def test_the_app_trusts_the_proxy_alone(self):
        proxy = self.services["nginx"]["networks"]["front"]["ipv4_address"]
        self.assertEqual(self.services["app"]["environment"]["CAULDRON_TRUSTED_PROXIES"], proxy)

    def test_what_is_mounted_exists(self):
        for service in self.services.values():
            for mount in service.get("volumes", []):
                if mount["type"] == "bind":
                    self.assertTrue(pathlib.Path(mount["source"]).exists(), mount["source"])
                    self.assertTrue(mount["read_only"])

    def test_variables_are_known_to_the_program(self):
        for name in OURS:
            service = self.services[name]
            helped = subprocess.run([PROGRAM, service["command"][0], "--help"], text=True, check=True,
                                    capture_output=True).stdout
            for variable in service["environment"]:
                if variable.startswith("CAULDRON_CONNECTION_"):
                    continue
                # Read wherever a connection is made, not by one command's table.
                if variable == "CAULDRON_ALLOW_HOSTS":
                    sources = (SOURCE / "src/cli").glob("*.c")
                    self.assertTrue(any(variable in path.read_text() for path in sources))
                    continue
                self.assertIn(f"[{variable.removesuffix('_FILE')}]", helped)


class Secrets(Folder):
    def setUp(self):
        super().setUp()
        self.project = project()

    def make(self):
        subprocess.run([SOURCE / "deploy/secrets.sh", self.folder / "secrets"], check=True,
                       stdout=subprocess.DEVNULL)
        return {p.name: p.read_bytes() for p in (self.folder / "secrets").iterdir()}

    def test_the_script_makes_what_is_mounted(self):
        made = self.make()
        self.assertEqual(set(made), {pathlib.Path(secret["file"]).name
                                     for secret in self.project["secrets"].values()})
        self.assertEqual(stat.S_IMODE((self.folder / "secrets").stat().st_mode), 0o700)
        self.assertIn(made["redis_password"], made["redis_url"])
        self.assertIn(made["postgres_password"], made["database_url"])
        self.assertIn(made["mongo_password"], made["mongo_url"])
        self.assertEqual(len({made[name] for name in made if name.endswith("password")}), 5)
        self.assertEqual(self.make(), made) # what is there stays

    def test_no_secret_is_in_an_environment(self):
        for name, service in self.project["services"].items():
            mounted = {secret["source"] for secret in service.get("secrets", [])}
            for variable, value in (service.get("environment") or {}).items():
                with self.subTest(service=name, variable=variable):
                    if variable.endswith("_FILE"):
                        self.assertTrue(value.startswith("/run/secrets/"))
                        self.assertIn(value.removeprefix("/run/secrets/"), mounted)
                    else:
                        self.assertNotRegex(variable, r"PASSWORD|SECRET|TOKEN|^(DATABASE|REDIS|BLOB)_URL")

    def test_secrets_are_ignored_by_git(self):
        if not (SOURCE / ".git").exists():
            self.skipTest("NOT RUN: not a checkout")
        done = subprocess.run(["git", "check-ignore", "-q", "deploy/secrets/admin_password"],
                              cwd=SOURCE, check=False)
        self.assertEqual(done.returncode, 0)


class Redis(Folder):
    """The shell words of the service, run with the real server in a folder of the test's."""

    def test_starts_and_wants_the_password(self):
        if not shutil.which("redis-server"):
            self.skipTest("NOT RUN: there is no redis-server")
        service = project()["services"]["redis"]
        (self.folder / "redis_password").write_text("of-the-test\n")

        def here(text, where):
            return (text.replace("/run/secrets", str(self.folder)).replace("dir /data", where))

        # No port: the socket is enough, and nobody else's.
        script = here(service["command"][2],
                      f"dir {self.folder}\nport 0\nunixsocket {self.folder}/socket")
        process = subprocess.Popen(["sh", "-c", script], cwd=self.folder, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        try:
            check = here(service["healthcheck"]["test"][1], "").replace(
                "redis-cli", f"redis-cli -s {self.folder}/socket")
            end = time.monotonic() + 20
            while subprocess.run(["sh", "-c", check], check=False, stderr=subprocess.DEVNULL).returncode:
                self.assertLess(time.monotonic(), end, "not healthy")
                self.assertIsNone(process.poll())
                time.sleep(0.05)
            said = subprocess.run(["redis-cli", "-s", self.folder / "socket", "ping"], text=True,
                                  capture_output=True, check=False)
            self.assertIn("NOAUTH", said.stdout + said.stderr)
            # The shell is gone, so that SIGTERM reaches the server; its words hold no password.
            words = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
            self.assertTrue(words.startswith(b"redis-server"))
            self.assertNotIn(b"of-the-test", words)
        finally:
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, out)


if __name__ == "__main__":
    unittest.main()
