#!/bin/sh
# The contract: api/openapi.yaml keeps its own rules (tools/openapi/lint.py), can be made into tables, explains every code of
# problems that the program answers with, and gives the committed TypeScript types.
set -eu
cd "$(dirname "$0")/../.."

python=/usr/bin/python3
"$python" -c 'import yaml' 2>/dev/null || python=python3
"$python" -B tools/openapi/generate.py --check api/openapi.yaml
"$python" -B tools/openapi/codes.py api/openapi.yaml src/api/*.c src/server/*.c

[ -d frontend/node_modules/openapi-typescript ] || npm --prefix frontend ci --no-audit --no-fund --silent
types=$(mktemp --suffix=.ts)
trap 'rm -f "$types"' EXIT
frontend/node_modules/.bin/openapi-typescript api/openapi.yaml -o "$types" >/dev/null
if ! cmp -s "$types" frontend/src/api/types.ts; then
    diff -u frontend/src/api/types.ts "$types" | head -n 40
    echo "frontend/src/api/types.ts is stale: npm --prefix frontend run types" >&2
    exit 1
fi
frontend/node_modules/.bin/tsc --noEmit --strict frontend/src/api/types.ts
