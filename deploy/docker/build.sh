#!/bin/sh
# Build an image with Docker, podman or whatever ENGINE names, from anywhere:
#
#   deploy/docker/build.sh [runtime | bare | cuda]       cauldron:VERSION, :VERSION-bare, :VERSION-cuda
#   deploy/docker/build.sh models FOLDER                 a further layer, or a volume, of models: see
#                                                        Dockerfile.models; cauldron-models:DIGEST and
#                                                        cauldron:VERSION-with-DIGEST
#   deploy/docker/build.sh arguments             what the images are built with, for other builders
#
# IMAGE is the name instead of "cauldron" ("ghcr.io/me/cauldron"). More arguments go to the engine.
set -eu
root=$(CDPATH='' cd -- "$(dirname "$0")/../.." && pwd)
engine=${ENGINE:-$(command -v docker || command -v podman || echo docker)}
image=${IMAGE:-cauldron}
version=$(sed -n "s/.*version: '\([0-9.]*\)', license.*/\1/p" "$root/meson.build")
revision=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)
created=$(date -u +%Y-%m-%dT%H:%M:%SZ)

# digest FOLDER: SHA-256 over the names and SHA-256 of all files in it; the same for the same models.
digest() {
    (cd "$1" && find . -type f ! -name '.*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
}

build() {
    tag=$1
    shift
    echo "building $tag" >&2
    "$engine" build --tag "$tag" --build-arg "VERSION=$version" --build-arg "REVISION=$revision" --build-arg "CREATED=$created" "$@"
}

target=${1:-runtime}
[ $# -eq 0 ] || shift
case $target in
runtime) build "$image:$version" --target runtime --build-arg "MODELS_DIGEST=$(digest "$root/models")" -f "$root/deploy/docker/Dockerfile" "$@" "$root" ;;
cuda) build "$image:$version-cuda" --target cuda --build-arg "MODELS_DIGEST=$(digest "$root/models")" -f "$root/deploy/docker/Dockerfile" "$@" "$root" ;;
arguments) printf '%s\n' "VERSION=$version" "REVISION=$revision" "CREATED=$created" "MODELS_DIGEST=$(digest "$root/models")" ;;
bare) build "$image:$version-bare" --target bare -f "$root/deploy/docker/Dockerfile" "$@" "$root" ;;
models)
    folder=${1:?a folder with models is missing}
    shift
    sum=$(digest "$folder")
    names=$(cd "$folder" && find . -mindepth 1 -maxdepth 1 ! -name SHA256SUMS ! -name '.*' | sed 's,^\./,,' | LC_ALL=C sort | tr '\n' ' ')
    short=$(echo "$sum" | cut -c1-12)
    build "$image-models:$short" --target volume -f "$root/deploy/docker/Dockerfile.models" \
        --build-arg "MODELS=${names% }" --build-arg "MODELS_DIGEST=$sum" "$@" "$folder"
    build "$image:$version-with-$short" --target layer -f "$root/deploy/docker/Dockerfile.models" \
        --build-arg "BASE=$image:$version-bare" --build-arg "MODELS=${names% }" --build-arg "MODELS_DIGEST=$sum" "$@" "$folder"
    ;;
*)
    sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
