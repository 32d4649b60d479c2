#!/bin/sh
# cppcheck over src/. What it says wrongly everywhere is listed in cppcheck.txt.
set -eu
mkdir -p build-cppcheck
cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --inline-suppr -j "$(nproc)" \
    --std=c11 --language=c -D_GNU_SOURCE -D__x86_64__ -DCAULDRON_VERSION='"0"' --cppcheck-build-dir=build-cppcheck \
    --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress=unmatchedSuppression \
    --suppressions-list=tools/lint/cppcheck.txt \
    -Isrc -Iinclude src
