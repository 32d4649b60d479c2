#!/bin/sh
# The engine and diffusers on one model, one after the other: side_by_side.sh CAULDRON MODEL SIZE [THREADS].
# diffusers takes part when tools/bench/install.sh has run (or PYTHON names an interpreter that has it).
set -eu
cauldron=$1 model=$2 size=$3 threads=${4:-$(nproc)}
here=$(dirname "$0")
python=${PYTHON:-$here/venv/bin/python}

for dtype in f32 bf16; do
    "$cauldron" bench -m "$model" -W "$size" -H "$size" --threads "$threads" --dtype "$dtype" --ops || true
    echo
done
if "$python" -c 'import diffusers' 2>/dev/null; then
    "$python" "$here/diffusers_bench.py" "$model" --size "$size" --threads "$threads"
else
    echo "diffusers is not installed: tools/bench/install.sh does it"
fi
