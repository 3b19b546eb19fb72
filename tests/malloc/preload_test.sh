#!/usr/bin/env bash
#
# libalcove.so under LD_PRELOAD: what it exports, what it needs, and that a C
# program gets every function from it and works, with a C++ plugin or without.

set -euo pipefail

library="$(readlink -f -- "$1")"
program="$2"
plugin="$(readlink -f -- "$3")"
scratch="$(mktemp -d "${TEST_TMPDIR:-/tmp}/preload.XXXXXX")"
trap 'rm -rf "${scratch}"' EXIT

failed=0
expect() {
  local what="$1" expected="$2" actual="$3"
  if [[ "${expected}" != "${actual}" ]]; then
    printf 'FAILED: %s\n' "${what}"
    diff <(printf '%s\n' "${expected}") <(printf '%s\n' "${actual}") || true
    failed=1
  fi
}

family=(aligned_alloc calloc free free_aligned_sized free_sized malloc
  malloc_usable_size memalign posix_memalign pvalloc realloc reallocarray valloc)

# Beyond libc's names and the operators there is only what carries the prefix.
exported="$(nm -D --defined-only -f posix "${library}" | awk '$2 ~ /[TW]/ {print $1}')"
expect "exported names of libc" "$(printf '%s\n' "${family[@]}" | sort)" \
  "$(grep -v -e '^libalcove_' -e '^_Z' <<<"${exported}" | sort)"
expect "exported operators" 20 "$(grep -c -E '^_Z(n[aw]m|d[al]Pv)' <<<"${exported}")"
expect "other exported names" "" \
  "$(grep -E '^_Z' <<<"${exported}" | grep -v -E '^_Z(n[aw]m|d[al]Pv)' || true)"

# A C program must not get a C++ runtime from us.
expect "needed libraries" "libc.so.6" \
  "$(readelf -dW "${library}" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')"
expect "constructors" "" \
  "$(readelf -rW "${library}" | grep -i -e alcove_core -e '\.init_array' | grep -v TPOFF || true)"

{
  for name in malloc free calloc realloc reallocarray aligned_alloc posix_memalign \
    memalign valloc pvalloc free_sized free_aligned_sized _Znwm _ZdlPv _ZdlPvm \
    malloc_usable_size; do
    echo "${name} libalcove.so"
  done
  echo "same address: 1"
} >"${scratch}/expected"

run() { env -i LD_PRELOAD="${library}" "$@" 2>&1 || echo "exit code $?"; }
expect "the program" "$(cat "${scratch}/expected")" "$(run "${program}")"
expect "the program with a plugin" "$(cat "${scratch}/expected"; echo "plugin: 5")" \
  "$(run "${program}" "${plugin}")"

# A shell starts programs, forks and waits.
# shellcheck disable=SC2016  # The inner shell expands it.
expect "a shell" "499500 0" "$(run /bin/bash -c \
  's=0; for i in $(seq 0 999); do s=$((s + i)); done; x=$(ls / >/dev/null; echo $?); echo $s $x')"

((failed == 0)) && echo "good"
exit "${failed}"
