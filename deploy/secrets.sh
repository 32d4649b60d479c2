#!/bin/sh
# The secrets that compose.yaml mounts, made at random: deploy/secrets.sh [FOLDER]. What is there stays,
# so secrets of one's own go into the same files before or after. The folder is closed to other users
# of this machine; the files in it are readable, because in their containers other users read them.
set -eu
here=$(CDPATH='' cd -- "$(dirname "$0")" && pwd)
folder=${1:-$here/secrets}
umask 077
mkdir -p "$folder"

keep() { # NAME, its content on stdin
    if [ -e "$folder/$1" ]; then cat >/dev/null; else cat >"$folder/$1"; fi
}
random() { # 32 bytes, in letters that URLs and shells leave alone
    head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

for name in admin_password grafana_password mongo_password postgres_password redis_password; do
    random | keep "$name"
done
echo "postgresql://cauldron:$(cat "$folder/postgres_password")@postgres:5432/cauldron" | keep database_url
echo "redis://:$(cat "$folder/redis_password")@redis:6379/0" | keep redis_url
echo "mongodb://cauldron:$(cat "$folder/mongo_password")@mongo:27017/?authSource=admin" | keep mongo_url
"$here/nginx/self_signed.sh" "$folder"
chmod 0444 "$folder"/*
echo "secrets are in $folder; log in as 'admin' with the password in $folder/admin_password"
