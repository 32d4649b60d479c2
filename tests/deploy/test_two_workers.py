"""The benchmark of two workers, in small, so that it goes on to work; no timing is asserted. And that
two workers on one queue share the pictures and draw none twice."""

import re
import subprocess
import sys
import unittest

import fleet
import servers

sys.path.insert(0, str(fleet.SOURCE / "tests" / "bench"))


class TwoWorkers(unittest.TestCase):
    def test_benchmark(self):
        try:
            servers.Postgres.program("initdb")
        except RuntimeError as error:
            raise unittest.SkipTest(f"NOT RUN: {error}") from error
        for name in ("redis-server", "redis-cli", "psql"):
            fleet.tool(name, "Debian's packages redis-server, redis-tools, postgresql-client-15")
        done = subprocess.run(
            [sys.executable, fleet.SOURCE / "tests" / "bench" / "two_workers.py", fleet.PROGRAM,
             "--pictures", "40", "--rounds", "1", "--steps", "6", "--size", "64"],
            capture_output=True, text=True, timeout=240, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"middle: 1 worker [\d.]+, 2 workers [\d.]+ pictures/s: [\d.]+ times")
        shares = re.search(r"2 workers: .* shares (\d+) and (\d+)", done.stdout)
        self.assertTrue(shares, done.stdout)
        self.assertEqual(int(shares[1]) + int(shares[2]), 80, "each picture once")
        self.assertGreater(min(int(shares[1]), int(shares[2])), 0, "both draw")


if __name__ == "__main__":
    unittest.main()
