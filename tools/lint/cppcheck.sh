#!/bin/sh
# cppcheck over src/. What it says wrongly is suppressed in place, with a reason.
set -eu
mkdir -p build-cppcheck
cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --inline-suppr -j "$(nproc)" \
    --std=c11 --language=c -D_GNU_SOURCE -D__x86_64__ -DCAULDRON_VERSION='"0"' --cppcheck-build-dir=build-cppcheck \
    --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress=unmatchedSuppression --suppress=invalidPointerCast --suppress=legacyUninitvar \
    -Isrc -Iinclude src
