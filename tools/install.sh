#!/bin/sh
# Install the Debian packages that are missing, and nothing else: install.sh build | web | test | deploy | bench | all.
# Quick when there is nothing to do: dpkg is asked, apt is not.
set -eu

build="gcc libc6-dev make meson ninja-build pkg-config python3 python3-yaml
    libavahi-client-dev libcmocka-dev libcurl4-openssl-dev libhiredis-dev libjansson-dev
    libjpeg62-turbo-dev libmicrohttpd-dev libmongoc-dev libpng-dev libpq-dev libsodium-dev libsqlite3-dev
    libssl-dev libutf8proc-dev libwebp-dev libwslay-dev zlib1g-dev"
test="avahi-daemon avahi-utils clang-19 dbus default-jdk-headless gcovr iproute2 libclang-rt-19-dev libomp-19-dev llvm-19
    maven nginx postgresql-15 prometheus python3-jsonschema python3-venv redis-server redis-tools sqlite3"
# Images are built and run without a daemon.
deploy="aardvark-dns buildah debootstrap fuse-overlayfs iptables netavark nftables podman runc uidmap util-linux"
bench="python3-numpy python3-pil python3-scipy wrk"
check="clang-format-19 clang-tidy-19 codespell cppcheck flawfinder g++ git shellcheck yamllint"

# Node.js may come from elsewhere; Debian's npm would fight with it.
web=
command -v npm >/dev/null || web="nodejs npm"

case ${1:-all} in
build) wanted=$build ;;
web) wanted=$web ;;
test) wanted="$build $web $test" ;;
deploy) wanted="$build $web $test $deploy" ;;
bench) wanted="$build $bench" ;;
all) wanted="$build $web $test $deploy $bench $check" ;;
*)
    echo "usage: tools/install.sh build|web|test|deploy|bench|all" >&2
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
