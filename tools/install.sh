#!/bin/sh
# Install the Debian packages that are missing, and nothing else: install.sh build | test | bench | all.
# Quick when there is nothing to do: dpkg is asked, apt is not.
set -eu

build="gcc libc6-dev make meson ninja-build pkg-config python3
    libcmocka-dev libcurl4-openssl-dev libjansson-dev libjpeg62-turbo-dev libpng-dev
    libssl-dev libutf8proc-dev libwebp-dev zlib1g-dev"
test="clang-19 gcovr libclang-rt-19-dev libomp-19-dev llvm-19"
bench="python3-numpy python3-pil python3-scipy"
check="clang-format-19 clang-tidy-19 codespell cppcheck g++ git"

case ${1:-all} in
build) wanted=$build ;;
test) wanted="$build $test" ;;
bench) wanted="$build $bench" ;;
all) wanted="$build $test $bench $check" ;;
*)
    echo "usage: tools/install.sh build|test|bench|all" >&2
    exit 2
    ;;
esac

missing=
for package in $wanted; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) in
    installed*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "packages are missing; as root: apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
echo "installing:$missing"
apt-get update -q
# shellcheck disable=SC2086 # the list is meant to be split
apt-get install -qy --no-install-recommends $missing
