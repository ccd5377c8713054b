#!/bin/sh
# needed_packages.sh FOLDER: prints the packages with the shared libraries that the programs and modules in FOLDER need.
set -eu

find "$1" -type f '(' -path '*/bin/*' -o -name '*.so' ')' -exec ldd '{}' + |
  awk '$3 ~ "^/" && $3 !~ "/libcudnn" { count = split($3, parts, "/"); print parts[count] }' | sort -u |
  while read -r library; do dpkg-query --search "*-linux-gnu/$library"; done | cut -d : -f 1 | sort -u
