"""The small model hub of tests/fakes with the demo model in it, for a test in another language.

Prints its address, then obeys lines on stdin: "delay SECONDS" between the pieces of a download. Ends with its stdin.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/fakes"))

from hub import FakeHub  # noqa: E402 the folder is named above

demo = ROOT / "models/demo"
with FakeHub() as hub:
    hub.add("maker/pulled",
            {str(p.relative_to(demo)): p.read_bytes() for p in demo.rglob("*") if p.is_file()})
    print(hub.url, flush=True)
    for line in sys.stdin:
        word, value = line.split()
        if word == "delay":
            hub.faults.delay = float(value)
