#!/bin/sh
# Back up, check and restore an installation: its database, and its pictures where they are files.
#
#   backup.sh backup FOLDER     while servers and workers run; again into the same folder: only what is new
#   backup.sh verify FOLDER     every picture that the database names is there, and is what its name says
#   backup.sh restore FOLDER    into an empty database and an empty folder of pictures
#
# DATABASE_URL (or DATABASE_URL_FILE), BLOB_URL and CAULDRON_DATA are read as the server reads them.
# Needs pg_dump and pg_restore, or sqlite3. Pictures in gs:// and s3:// are left to the bucket's own
# versions and copies. docs/operations.md says why the order matters.
set -eu

fail() {
    echo "backup.sh: $*" >&2
    exit 1
}

what=${1:-} to=${2:-}
[ $# -eq 2 ] || what=
case $what in
backup | verify | restore) ;;
*)
    echo "usage: backup.sh backup|verify|restore FOLDER" >&2
    exit 2
    ;;
esac
data=${CAULDRON_DATA:-data}
url=${DATABASE_URL:-}
[ -z "${DATABASE_URL_FILE:-}" ] || url=$(cat "$DATABASE_URL_FILE")
url=${url:-sqlite:$data/cauldron.db}
blobs=${BLOB_URL:-file:$data/blobs}
case $blobs in
file://*) blobs=${blobs#file://} ;;
file:*) blobs=${blobs#file:} ;;
*) blobs= ;; # a bucket
esac
case $url in
postgres*) sqlite= ;;
sqlite://*) sqlite=${url#sqlite://} ;;
sqlite:*) sqlite=${url#sqlite:} ;;
*) fail "not the URL of a database" ;;
esac

# Names of pictures in a folder, as ab/cd/<sha256>; temporary files have other names.
names() {
    (cd "$1" && find . -type f -name '[0-9a-f]*' | sed -n 's|^\./\(../../[0-9a-f]\{64\}\)$|\1|p' | sort)
}

# What one folder has and the other has not. Content never changes under a name, so what is there is
# not copied again; a copy has its name when it is complete.
copy() {
    mkdir -p "$2"
    names "$1" >"$2/.from"
    names "$2" >"$2/.there"
    comm -23 "$2/.from" "$2/.there" | while read -r name; do
        mkdir -p "$2/${name%/*}"
        # One that gc removes at this moment is wanted by nobody.
        cp -p "$1/$name" "$2/.part" 2>/dev/null || { [ ! -e "$1/$name" ] && continue; } || fail "cannot copy $name"
        mv "$2/.part" "$2/$name"
    done
    rm -f "$2/.from" "$2/.there"
}

# The SHA-256 of every picture that the backed-up database names.
named() {
    if [ -f "$to/database.dump" ]; then
        pg_restore --data-only --table=images --file=- "$to/database.dump" |
            awk -F '\t' '/^COPY /{on = 1; next} /^\\\.$/{on = 0} on {print $2}'
    else
        sqlite3 -readonly "$to/database.db" 'SELECT sha256 FROM images'
    fi | sort -u
}

backup() {
    mkdir -p "$to"
    # The database first: a picture is stored before the row that names it, so all that these rows
    # name is there when the pictures are copied afterwards.
    if [ -z "$sqlite" ]; then
        pg_dump --format=custom --no-owner --no-privileges --file="$to/database.part" "$url"
        mv "$to/database.part" "$to/database.dump"
    else
        rm -f "$to/database.part"
        sqlite3 "$sqlite" '.timeout 30000' ".backup '$to/database.part'"
        # Without a log beside it, so that the copy is one file.
        sqlite3 "$to/database.part" 'PRAGMA journal_mode = DELETE' >/dev/null
        mv "$to/database.part" "$to/database.db"
    fi
    [ -z "$blobs" ] || [ ! -d "$blobs" ] || copy "$blobs" "$to/blobs"
}

verify() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    named >"$work/named"
    if [ -n "$blobs" ]; then
        [ -d "$to/blobs" ] || mkdir "$to/blobs"
        names "$to/blobs" | sed 's|.*/||' | sort >"$work/there"
        comm -23 "$work/named" "$work/there" >"$work/missing"
        names "$to/blobs" | sed 's|^\(.*/\)\(.*\)$|\2  \1\2|' >"$work/sums"
        [ ! -s "$work/missing" ] || fail "$(wc -l <"$work/missing") pictures are missing, the first is $(head -1 "$work/missing")"
        [ ! -s "$work/sums" ] || (cd "$to/blobs" && sha256sum --check --quiet --strict "$work/sums") ||
            fail "pictures are damaged"
    fi
    echo "$(wc -l <"$work/named") pictures are named, $([ -z "$blobs" ] || wc -l <"$work/there") files are whole"
}

restore() {
    if [ -n "$blobs" ] && [ -d "$blobs" ] && [ -n "$(names "$blobs" | head -1)" ]; then
        fail "$blobs is not empty"
    fi
    [ -z "$blobs" ] || [ ! -d "$to/blobs" ] || copy "$to/blobs" "$blobs"
    if [ -z "$sqlite" ]; then
        [ -f "$to/database.dump" ] || fail "there is no $to/database.dump"
        [ "$(psql -XAtc "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'" "$url")" = 0 ] ||
            fail "the database is not empty"
        pg_restore --no-owner --no-privileges --single-transaction --dbname="$url" "$to/database.dump"
    else
        [ -f "$to/database.db" ] || fail "there is no $to/database.db"
        [ ! -e "$sqlite" ] || fail "$sqlite exists"
        mkdir -p "$(dirname "$sqlite")"
        cp "$to/database.db" "$sqlite.part"
        mv "$sqlite.part" "$sqlite"
    fi
}

"$what"
