#!/bin/sh
# The contract against a server that runs: valid OpenAPI, and then requests that schemathesis makes up from it, good and bad. Fails on
# any 5xx, status, content type, header or body that api/openapi.yaml does not describe, and on bad requests that are taken.
#
#   tests/api/schemathesis.sh http://127.0.0.1:8000 [SECONDS]
#   tests/api/schemathesis.sh --install          only make its virtual environment, build/schemathesis
#
# CAULDRON_KEY: an admin's API key, when the server has users. SECONDS (150): for the random part. The queue is paused meanwhile:
# made-up requests would draw for days. Start the server with --max-cells 2000, or made-up experiments take minutes to store.
set -eu
url=${1:?usage: schemathesis.sh URL [SECONDS] | --install}
seconds=${2:-150}
cd "$(dirname "$0")/../.."

venv=build/schemathesis
if ! cmp -s tests/api/requirements-schemathesis.txt "$venv/requirements.txt"; then
    mkdir -p build
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check -r tests/api/requirements-schemathesis.txt
    cp tests/api/requirements-schemathesis.txt "$venv/requirements.txt"
fi
[ "$url" != --install ] || exit 0
"$venv/bin/openapi-spec-validator" api/openapi.yaml

call() { # METHOD PATH
    curl -fsS -o /dev/null -X "$1" ${CAULDRON_KEY:+-H "Authorization: Bearer $CAULDRON_KEY"} "$url$2"
}
report=$(mktemp -d)
trap 'call POST /api/v1/queue/resume || true; rm -rf "$report"' EXIT
call POST /api/v1/queue/pause

# Not made up: what waits for a picture, what starts the queue again, and what takes away the way in.
waiting='^(openai_images|a1111_txt2img|a1111_img2img)$'
excluded='^(openai_images|a1111_txt2img|a1111_img2img|resume_queue|create_user|update_user|delete_user|delete_api_key|delete_session|logout)$'
checks=not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance
checks=$checks,response_schema_conformance,negative_data_rejection,missing_required_header,unsupported_method

run() {
    "$venv/bin/schemathesis" --config-file "$config" run "$url/openapi.json" --url "$url" --checks "$checks" --seed 4 --workers 1 \
        --suppress-health-check all --request-timeout 30 --continue-on-failure --no-color \
        --header 'Prefer: wait=0' ${CAULDRON_KEY:+--header "Authorization: Bearer $CAULDRON_KEY"} "$@"
}

config=$PWD/tests/api/schemathesis.toml
cd "$report" # schemathesis keeps what it found beside itself
venv=$OLDPWD/$venv
run --phases examples,coverage,fuzzing --max-time "$seconds" --max-examples 40 --exclude-operation-id-regex "$excluded"
run --phases coverage --mode negative --include-operation-id-regex "$waiting"
