#!/bin/sh
# Run the checks, each in a script of its own: all.sh [NAME...]. Goes on after a failure. What a check
# could not look at for want of a tool is said below it.
set -u
cd "$(dirname "$0")/../.." || exit 1
failed=
output=$(mktemp)
trap 'rm -f "$output"' EXIT

[ $# -gt 0 ] || set -- format doors banned paths spelling openapi headers clang analyzer tidy cppcheck security secrets dependencies docker
for name; do
    script=tools/lint/$name.sh
    [ -f "$script" ] || script=tools/lint/$name.py
    if [ ! -f "$script" ]; then
        echo "no check '$name' in tools/lint" >&2
        exit 2
    fi
    start=$(date +%s)
    if "$script" >"$output" 2>&1; then
        echo "ok      $name ($(($(date +%s) - start)) s)"
        grep '^NOT RUN' "$output" | sed 's/^/        /'
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
