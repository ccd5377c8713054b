#!/bin/bash
# needed_packages.sh FOLDER: prints the packages with the shared libraries that the programs and modules in FOLDER need.
set -euo pipefail

libraries() {
  find "$1" -type f '(' -path '*/bin/*' -o -name '*.so' ')' -exec ldd '{}' + | awk '$3 ~ "^/" && $3 !~ "/libcudnn" { print $3 }' | sort -u
}

# Packages name files by their path before /lib became a link to /usr/lib, or after.
libraries "$1" | while read -r library; do dpkg-query --search "*${library#/usr}"; done | cut -d : -f 1 | sort -u
