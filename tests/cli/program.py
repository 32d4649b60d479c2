"""Running the program under test, and what every test of it wants to know."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["CAULDRON"]
SOURCE = pathlib.Path(os.environ["CAULDRON_SOURCE"])


class ProgramTest(unittest.TestCase):
    """Each test runs in an empty folder, with an empty home and no settings of the caller's."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cauldron-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.home = self.folder / "home"
        self.home.mkdir()
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "OMP_NUM_THREADS", "CAULDRON_ISA"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def run_program(self, *args, env=None, timeout=120, stdin=subprocess.DEVNULL, text=True):
        return subprocess.run([PROGRAM, *map(str, args)], cwd=self.folder, timeout=timeout,
                              env={**self.env, **(env or {})}, stdin=stdin, capture_output=True,
                              text=text, check=False)

    def succeeds(self, *args, **more):
        done = self.run_program(*args, **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def fails(self, status, *args, says=(), **more):
        """The command must end with this status and one line on stderr that holds these words."""
        done = self.run_program(*args, **more)
        self.assertEqual(done.returncode, status, f"{args}: {done.stdout}{done.stderr}")
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, f"{args}: want one line, got {done.stderr!r}")
        self.assertRegex(lines[0], r"^cauldron: ([^A-Z]|[A-Z]+_)")
        for word in [says] if isinstance(says, str) else says:
            self.assertIn(word, lines[0])
        return done
