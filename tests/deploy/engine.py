"""Images and containers without a daemon: podman with settings, storage and base images of its own.

    engine = Engine()                       # or unittest.SkipTest, with what is missing
    image = engine.build("bare")            # by deploy/docker/build.sh
    with engine.start(image, "serve", env={...}) as box:
        box.until_healthy()
        box.python("import urllib.request; ...")    # in the container's network, this machine's Python

No registry is asked: what a Dockerfile names in FROM is made once from Debian's own packages under
the same name (debootstrap, cut down as Debian's slim image is), so the Dockerfile that is shipped is
the one that is tested. Containers get no network but their loopback; builds use this machine's.
Images are kept in ${CAULDRON_TOOLS:-~/.cache/cauldron/tools}/containers (0.7 GB); what builds leave
beside them (5 GB) until test_services.py, the last that builds, has run.

CAULDRON_TEST_ENGINE=docker uses Docker and its registries instead.
"""

import contextlib
import json
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import tempfile
import time
import unittest

SOURCE = pathlib.Path(os.environ["CAULDRON_SOURCE"])
TOOLS = pathlib.Path(os.environ.get("CAULDRON_TOOLS")
                     or pathlib.Path.home() / ".cache" / "cauldron" / "tools")
IMAGE = "localhost/cauldron-test"
DEBIAN = "docker.io/library/debian:bookworm-slim"
MIRROR = "http://deb.debian.org/debian"
# runc: crun refuses the hybrid layout of control groups. Limits below those of this process, since
# raising one takes a capability that containers of containers lack.
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
"""
# What Debian's slim image leaves out, also of packages that are installed later.
SLIM = """\
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/lintian/*
path-exclude /usr/share/linda/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
"""


def sh(*words, **more):
    """Run a command; its standard output. What it says on failure is in the exception."""
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False, **more)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))}: status {done.returncode}\n"
                           f"{done.stdout[-6000:]}{done.stderr[-6000:]}")
    return done.stdout


class Engine:
    """podman, or Docker where CAULDRON_TEST_ENGINE says so."""

    def __init__(self):
        self.name = os.environ.get("CAULDRON_TEST_ENGINE", "podman")
        self.local = self.name == "podman"
        needed = ["podman", "runc", "debootstrap", "nsenter"] if self.local else [self.name]
        missing = [name for name in needed if not self.which(name)]
        if missing:
            raise unittest.SkipTest(f"NOT RUN: {', '.join(missing)} missing "
                                    "(tools/install.sh deploy)")
        if self.local and os.geteuid() != 0:
            raise unittest.SkipTest("NOT RUN: building base images takes root")
        self.folder = TOOLS / "containers"
        self.env = dict(os.environ)
        if self.local:
            self.settle()

    @staticmethod
    def which(name):
        return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")

    def settle(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        storage = (f'[storage]\ndriver = "overlay"\ngraphroot = "{self.folder}/storage"\n'
                   f'runroot = "{self.folder}/run"\n')
        for name, text in (("containers.conf", CONTAINERS_CONF), ("storage.conf", storage)):
            (self.folder / name).write_text(text)
        self.env |= {"CONTAINERS_CONF": str(self.folder / "containers.conf"),
                     "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
                     "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}

    def run(self, *words, **more):
        return sh(self.name, *words, env=self.env, **more)

    # ---- base images ----

    def has(self, image):
        return subprocess.run([self.name, "image", "inspect", image], env=self.env, check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def need_debian(self):
        if self.has(DEBIAN):
            return
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            root = pathlib.Path(folder) / "root"
            sh("debootstrap", "--variant=minbase", "bookworm", root, MIRROR, env=self.env)
            self.cut_down(root)
            (root / "etc/apt/sources.list").write_text(
                f"deb {MIRROR} bookworm main\ndeb {MIRROR} bookworm-updates main\n"
                f"deb {MIRROR}-security bookworm-security main\n")
            self.commit(root, DEBIAN)

    @staticmethod
    def cut_down(root):
        for name in ("info", "lintian", "linda", "locale", "man"):
            shutil.rmtree(root / "usr/share" / name, ignore_errors=True)
            (root / "usr/share" / name).mkdir()
        for page in (root / "usr/share/doc").rglob("*"):
            if page.name != "copyright" and not page.is_dir():
                page.unlink()
        for folder in ("var/lib/apt/lists", "var/cache/apt", "var/log"):
            for path in (root / folder).rglob("*"):
                if path.is_file():
                    path.unlink()
        (root / "etc/dpkg/dpkg.cfg.d/docker").write_text(SLIM)
        (root / "etc/apt/apt.conf.d/docker").write_text(
            'APT::Install-Recommends "false";\nDir::Cache::pkgcache "";\n'
            'Dir::Cache::srcpkgcache "";\nDPkg::Post-Invoke '
            '{ "rm -f /var/cache/apt/archives/*.deb"; };\n')
        (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
        (root / "usr/sbin/policy-rc.d").chmod(0o755)

    def need_node(self, image):
        """Node.js on Debian: this machine's own, with the certificates that this machine trusts."""
        node, npm = self.which("node"), self.which("npm")
        if not node or not npm:
            raise unittest.SkipTest("NOT RUN: no node and npm for the base image")
        if self.has(image):
            return
        self.need_debian()
        npm_folder = pathlib.Path(npm).resolve().parent.parent
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            there = pathlib.Path(folder)
            (there / "bin").mkdir()
            shutil.copy2(pathlib.Path(node).resolve(), there / "bin/node")
            shutil.copytree(npm_folder, there / "lib/node_modules/npm", symlinks=True)
            (there / "bin/npm").symlink_to("../lib/node_modules/npm/bin/npm-cli.js")
            (there / "bin/npx").symlink_to("../lib/node_modules/npm/bin/npx-cli.js")
            shutil.copy2("/etc/ssl/certs/ca-certificates.crt", there / "certificates.pem")
            (there / "Dockerfile").write_text(
                f"FROM {DEBIAN}\nCOPY bin /usr/local/bin\nCOPY lib /usr/local/lib\n"
                "COPY certificates.pem /usr/local/share/certificates.pem\n"
                "ENV NODE_EXTRA_CA_CERTS=/usr/local/share/certificates.pem\n")
            self.run("build", "--pull=never", "-q", "-t", image, there)

    def commit(self, root, image):
        archive = root.parent / "root.tar"
        sh("tar", "-C", root, "-cf", archive, ".")
        self.run("import", "-q", archive, image)

    # ---- building ----

    def build(self, *words):
        """deploy/docker/build.sh with these words; the names of the images that it made."""
        more = []
        if self.local:
            self.need_bases()
            # --layers: what did not change is not built again. Chroot: a build needs no runtime.
            more = ["--pull=never", "--layers", "--isolation=chroot", "--format=docker"]
        env = {**self.env, "ENGINE": self.name, "IMAGE": IMAGE}
        done = subprocess.run([SOURCE / "deploy/docker/build.sh", *words, *more], env=env, text=True,
                              capture_output=True, check=False)
        if done.returncode:
            raise AssertionError(f"build.sh {words}:\n{done.stdout[-8000:]}{done.stderr[-8000:]}")
        return re.findall(r"(?m)^building (\S+)$", done.stderr)

    def need_bases(self):
        text = (SOURCE / "deploy/docker/Dockerfile").read_text()
        bases = dict(re.findall(r"(?m)^ARG (DEBIAN|NODE)=(\S+)$", text))
        if "docker.io/library/" + bases["DEBIAN"] != DEBIAN:
            raise AssertionError(f"no local base image is made for '{bases['DEBIAN']}'")
        self.need_node("docker.io/library/" + bases["NODE"])

    def inspect(self, image):
        return json.loads(self.run("image", "inspect", image))[0]

    # ---- running ----

    def prune(self):
        """Forget the layers that only builds need, and what builds that were cut off left behind."""
        if not self.local:
            return
        for one in json.loads(self.run("ps", "--all", "--external", "--format", "json")):
            if one["State"] == "storage" and time.time() - one["Created"] > 3600:
                subprocess.run([self.name, "rm", "--force", one["Id"]], env=self.env, check=False,
                               capture_output=True)
        # What a build that goes on holds stays, and is said to.
        subprocess.run([self.name, "image", "prune", "--force"], env=self.env, check=False,
                       capture_output=True)

    def forget(self, *images):
        subprocess.run([self.name, "image", "rm", "--force", *images], env=self.env, check=False,
                       capture_output=True)

    @contextlib.contextmanager
    def start(self, image, *words, env=None, options=()):
        """A container as it should be run: nothing may be written but /data and /tmp, no
        capability, no way to get one, no network but its own loopback."""
        name = "cauldron-test-" + secrets.token_hex(4)
        self.run("run", "--detach", "--name", name, *self.hardened(env), *options, image, *words)
        try:
            yield Box(self, name)
        finally:
            subprocess.run([self.name, "rm", "--force", "--volumes", "--time", "10", name],
                           env=self.env, check=False, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)

    def once(self, image, *words, env=None, options=()):
        """Run to the end; its standard output."""
        return self.run("run", "--rm", *self.hardened(env), *options, image, *words)

    @staticmethod
    def hardened(env):
        words = ["--read-only", "--tmpfs", "/tmp:rw,noexec,nosuid,size=64m", "--cap-drop", "all",
                 "--security-opt", "no-new-privileges", "--network", "none", "--memory", "2g"]
        for key, value in (env or {}).items():
            words += ["--env", f"{key}={value}"]
        return words


class Box:
    """A container that runs."""

    def __init__(self, engine, name):
        self.engine = engine
        self.name = name

    def logs(self):
        done = subprocess.run([self.engine.name, "logs", self.name], env=self.engine.env,
                              capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def state(self):
        return json.loads(self.engine.run("container", "inspect", self.name))[0]["State"]

    def until_healthy(self, seconds=60):
        end = time.monotonic() + seconds
        while True:
            # Without systemd nobody runs podman's checks but who asks for it.
            done = subprocess.run([self.engine.name, "healthcheck", "run", self.name],
                                  env=self.engine.env, capture_output=True, text=True, check=False)
            if self.engine.local and done.returncode == 0:
                return
            health = self.state().get("Health") or self.state().get("Healthcheck") or {}
            if not self.engine.local and health.get("Status") == "healthy":
                return
            if time.monotonic() > end or not self.state()["Running"]:
                raise AssertionError(f"{self.name} is not healthy: {done.stdout}{done.stderr}\n"
                                     + self.logs())
            time.sleep(0.5)

    def execute(self, *words):
        return self.engine.run("exec", self.name, *words)

    def python(self, script, *words):
        """A script run by this machine's Python, in the container's network."""
        return sh("nsenter", "--net", "--target", self.state()["Pid"], "python3", "-c", script, *words)

    def stop(self, seconds=20):
        """The exit status after SIGTERM."""
        self.engine.run("stop", "--time", seconds, self.name)
        return self.state()["ExitCode"]
