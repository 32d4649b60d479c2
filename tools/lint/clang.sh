#!/bin/sh
# clang builds everything without a warning (gcc's warnings are errors in the ordinary build).
set -eu
[ -f build-clang/build.ninja ] || CC=clang-19 meson setup build-clang >/dev/null
ninja -C build-clang
