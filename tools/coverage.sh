#!/bin/sh
# Line coverage of src/ by all tests but the fuzzers' search: a table, and failure below 85 %.
set -eu
cd "$(dirname "$0")/.."
[ -f build-coverage/build.ninja ] || meson setup build-coverage -Db_coverage=true
ninja -C build-coverage
find build-coverage -name '*.gcda' -delete
meson test -C build-coverage --no-rebuild --timeout-multiplier 10
gcovr --root . --filter 'src/' --exclude 'src/engine/text/embed\.c' --exclude-unreachable-branches \
    --gcov-ignore-parse-errors --print-summary --fail-under-line 85 build-coverage
