#!/bin/sh
# Every header compiles alone, and the public one as C++ too.
set -u
failed=0
mongoc=$(pkg-config --cflags libmongoc-1.0)
for header in $(git ls-files -co --exclude-standard 'src/*.h' 'include/*.h'); do
    flags=-Wall
    case $header in
    src/engine/kernels/cpu/*) flags="-Wall -mavx2 -mfma -mf16c" ;;
    esac
    # shellcheck disable=SC2086 # flags are meant to be split
    gcc -std=gnu17 -D_GNU_SOURCE -Wextra -Werror $flags -Wno-unused-function -fopenmp -fsyntax-only \
        -Isrc -Iinclude $mongoc -x c -include "$header" /dev/null || failed=1
done
for header in $(git ls-files -co --exclude-standard 'include/*.h'); do
    g++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only -Iinclude -x c++ -include "$header" /dev/null || failed=1
done
exit $failed
