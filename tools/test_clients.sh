#!/bin/sh
# The stock clients that tests talk to the server with: npm's into tests/node/node_modules, PyPI's
# into build/venv. Quick when nothing changed. Where a registry cannot be reached the tests that
# need a client say that they were not run.
set -u
cd "$(dirname "$0")/.." || exit 1

# fresh STAMP FILE...: whether the stamp is newer than all files.
fresh() {
    stamp=$1
    shift
    [ -f "$stamp" ] && [ -z "$(find "$@" -newer "$stamp")" ]
}

stamp=tests/node/node_modules/.complete
if ! fresh "$stamp" tests/node/package.json tests/node/package-lock.json; then
    echo "installing the clients of tests/node"
    npm ci --prefix tests/node --no-audit --no-fund --loglevel=error && touch "$stamp"
fi
stamp=build/venv/.complete
if ! fresh "$stamp" tests/api/requirements.txt; then
    echo "installing the clients of tests/api"
    python3 -m venv build/venv &&
        build/venv/bin/pip install -q --disable-pip-version-check -r tests/api/requirements.txt &&
        touch "$stamp"
fi
tests/api/schemathesis.sh --install
true
