"""The images of deploy/docker: built from the Dockerfile as it is, and run as they should be run."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from engine import SOURCE, Engine

PROGRAM = os.environ["CAULDRON"]
PASSWORD = "correct horse battery"
UID = 10001
MB = 1000 * 1000

# Logs in and draws; this runs in the container's network.
DRAW = """
import json, sys, urllib.request
BASE = "http://127.0.0.1:8000"
def ask(path, body=None, headers={}):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data=data,
                                     headers={"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.headers, answer.read()
headers, _ = ask("/api/v1/login", {"name": "admin", "password": sys.argv[1]})
cookie = {"Cookie": headers["Set-Cookie"].split(";")[0]}
_, text = ask("/api/v1/generate", {"prompt": "a red circle", "steps": 4, "width": 64, "height": 64},
              {**cookie, "Prefer": "wait=60"})
made = json.loads(text)["generations"][0]
_, picture = ask(f"/api/v1/generations/{made['id']}/image", headers=cookie)
_, page = ask("/", headers=cookie)
print(json.dumps({"status": made["status"], "magic": picture[:4].hex(), "page": page.decode()}))
"""

engine = bare = runtime = None


def setUpModule():
    global engine, bare, runtime
    engine = Engine()
    [bare] = engine.build("bare")
    [runtime] = engine.build("runtime")


class Image(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cauldron-image-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.chmod(0o711)

    def writable(self):
        """A folder for the container's user, and the option that mounts it."""
        folder = self.folder / "out"
        folder.mkdir()
        os.chown(folder, UID, UID)
        return folder, ["--volume", f"{folder}:/out"]

    def secret(self):
        """As compose mounts a secret: readable in the container, behind a closed folder outside."""
        path = self.folder / "password"
        path.write_text(PASSWORD + "\n")
        path.chmod(0o444)
        return ["--volume", f"{path}:/run/secrets/admin:ro"], {
            "CAULDRON_ADMIN_PASSWORD_FILE": "/run/secrets/admin"}


class Contents(Image):
    def test_less_than_200_mb_without_models(self):
        size = engine.inspect(bare)["Size"]
        self.assertLess(size, 200 * MB)
        models = sum(f.stat().st_size for f in (SOURCE / "models").rglob("*") if f.is_file())
        self.assertLess(engine.inspect(runtime)["Size"], 200 * MB + models)

    def test_settings(self):
        config = engine.inspect(runtime)["Config"]
        self.assertEqual(config["User"], f"{UID}:{UID}")
        self.assertEqual(config["Entrypoint"], ["cauldron"])
        self.assertEqual(config["Cmd"], ["serve"])
        self.assertIn(config["StopSignal"], ("SIGTERM", "15"))
        self.assertEqual(list(config["Volumes"]), ["/data"])
        self.assertEqual(list(config["ExposedPorts"]), ["8000/tcp"])
        health = engine.inspect(runtime).get("Healthcheck") or config["Healthcheck"]
        self.assertEqual(health["Test"], ["CMD", "cauldron", "health"])

    def test_labels(self):
        labels = engine.inspect(runtime)["Config"]["Labels"]
        version = re.search(r"version: '([\d.]+)'", (SOURCE / "meson.build").read_text())[1]
        self.assertEqual(labels["org.opencontainers.image.version"], version)
        self.assertEqual(labels["org.opencontainers.image.licenses"], "Apache-2.0")
        self.assertRegex(labels["org.opencontainers.image.revision"], r"^([0-9a-f]{40}|unknown)$")
        self.assertRegex(labels["org.opencontainers.image.created"], r"^20\d\d-\d\d-\d\dT")
        self.assertRegex(labels["org.shadow-cauldron.models.digest"], r"^[0-9a-f]{64}$")
        default = re.search(r"(?m)^ARG VERSION=(.*)$",
                            (SOURCE / "deploy/docker/Dockerfile").read_text())[1]
        self.assertEqual(default, version)

    def test_nothing_that_builds_is_left(self):
        found = engine.once(runtime, "-c", "command -v gcc make meson npm node curl python3; true",
                            options=["--entrypoint", "sh"])
        self.assertEqual(found, "")

    def test_cuda_asks_for_devices(self):
        [image] = engine.build("cuda")
        config = engine.inspect(image)["Config"]
        self.assertIn("NVIDIA_VISIBLE_DEVICES=all", config["Env"])
        self.assertIn("NVIDIA_DRIVER_CAPABILITIES=compute,utility", config["Env"])
        self.assertEqual(config["User"], f"{UID}:{UID}")


class Running(Image):
    def test_draws_what_the_desk_draws(self):
        """The same bytes as the program that was built outside."""
        words = ["generate", "a red circle", "--seed", "7", "--steps", "4", "-o"]
        folder, mount = self.writable()
        engine.once(runtime, *words, "/out/a.png", options=mount)
        subprocess.run([PROGRAM, *words, self.folder / "b.png"], check=True, capture_output=True,
                       env={"PATH": os.environ["PATH"], "HOME": str(self.folder),
                            "OMP_WAIT_POLICY": "passive", "CAULDRON_MODELS": str(SOURCE / "models")})
        self.assertEqual((folder / "a.png").read_bytes(), (self.folder / "b.png").read_bytes())

    def test_serves_and_draws_with_nothing_but_data_to_write_to(self):
        mount, env = self.secret()
        with engine.start(runtime, env=env, options=mount) as box:
            box.until_healthy()
            said = json.loads(box.python(DRAW, PASSWORD))
            self.assertEqual((said["status"], said["magic"]), ("succeeded", "89504e47"))
            self.assertIn("<title>", said["page"])
            status = box.execute("cat", "/proc/1/status")
            self.assertRegex(status, r"(?m)^Uid:\s+10001\s+10001\s+10001")
            self.assertRegex(status, r"(?m)^CapBnd:\s+0+$")
            self.assertRegex(status, r"(?m)^NoNewPrivs:\s+1$")
            with self.assertRaisesRegex(RuntimeError, "Read-only file system"):
                box.execute("touch", "/usr/share/cauldron/x")
            self.assertEqual(box.stop(), 0)

    def test_nobody_may_come_before_there_is_a_user(self):
        with self.assertRaisesRegex(RuntimeError, "CAULDRON_ADMIN_PASSWORD_FILE"):
            engine.once(runtime)

    def test_a_worker_tells_how_it_is(self):
        mount = ["--health-cmd", '["cauldron", "health", "http://127.0.0.1:9100"]']
        with engine.start(runtime, "worker", env={"CAULDRON_METRICS_PORT": "9100"},
                          options=mount) as box:
            box.until_healthy()
            self.assertEqual(box.stop(), 0)


class Models(Image):
    def test_a_layer_and_a_volume(self):
        models = self.folder / "models"
        shutil.copytree(SOURCE / "models" / "demo", models / "tiny")
        volume, layer = engine.build("models", str(models))
        self.addCleanup(engine.forget, volume, layer)
        labels = engine.inspect(volume)["Config"]["Labels"]
        self.assertEqual(labels["org.shadow-cauldron.models"], "tiny")
        digest = labels["org.shadow-cauldron.models.digest"]
        self.assertTrue(volume.endswith(":" + digest[:12]))
        labels = engine.inspect(layer)["Config"]["Labels"]
        self.assertEqual(labels["org.shadow-cauldron.models.digest"], digest)
        listed = [json.loads(line) for line in engine.once(layer, "models", "list", "--json").splitlines()]
        self.assertEqual([one["name"] for one in listed], ["tiny"])
        # Other models have another digest; the same ones, whenever they were copied, do not.
        (models / "tiny" / "README.md").write_text("other")
        again, more = engine.build("models", str(models))
        self.addCleanup(engine.forget, again, more)
        self.assertNotEqual(again, volume)


if __name__ == "__main__":
    unittest.main()
