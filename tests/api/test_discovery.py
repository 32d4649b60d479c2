"""Servers find each other by multicast DNS: two of them in networks of their own, joined by a wire.

Each network is a namespace with its own D-Bus and Avahi daemons, so nothing is said to the network
that this machine is in. Where namespaces are not permitted, or the daemons are not installed, these
tests say that they were not run.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from server import PROGRAM, SOURCE, ApiTest, need_backends

setUpModule = need_backends
TOOLS = ("dbus-daemon", "avahi-daemon", "avahi-publish-service", "ip", "unshare", "nsenter")
PASSWORD = "correct horse battery"
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>"""
ASK = """
import base64, sys, urllib.request
request = urllib.request.Request(sys.argv[1])
if sys.argv[2]:
    request.add_header("Authorization", "Basic " + base64.b64encode(sys.argv[2].encode()).decode())
print(urllib.request.urlopen(request, timeout=20).read().decode())
"""
AVAHI = """[server]
host-name={name}
use-ipv6=no
allow-interfaces={interface}
enable-dbus=yes
[wide-area]
enable-wide-area=no
[publish]
publish-workstation=no
"""


def missing():
    """Why the tests cannot be run here, or nothing."""
    away = [t for t in TOOLS if not shutil.which(t, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
    if away:
        return "not installed: " + ", ".join(away)
    done = subprocess.run(["unshare", "-n", "-m", "true"], capture_output=True, check=False)
    return "namespaces are not permitted" if done.returncode else ""


WHY = missing()


class Network:
    """A network of its own, and a /run of its own, for one host."""

    def __init__(self, name, address):
        self.name, self.address = name, address
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cauldron-mdns-"))
        self.processes = []
        self.first = subprocess.Popen(
            ["unshare", "-n", "-m", "sh", "-c",
             "mount -t tmpfs none /run && mkdir -p /run/dbus /run/avahi-daemon && ip link set lo up "
             "multicast on && echo ready && exec sleep 1000"], stdout=subprocess.PIPE, text=True)
        if self.first.stdout.readline() != "ready\n":
            raise unittest.SkipTest("NOT RUN: no file systems may be mounted")

    def run(self, *command):
        """The command, inside."""
        return ["nsenter", f"--target={self.first.pid}", "--net", "--mount", "--", *command]

    def do(self, *command):
        subprocess.run(self.run(*command), check=True, capture_output=True)

    def begin(self, *command, **more):
        process = subprocess.Popen(self.run(*command), stdin=subprocess.DEVNULL, **more)
        self.processes.append(process)
        return process

    def end(self, process, number=signal.SIGTERM):
        process.send_signal(number)
        process.wait(30)
        self.processes.remove(process)

    def wait_for(self, path):
        end = time.monotonic() + 20
        while subprocess.run(self.run("test", "-S", path), check=False).returncode:
            if time.monotonic() > end:
                raise AssertionError(f"no {path} in {self.name}")
            time.sleep(0.05)

    def bus(self):
        (self.folder / "bus.conf").write_text(BUS)
        process = self.begin("dbus-daemon", "--nofork", "--nopidfile", "--config-file",
                             str(self.folder / "bus.conf"), stderr=subprocess.DEVNULL)
        self.wait_for("/run/dbus/system_bus_socket")
        return process

    def avahi(self, interface="wire"):
        conf = self.folder / "avahi.conf"
        self.do("rm", "-f", "/run/avahi-daemon/socket")
        conf.write_text(AVAHI.format(name=self.name, interface=interface))
        process = self.begin("avahi-daemon", "-f", str(conf), "--no-drop-root", "--no-rlimits",
                             "--no-chroot", stderr=subprocess.DEVNULL)
        self.wait_for("/run/avahi-daemon/socket")
        return process

    def serve(self, *options, address=None):
        """A server that listens in there; its process and its port."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8",
               "OMP_WAIT_POLICY": "passive", "CAULDRON_MODELS": str(SOURCE / "models")}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        data = tempfile.mkdtemp(dir=self.folder)
        if address:
            subprocess.run([PROGRAM, "user", "add", "anna", "--role", "admin", "--data", data],
                           input=PASSWORD + "\n", text=True, env=env, check=True,
                           capture_output=True)
        process = self.begin(PROGRAM, "serve", "--port", "0", "--no-draw", "--data", data,
                             "--log-level", "warning", *(["--address", address] if address else []),
                             *options, env=env, cwd=self.folder, stdout=subprocess.PIPE, text=True)
        port = int(re.search(r":(\d+)\s*$", process.stdout.readline())[1])
        threading.Thread(target=process.stdout.read, daemon=True).start()
        return process, port

    def discovery(self, port, host="127.0.0.1", login=False):
        text = subprocess.run(
            self.run(sys.executable, "-c", ASK, f"http://{host}:{port}/api/v1/discovery",
                     f"anna:{PASSWORD}" if login else ""),
            check=True, capture_output=True, text=True, timeout=30).stdout
        return json.loads(text)

    def close(self):
        for process in [p for p in self.processes if p.args[5] == PROGRAM]:
            self.end(process)
        for process in self.processes: # avahi-daemon may hang when its bus goes before it
            process.kill()
            process.wait()
        self.first.kill()
        self.first.wait()
        self.first.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@unittest.skipIf(WHY, f"NOT RUN: {WHY}")
class Discovery(unittest.TestCase):
    def network(self, name, address=""):
        n = Network(name, address)
        self.addCleanup(n.close)
        return n

    def pair(self):
        """Two hosts and the wire between them, each with its daemons."""
        one, two = self.network("attic", "10.9.0.1"), self.network("cellar", "10.9.0.2")
        one.do("ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns",
               str(two.first.pid))
        for n in (one, two):
            n.do("ip", "addr", "add", f"{n.address}/24", "dev", "wire")
            n.do("ip", "link", "set", "wire", "up")
            n.bus()
            n.avahi()
        return one, two

    def until(self, what, seconds=40):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = what()
            if value:
                return value
            time.sleep(0.1)
        self.fail(f"not within {seconds} s")

    def found(self, network, port, **more):
        return {s["name"]: s for s in network.discovery(port, **more)["items"]}

    def test_two_hosts_see_each_other(self):
        one, two = self.pair()
        _, port_one = one.serve(address="0.0.0.0")
        killed, port_two = two.serve("--name", "The cellar's", address=two.address)
        seen = self.until(lambda: self.found(one, port_one, login=True).get("The cellar's"))
        self.assertEqual((seen["host"], seen["address"], seen["port"], seen["url"]),
                         ("cellar.local", two.address, port_two,
                          f"http://{two.address}:{port_two}/"))
        self.assertTrue(seen["version"] and seen["seen_at"], seen)
        self.until(lambda: self.found(two, port_two, host=two.address, login=True))
        mine = self.until(lambda: (d := one.discovery(port_one, login=True))["announced"] and d)
        self.assertTrue(mine["available"])
        self.assertIsNone(mine["detail"])
        self.assertTrue(mine["self"]["name"].startswith("Shadow Cauldron on "))
        self.assertEqual((mine["self"]["port"], mine["self"]["host"]), (port_one, "attic.local"))
        self.assertNotIn(mine["self"]["name"], [s["name"] for s in mine["items"]])
        two.end(killed, signal.SIGKILL)
        self.until(lambda: not self.found(one, port_one, login=True))

    def test_a_name_that_is_taken_is_changed(self):
        one, two = self.pair()
        _, port = one.serve("--name", "same", address="0.0.0.0")
        self.until(lambda: one.discovery(port, login=True)["announced"])
        others = [two.serve("--name", "same", address="0.0.0.0")[1] for _ in range(2)]

        def settled():
            """Each has a name of its own, and the first one sees the two others at their places."""
            mine = one.discovery(port, login=True)
            theirs = {d["self"]["name"]: d["self"]["port"]
                      for d in (two.discovery(p, login=True) for p in others) if d["announced"]}
            seen = {s["name"]: s["port"] for s in mine["items"] if s["address"] == two.address}
            return mine["announced"] and mine["self"]["name"] not in theirs \
                and len(theirs) == 2 and seen == theirs and {mine["self"]["name"], *theirs}
        self.assertIn("same", self.until(settled))

    def test_hostile_names_are_harmless(self):
        one, two = self.pair()
        _, port = one.serve()
        names = ["<script>alert(1)</script>", "\x1b[2Jred\x07", "x" * 63, "../../etc/passwd"]
        for i, name in enumerate(names):
            two.begin("avahi-publish-service", name, "_cauldron._tcp", str(9000 + i),
                      "path=//evil.example/" if i % 2 else "path=/<b>", "version=1\x1b[31m",
                      "https=2", "x" * 200, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        items = self.until(lambda: len(i := one.discovery(port)["items"]) == len(names) and i)
        for item in items:
            self.assertRegex(item["url"], r"^http://10\.9\.0\.2:900\d/$")
            self.assertIsNone(item["version"])
            self.assertTrue(all(c.isprintable() for c in item["name"]), item["name"])
        self.assertIn("x" * 63, [i["name"] for i in items])

    def test_loopback_listens_only(self):
        one, two = self.pair()
        _, port = one.serve("--mdns", "on")
        _, other = two.serve(address="0.0.0.0")
        self.until(lambda: self.found(one, port))
        mine = one.discovery(port)
        self.assertTrue(mine["available"])
        self.assertFalse(mine["announced"])
        self.assertEqual(self.found(two, other, login=True), {})

    def test_daemons_come_and_go(self):
        n = self.network("attic")
        _, port = n.serve(address="0.0.0.0")

        def state():
            return n.discovery(port, login=True)
        self.until(lambda: "D-Bus" in (state()["detail"] or ""))
        self.assertFalse(state()["available"])
        bus = n.bus()
        self.until(lambda: "does not run" in (state()["detail"] or ""))
        for _ in range(2):
            avahi = n.avahi("lo")
            self.until(lambda: state()["announced"])
            n.end(avahi)
            self.until(lambda: not state()["available"])
            self.assertFalse(state()["announced"])
        n.end(bus)
        self.until(lambda: "D-Bus" in (state()["detail"] or ""))
        n.do("rm", "-f", "/run/dbus/system_bus_socket")
        n.bus()
        n.avahi("lo")
        self.until(lambda: state()["announced"])


class Without(ApiTest):
    options = ("--mdns", "off", "--name", "mine")

    def test_it_says_why(self):
        answer = self.get("/api/v1/discovery").json
        self.assertFalse(answer["available"])
        self.assertFalse(answer["announced"])
        self.assertIn("--mdns off", answer["detail"])
        self.assertEqual(answer["items"], [])
        self.assertEqual(answer["self"]["name"], "mine")
        self.assertEqual(answer["self"]["url"], self.server.url)
        self.assertEqual(answer["self"]["port"], self.server.port)
