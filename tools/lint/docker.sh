#!/bin/sh
# What is deployed and what deploys it: Dockerfiles (hadolint), compose files (compose-go), GitHub's
# workflows (actionlint), shell scripts (shellcheck), YAML (yamllint).
set -u
cd "$(dirname "$0")/../.." || exit 1
tools=${CAULDRON_TOOLS:-$HOME/.cache/cauldron/tools}
status=0

# check PROGRAM WORDS...: run, or say that it is missing.
check() {
    program=$1
    shift
    if ! command -v "$program" >/dev/null; then
        echo "NOT RUN: there is no ${program##*/} (tools/scan_tools.sh, tools/install.sh check)"
    elif ! "$program" "$@"; then
        status=1
    fi
}

check "$tools/scan/bin/hadolint" deploy/docker/Dockerfile*
(cd deploy && check "$tools/bin/compose-go" compose.yaml >/dev/null && exit $status) || status=1
(cd deploy && check "$tools/bin/compose-go" compose.yaml compose.gpu.yaml >/dev/null && exit $status) || status=1
check "$tools/bin/actionlint"
# shellcheck disable=SC2046 # no name in here has a space
check shellcheck -S warning $(git ls-files '*.sh')
check yamllint --strict -d '{extends: relaxed, rules: {line-length: disable}}' .github deploy/*.yaml
exit $status
