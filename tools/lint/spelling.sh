#!/bin/sh
# codespell over everything that people read; words it does not know are in spelling.txt.
set -eu
git ls-files -co --exclude-standard '*.c' '*.h' '*.py' '*.sh' '*.md' '*.build' Makefile NOTICE |
    grep -Ev 'tables\.h$' | xargs codespell --ignore-words tools/lint/spelling.txt
