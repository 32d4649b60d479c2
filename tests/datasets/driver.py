"""The program of these tests (datasets_cli.c), asked one thing at a time."""

import json
import os
import pathlib
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))

PROGRAM = os.environ["DATASETS_CLI"]


class Failed(Exception):
    """An answer that is an error: .code as in base/err.h, .message, and the whole .answer."""

    def __init__(self, answer):
        super().__init__(f"{answer['error']}: {answer['message']}")
        self.code = answer["error"]
        self.message = answer["message"]
        self.answer = answer


class Driver:
    def __init__(self, *options):
        self.process = subprocess.Popen([PROGRAM, *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def ask(self, do, **members):
        line = json.dumps({"do": do, **members}) + "\n"
        self.process.stdin.write(line.encode())
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the program ended with {self.process.wait()} at {line[:200]}")
        answer = json.loads(answer)
        if "error" in answer:
            raise Failed(answer)
        return answer

    def read(self, source, limit=200, position=None):
        """Every record from there on."""
        self.ask("open", source=source)
        if position is not None:
            self.ask("seek", position=position)
        return self.rest(limit)

    def rest(self, limit=200):
        found = []
        while page := self.ask("next", limit=limit)["records"]:
            found += page
        return found

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        """The exit status: 0, unless a sanitizer found something."""
        self.process.stdin.close()
        status = self.process.wait()
        self.process.stdout.close()
        return status

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        status = self.close()
        if kind is None and status:
            raise RuntimeError(f"the program ended with {status}")
