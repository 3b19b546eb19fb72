#!/usr/bin/env bash
#
# Instances that were compiled with the system's compiler and know no libc work in programs
# of musl's, linked statically and dynamically. The programs are built here, by musl's own
# compiler driver; where that is not installed there is nothing to test.
#
#   musl_test.sh <source or object>...

set -euo pipefail

if ! command -v musl-gcc >/dev/null; then
  echo "SKIPPED: there is no musl-gcc (Debian's package musl-tools)"
  exit 0
fi

scratch="$(mktemp -d "${TEST_TMPDIR:-/tmp}/musl.XXXXXX")"
trap 'rm -rf "${scratch}"' EXIT

sources=()
objects=()
for file in "$@"; do
  case "${file}" in
    *.c) sources+=("${file}") ;;
    *.o) objects+=("${file}") ;;
  esac
done

for kind in -static -no-pie; do
  program="${scratch}/program${kind}"
  musl-gcc -std=c17 -O1 -Wall -Wextra -Werror -fno-pie "${kind}" -no-pie -I . \
    -o "${program}" "${sources[@]}" "${objects[@]}"
  case "$(readelf -lW "${program}")" in
    *ld-musl*) linked=-no-pie ;;
    *"program interpreter"*) linked="another libc" ;;
    *) linked=-static ;;
  esac
  if [[ "${linked}" != "${kind}" ]]; then
    echo "FAILED: ${kind} made a program that is ${linked}"
    exit 1
  fi
  begin="${EPOCHREALTIME/[^0-9]/}"
  "${program}"
  echo "musl, ${kind}: good, $(((${EPOCHREALTIME/[^0-9]/} - begin) / 1000)) ms"
done
