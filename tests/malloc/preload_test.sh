#!/usr/bin/env bash
#
# libalcove.so under LD_PRELOAD: that it exports just what names.txt says and needs
# nothing that could surprise, and that a C program gets every function from it and
# works, with a C++ plugin or without.

set -euo pipefail

library="$(readlink -f -- "$1")"
program="$2"
plugin="$(readlink -f -- "$3")"
names="$4"
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

# Beyond the documented names there is only what carries the prefix, and what the
# linker adds.
expect "exported names" "$(grep -v -e '^#' -e '^$' "${names}" | sort)" \
  "$(nm -D --defined-only -f posix "${library}" | awk '$2 ~ /[TWVi]/ {print $1}' |
    grep -v '^libalcove_' | sort)"

# A C program must not get a C++ runtime from us.
expect "needed libraries" "libc.so.6" \
  "$(readelf -dW "${library}" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')"
# What it may ask of libc: nothing that reads the environment or a file, and no
# handler or thread. `dl*` is only for operator new without memory, stdio for malloc_stats
# and malloc_info.
expect "undefined names" "__errno_location abort dlclose dlopen dlsym fprintf pthread_key_create \
pthread_key_delete pthread_setspecific stderr sysconf write" \
  "$(nm -D --undefined-only -f posix "${library}" | awk '$2 == "U" {sub("@.*", "", $1); print $1}' |
    sort | tr '\n' ' ' | sed 's/ $//')"
expect "constructors" "" \
  "$(readelf -rW "${library}" | grep -i -e alcove_core -e '\.init_array' | grep -v TPOFF || true)"

{
  grep -v -e '^#' -e '^$' "${names}" | sed 's/$/ libalcove.so/'
  echo "same address: 1"
} >"${scratch}/expected"

run() { env -i LD_PRELOAD="${library}" "$@" 2>&1 || echo "exit code $?"; }
expect "the program" "$(cat "${scratch}/expected")" "$(run "${program}" "${names}")"
expect "the program with a plugin" "$(cat "${scratch}/expected"; echo "plugin: 5")" \
  "$(run "${program}" "${names}" "${plugin}")"

# A shell starts programs, forks and waits.
# shellcheck disable=SC2016  # The inner shell expands it.
expect "a shell" "499500 0" "$(run /bin/bash -c \
  's=0; for i in $(seq 0 999); do s=$((s + i)); done; x=$(ls / >/dev/null; echo $?); echo $s $x')"

((failed == 0)) && echo "good"
exit "${failed}"
