#!/bin/sh
# Every test: the ordinary build (with the real servers of tests/servers.py), what parses and computes again
# under ASan and UBSan, what has threads again under TSan, and the fuzz targets for FUZZ_SECONDS
# each. The last line sums up: "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
FUZZ_SECONDS=${FUZZ_SECONDS:-5}
export FUZZ_SECONDS
SECOND_TRIES=5 # tests at most; more is no accident
summary=$(mktemp)
trap 'rm -f "$summary"' EXIT

# stage FOLDER "SETUP OPTIONS" TEST OPTIONS...: build and run; a build that fails counts as one failure. A few tests that
# failed beside others (killed servers, deadlines) get a second try alone, and the summary says so.
stage() {
    folder=$1
    options=$2
    shift 2
    logs=$folder/meson-logs
    rm -f "$logs/testlog.json" "$logs/testlog-first.json"
    # shellcheck disable=SC2086 # options are meant to be split
    if { [ -f "$folder/build.ninja" ] || meson setup "$folder" $options; } && ninja -C "$folder"; then
        if ! $servers meson test -C "$folder" --no-rebuild --print-errorlogs "$@"; then
            again=$(python3 tools/test_summary.py "$folder" --failed)
            if [ -n "$again" ] && [ "$(echo "$again" | wc -w)" -le "$SECOND_TRIES" ]; then
                mv "$logs/testlog.json" "$logs/testlog-first.json"
                # shellcheck disable=SC2086 # names are words
                $servers meson test -C "$folder" --no-rebuild --print-errorlogs "$@" --num-processes 1 $again
            fi
        fi
    fi
    python3 tools/test_summary.py "$folder" >>"$summary"
}

tools/test_clients.sh
tools/test_servers.sh
tools/scan_tools.sh
tools/web.sh build
servers="python3 tests/servers.py --"
stage build ""
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
stage build-asan "-Db_sanitize=address,undefined" \
    --suite unit --suite kernels --suite parity --suite fuzz --suite server --suite conformance --suite objects --suite datasets --no-suite slow-sanitized \
    --timeout-multiplier 10
# The engine's threads are OpenMP's, which TSan cannot see: what has threads of its own is tested.
export TSAN_OPTIONS=halt_on_error=1
stage build-tsan "-Db_sanitize=thread -Db_lundef=false" --suite threads --suite conformance --timeout-multiplier 10
servers=
CC=clang-19 stage build-fuzz \
    "-Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=true -Dtests=false" \
    --timeout-multiplier 10

awk '{ print "  " $0 } /^[^ ]/ { passed += $2; failed += $4 }
    END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 || passed == 0 }' "$summary"
