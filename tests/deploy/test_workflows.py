"""GitHub's workflows: right by actionlint, and held to what they need: every action pinned to a commit,
no permission that is not asked for, no job without an end."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

SOURCE = pathlib.Path(os.environ["CAULDRON_SOURCE"])
TOOLS = pathlib.Path(os.environ.get("CAULDRON_TOOLS")
                     or pathlib.Path.home() / ".cache" / "cauldron" / "tools")
LINTER = TOOLS / "bin" / "actionlint"
FILES = sorted((SOURCE / ".github/workflows").glob("*.yml"))
PINNED = re.compile(r"^(\./\.github/workflows/[\w.-]+|[\w.-]+(/[\w.-]+)+@[0-9a-f]{40})$")


def workflows():
    # YAML 1.1 reads the key `on` as true.
    return {path.name: yaml.safe_load(path.read_text()) for path in FILES}


class Workflows(unittest.TestCase):
    def test_what_was_asked_for(self):
        for name in ("build.yml", "scan.yml", "image.yml", "release.yml"):
            self.assertIn(name, [path.name for path in FILES])
        self.assertEqual(workflows()["release.yml"][True], {"push": {"tags": ["v*.*.*"]}})

    def lint(self, *files):
        return subprocess.run([LINTER, *files], cwd=SOURCE, capture_output=True, text=True,
                              check=False)

    def test_actionlint(self):
        if not LINTER.exists():
            self.skipTest("NOT RUN: there is no actionlint (tools/scan_tools.sh)")
        done = self.lint(*FILES)
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        folder = tempfile.mkdtemp(prefix="cauldron-workflows-")
        self.addCleanup(shutil.rmtree, folder)
        wrong = pathlib.Path(folder) / "build.yml"
        wrong.write_text(FILES[0].read_text().replace("runs-on:", "run-on:"))
        self.assertNotEqual(self.lint(wrong).returncode, 0)

    def test_actions_are_pinned_and_say_their_version(self):
        for path in FILES:
            for line in path.read_text().splitlines():
                found = re.match(r"\s*(?:- )?uses: (\S+)(.*)$", line)
                if found:
                    self.assertRegex(found[1], PINNED)
                    if "@" in found[1]:
                        self.assertRegex(found[2], r"^ # v\d+\.\d+\.\d+$")

    def test_one_version_of_an_action(self):
        used = {}
        for path in FILES:
            for name, commit in re.findall(r"uses: (\S+)@(\S+)", path.read_text()):
                self.assertEqual(used.setdefault(name, commit), commit)

    def test_least_permissions(self):
        for name, workflow in workflows().items():
            self.assertEqual(workflow["permissions"], {"contents": "read"}, name)
            for key, job in workflow["jobs"].items():
                if name != "release.yml":
                    self.assertNotIn("permissions", job, f"{name}: {key}")
        for workflow in workflows().values():
            for job in workflow["jobs"].values():
                for step in job.get("steps", []):
                    if step.get("uses", "").startswith("actions/checkout@"):
                        self.assertIs(step["with"]["persist-credentials"], False)

    def test_every_job_ends(self):
        for name, workflow in workflows().items():
            for key, job in workflow["jobs"].items():
                if "uses" not in job: # the called one has its own
                    self.assertLessEqual(job["timeout-minutes"], 120, f"{name}: {key}")

    def test_nothing_of_a_stranger_reaches_a_shell(self):
        """Titles and branch names are others' words: they come through the environment."""
        for name, workflow in workflows().items():
            for job in workflow["jobs"].values():
                for step in job.get("steps", []):
                    self.assertNotRegex(step.get("run", ""), r"\$\{\{", name)

    def test_what_they_run_exists(self):
        for path in FILES:
            for script in re.findall(r"\b((?:tools|deploy|tests)/[\w/.-]+\.(?:sh|py))\b",
                                     path.read_text()):
                self.assertTrue((SOURCE / script).exists(), f"{path.name}: {script}")

    def test_released_only_when_tested(self):
        jobs = workflows()["release.yml"]["jobs"]
        self.assertLessEqual({"version", "build", "image-test"}, set(jobs["images"]["needs"]))
        self.assertLessEqual({"images", "tarball"}, set(jobs["publish"]["needs"]))
        self.assertIn("build", jobs["tarball"]["needs"])


if __name__ == "__main__":
    unittest.main()
