#!/bin/sh
# The Debian packages whose libraries a program is linked with: runtime_packages.sh PROGRAM.
# What those need in turn is the package manager's business.
set -eu
program=$1
packages=

for library in $(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    path=$(ldd "$program" | awk -v name="$library" '$1 == name && $2 == "=>" { print $3 }')
    [ -n "$path" ] || continue # the loader itself
    # /lib is a link to /usr/lib: packages know a file by either name.
    other=$(case $path in /usr/*) echo "${path#/usr}" ;; *) echo "/usr$path" ;; esac)
    owner=$(dpkg-query --search "$path" 2>/dev/null || dpkg-query --search "$other")
    packages="$packages ${owner%%:*}"
done
[ -n "$packages" ]
# shellcheck disable=SC2086 # the list is meant to be split
printf '%s\n' $packages | sort -u
