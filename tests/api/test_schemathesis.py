"""schemathesis makes up requests from api/openapi.yaml; whatever comes back must be in that file."""

import os
import subprocess
import unittest

from server import SOURCE, ApiTest, need_backends

PASSWORD = "seven quiet lighthouses"
SECONDS = os.environ.get("SCHEMATHESIS_SECONDS", "90")


def setUpModule():
    need_backends()
    if not (SOURCE / "build/schemathesis/requirements.txt").exists():
        raise unittest.SkipTest("NOT RUN: tests/api/schemathesis.sh --install makes build/schemathesis")


class Contract(ApiTest):
    # Nothing is drawn: what strangers make up would take days.
    options = ("--no-draw", "--max-cells", "2000", "--log-level", "warning")
    users = (("anna", "admin", PASSWORD),)

    def test_answers_are_those_of_the_contract(self):
        login = self.post("/api/v1/login", {"name": "anna", "password": PASSWORD})
        self.headers = {"Cookie": login.headers["Set-Cookie"].split(";")[0]}
        key = self.post("/api/v1/api-keys", {"name": "made up", "scopes": ["read", "write", "admin"]},
                        status=201).json["key"]
        done = subprocess.run([SOURCE / "tests/api/schemathesis.sh", self.server.url, SECONDS], text=True,
                              env={**os.environ, "CAULDRON_KEY": key}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-20000:])


if __name__ == "__main__":
    unittest.main()
