#!/bin/sh
# A certificate to try TLS with: self_signed.sh FOLDER [NAME]. Browsers warn of it; real ones come from
# a certificate authority (ACME) and are put in its place as tls.crt and tls.key. What is there stays.
set -eu
folder=${1:?a folder is missing}
name=${2:-localhost}
[ ! -e "$folder/tls.key" ] || exit 0
umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj "/CN=$name" \
    -addext "subjectAltName=DNS:$name,DNS:localhost,IP:127.0.0.1,IP:::1" -keyout "$folder/tls.key" -out "$folder/tls.crt" 2>/dev/null
