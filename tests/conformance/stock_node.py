"""Runs stock_node.mjs, which speaks TAP, when Node.js and its packages are there."""

import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
NODE = shutil.which("node")
PACKAGES = HERE.parent / "node" / "node_modules" / "socket.io-client"

if not NODE or not PACKAGES.is_dir():
    print("1..0 # SKIP socket.io-client is missing: (cd tests/node && npm ci)")
    sys.exit(0)
sys.exit(subprocess.call([NODE, str(HERE / "stock_node.mjs")], env={**os.environ}))
