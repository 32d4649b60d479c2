"""schemathesis over the contract, against the real server: no 5xx, nothing undocumented."""

import os
import subprocess
import unittest

from server import SOURCE, ApiTest, need_backends

TOOL = SOURCE / "build" / "schemathesis" / "bin" / "schemathesis"
SECONDS = os.environ.get("SCHEMATHESIS_SECONDS", "75")


def setUpModule():
    need_backends()
    if not TOOL.exists():
        raise unittest.SkipTest("NOT RUN: no schemathesis; tools/test_clients.sh installs it")


class Contract(ApiTest):
    options = ("--max-cells", "2000", "--no-draw")

    def test_the_server_keeps_it(self):
        done = subprocess.run([SOURCE / "tests" / "api" / "schemathesis.sh", self.server.url,
                               SECONDS], capture_output=True, text=True, timeout=600, check=False)
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr)[-6000:])
