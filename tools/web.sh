#!/bin/sh
# The web app: web.sh [build] installs its packages and builds frontend/dist, both only when something
# changed; web.sh install, the packages alone; web.sh check, types, lint, size of the first load.
set -eu
cd "$(dirname "$0")/../frontend"
FIRST_LOAD_KB=250 # gzip of all script that the first page needs

# stale STAMP PATH...: something below the paths is newer than the stamp.
stale() {
    stamp=$1
    shift
    [ ! -f "$stamp" ] || [ -n "$(find "$@" -newer "$stamp" -print -quit)" ]
}

install() {
    if stale node_modules/.complete package.json package-lock.json; then
        echo "installing the packages of the web app"
        npm ci --no-audit --no-fund --loglevel=error
        touch node_modules/.complete
    fi
}

build() {
    install
    if stale dist/.complete src public index.html vite.config.ts package-lock.json tsconfig.json; then
        echo "building the web app"
        node_modules/.bin/vite build --logLevel warn
        # Compressed once here, not for every visitor.
        find dist -type f \( -name '*.js' -o -name '*.css' -o -name '*.html' -o -name '*.svg' \) -size +1k -exec gzip -9kfn {} +
        touch dist/.complete
    fi
}

case ${1:-build} in
install) install ;;
build) build ;;
check)
    build
    node_modules/.bin/tsc --noEmit
    node_modules/.bin/biome check --error-on-warnings .
    node_modules/.bin/biome check --error-on-warnings ../tests/web
    node_modules/.bin/eslint --max-warnings 0 src
    node scripts/first_load.mjs "$FIRST_LOAD_KB"
    ;;
*)
    echo "usage: tools/web.sh [build|install|check]" >&2
    exit 2
    ;;
esac
