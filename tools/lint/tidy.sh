#!/bin/sh
# clang-tidy with .clang-tidy over src/.
set -eu
[ -f build-clang/build.ninja ] || CC=clang-19 meson setup build-clang >/dev/null
ninja -C build-clang >/dev/null # generated headers
git ls-files -co --exclude-standard 'src/*.c' |
    while read -r file; do grep -q "/$file\"" build-clang/compile_commands.json && echo "$file"; done |
    xargs -P "$(nproc)" -n 4 clang-tidy-19 -p build-clang --quiet
