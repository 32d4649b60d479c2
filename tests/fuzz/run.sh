#!/bin/sh
# run.sh TARGET CORPUS: search for FUZZ_SECONDS (5), starting from the corpus. What is found goes to the
# build folder: a crash is kept there as crash-*, to be copied into the corpus with its fix.
set -eu
found=$1.found
mkdir -p "$found"
exec "$1" -max_total_time="${FUZZ_SECONDS:-5}" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
    -seed="${FUZZ_SEED:-1}" -print_final_stats=1 -verbosity=0 -artifact_prefix="$found.crash-" \
    "$found" "$2"
