#!/bin/sh
# docs/example.c draws a picture: check_example.sh EXAMPLE MODEL
set -u
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
echo 1..3
"$1" "$2" "a red circle" "$out/a.ppm" 2>"$out/log" && [ "$(head -c 2 "$out/a.ppm")" = P6 ] && echo "ok 1 - draws" ||
    { echo "not ok 1 - draws"; sed 's/^/# /' "$out/log"; }
"$1" "$2" "a red circle" "$out/b.ppm" 2>"$out/log" && cmp -s "$out/a.ppm" "$out/b.ppm" && echo "ok 2 - the same again" ||
    echo "not ok 2 - the same again"
"$1" /nowhere "a red circle" "$out/c.ppm" 2>"$out/log"
[ $? = 1 ] && grep -q nowhere "$out/log" && [ ! -e "$out/c.ppm" ] && echo "ok 3 - says what is wrong" ||
    echo "not ok 3 - says what is wrong"
