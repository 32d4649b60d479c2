#!/bin/sh
# clang builds everything without a warning (gcc's warnings are errors in the ordinary build). Formats
# of printf that are no literals, too: tools/lint/security.py relies on it.
set -eu
[ -f build-clang/build.ninja ] || CC=clang-19 meson setup build-clang >/dev/null
meson configure build-clang -Dc_args=-Wformat=2
ninja -C build-clang
