#!/bin/sh
# The servers that tests talk to and Debian does not have: a MongoDB-protocol server, two emulators
# of Google Cloud Storage, an S3 server that checks signatures, and pymongo. Into
# ${CAULDRON_TOOLS:-~/.cache/cauldron/tools}, outside of the tree: the Go programs take minutes to
# build the first time. Only what is missing is made; what cannot be had is a warning, and the tests
# that need it say NOT RUN. tests/servers.py starts them.
set -u
cd "$(dirname "$0")/.." || exit 1
tools=${CAULDRON_TOOLS:-$HOME/.cache/cauldron/tools}
mkdir -p "$tools/bin"

without() { # TOOL REASON
    echo "warning: no $1: $2; tests that need it are not run" >&2
}

# A Go program, PACKAGE@VERSION. Go reads the version out of what it built; where there is no Go, a
# program that is there is taken as it is.
go_program() {
    package=${1%@*}
    version=${1#*@}
    name=${package##*/}
    if [ -x "$tools/bin/$name" ]; then
        command -v go >/dev/null || return 0
        go version -m "$tools/bin/$name" 2>/dev/null |
            awk -v wanted="$version" '$1 == "mod" { found = $3 == wanted } END { exit !found }' && return 0
    elif ! command -v go >/dev/null; then
        without "$name" "it needs Go 1.26 or later (https://go.dev/dl; Debian's is too old)"
        return 0
    fi
    echo "building $name $version"
    CGO_ENABLED=0 GOBIN=$tools/bin nice go install -ldflags '-s -w' "$1" ||
        without "$name $version" "go install failed"
}

# mongo-java-server: its jars by Maven, compared with the sums of tests/fakes/mongo, and our main class.
mongo() {
    jars=$tools/mongo/target/dependency
    sums=$PWD/tests/fakes/mongo/jars.sha256
    main=tests/fakes/mongo/Mongo.java
    if ! command -v javac >/dev/null || ! command -v java >/dev/null; then
        without "MongoDB server" "it needs Java 17 (default-jdk-headless)"
        return 0
    fi
    if ! (cd "$jars" && sha256sum --status --strict -c "$sums") 2>/dev/null; then
        if ! command -v mvn >/dev/null; then
            without "MongoDB server" "there is no mvn to get it (maven)"
            return 0
        fi
        echo "installing mongo-java-server"
        rm -rf "$tools/mongo/target"
        mkdir -p "$tools/mongo"
        cp tests/fakes/mongo/pom.xml "$tools/mongo/"
        if ! mvn -q -B -Dstyle.color=never -f "$tools/mongo/pom.xml" dependency:copy-dependencies; then
            without "MongoDB server" "mvn failed"
            return 0
        fi
        if ! (cd "$jars" && sha256sum --quiet --strict -c "$sums"); then
            without "MongoDB server" "the jars are not those of tests/fakes/mongo/jars.sha256"
            rm -rf "$jars"
            return 0
        fi
    fi
    classes=$tools/mongo/classes
    if [ -z "$(find "$classes/Mongo.class" -newer "$main" 2>/dev/null)" ]; then
        javac --release 17 -cp "$jars/*" -d "$classes" "$main" || without "MongoDB server" "javac failed"
    fi
}

# pymongo and gcp-storage-emulator: a virtual environment that already has these versions is fine.
python_tools() {
    wanted=tests/fakes/servers.txt
    python=$tools/venv/bin/python3
    "$python" -c '
import importlib.metadata, sys
lines = [line.split("==") for line in open(sys.argv[1]) if "==" in line]
sys.exit(any(importlib.metadata.version(name) != version.strip() for name, version in lines))
' "$wanted" 2>/dev/null && return 0
    echo "installing pymongo and gcp-storage-emulator"
    [ -x "$python" ] || python3 -m venv "$tools/venv"
    "$python" -m pip install -q --disable-pip-version-check --no-deps -r "$wanted" ||
        without "pymongo and gcp-storage-emulator" "pip failed"
}

go_program github.com/fsouza/fake-gcs-server@v1.56.1
go_program github.com/versity/versitygw/cmd/versitygw@v1.8.0
mongo
python_tools
