#!/bin/sh
# No secret is in the tree (gitleaks with gitleaks.toml): secrets.sh, the files that git has or would
# take; secrets.sh --history, every commit.
set -eu
cd "$(dirname "$0")/../.."
gitleaks=${CAULDRON_TOOLS:-$HOME/.cache/cauldron/tools}/bin/gitleaks
if [ ! -x "$gitleaks" ]; then
    gitleaks=$(command -v gitleaks) || {
        echo "NOT RUN: there is no gitleaks (tools/scan_tools.sh)"
        exit 0
    }
fi
words="--no-banner --redact --no-color -l error -v --config $PWD/tools/lint/gitleaks.toml"

if [ "${1:-}" = --history ]; then
    # shellcheck disable=SC2086 # words are words
    exec "$gitleaks" git $words .
fi
# Not the folder itself: what git ignores (modules, builds, secrets) is nobody's business here.
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
git ls-files -co --exclude-standard -z | tar --null --ignore-failed-read -T - -cf - 2>/dev/null | tar -xf - -C "$tree"
cd "$tree"
# shellcheck disable=SC2086
"$gitleaks" dir --max-target-megabytes 1 $words .
