#!/bin/sh
# Run the checks, each in a script of its own: all.sh [NAME...]. Goes on after a failure.
set -u
cd "$(dirname "$0")/../.." || exit 1
failed=
output=$(mktemp)
trap 'rm -f "$output"' EXIT

for name in ${*:-format doors banned paths spelling openapi headers clang analyzer tidy cppcheck}; do
    script=$(ls "tools/lint/$name".* 2>/dev/null | head -n 1)
    if [ -z "$script" ]; then
        echo "no check '$name' in tools/lint" >&2
        exit 2
    fi
    start=$(date +%s)
    if "$script" >"$output" 2>&1; then
        echo "ok      $name ($(($(date +%s) - start)) s)"
    else
        cat "$output"
        echo "FAILED  $name"
        failed="$failed $name"
    fi
done
if [ -n "$failed" ]; then
    echo "failed:$failed" >&2
    exit 1
fi
