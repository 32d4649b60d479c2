#!/bin/sh
# clang-format has nothing to change.
set -eu
git ls-files -co --exclude-standard '*.c' '*.h' |
    xargs clang-format-19 --dry-run -Werror --ferror-limit=3
