#!/bin/sh
# PyTorch and diffusers for comparisons, into tools/bench/venv and nowhere else (5 GB).
set -eu
cd "$(dirname "$0")"
[ -x venv/bin/python ] || python3 -m venv venv
venv/bin/pip install --quiet -r ../requirements.txt
