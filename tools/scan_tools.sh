#!/bin/sh
# The programs that check what is deployed and Debian does not have: gitleaks (secrets), compose-go
# (compose files), actionlint (GitHub's workflows), helm (charts), hadolint (Dockerfiles),
# kubernetes-validate. Into ${CAULDRON_TOOLS:-~/.cache/cauldron/tools}, outside of the tree. Only what
# is missing is made; what cannot be had is a warning, and the checks that need it say NOT RUN.
set -u
cd "$(dirname "$0")/.." || exit 1
tools=${CAULDRON_TOOLS:-$HOME/.cache/cauldron/tools}
mkdir -p "$tools/bin"

without() { # TOOL REASON
    echo "warning: no $1: $2; checks that need it are not run" >&2
}

# A Go program: NAME PACKAGE@VERSION. Go reads the version out of what it built; where there is no Go,
# a program that is there is taken as it is.
go_program() {
    name=$1
    version=${2#*@}
    built=${2%@*}
    built=${built##*/}
    if [ -x "$tools/bin/$name" ]; then
        command -v go >/dev/null || return 0
        go version -m "$tools/bin/$name" 2>/dev/null |
            awk -v wanted="$version" '$1 == "mod" { found = $3 == wanted } END { exit !found }' && return 0
    elif ! command -v go >/dev/null; then
        without "$name" "it needs Go 1.26 or later (https://go.dev/dl; Debian's is too old)"
        return 0
    fi
    echo "building $name $version"
    into=$(mktemp -d)
    if CGO_ENABLED=0 GOBIN=$into nice go install -ldflags '-s -w' "$2"; then
        mv "$into/$built" "$tools/bin/$name"
    else
        without "$name $version" "go install failed"
    fi
    rm -rf "$into"
}

python_tools() {
    wanted=tools/lint/scan_tools.txt
    python=$tools/scan/bin/python3
    "$python" -c '
import importlib.metadata, sys
lines = [line.split("==") for line in open(sys.argv[1]) if "==" in line]
sys.exit(any(importlib.metadata.version(name) != version.strip() for name, version in lines))
' "$wanted" 2>/dev/null && return 0
    echo "installing hadolint and kubernetes-validate"
    [ -x "$python" ] || python3 -m venv "$tools/scan"
    "$python" -m pip install -q --disable-pip-version-check -r "$wanted" ||
        without "hadolint and kubernetes-validate" "pip failed"
}

go_program gitleaks github.com/zricethezav/gitleaks/v8@v8.30.1
go_program compose-go github.com/compose-spec/compose-go/v2/cmd@v2.16.2
go_program actionlint github.com/rhysd/actionlint/cmd/actionlint@v1.7.7
go_program helm helm.sh/helm/v3/cmd/helm@v3.22.0
python_tools
