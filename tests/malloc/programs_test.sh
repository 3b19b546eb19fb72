#!/usr/bin/env bash
#
# The shell's tools and the rows of //bench/programs, with libalcove.so preloaded and
# without: the same answer. Where one is not installed, a line says so. Larger programs:
# //tests/programs.

set -euo pipefail

library="$(readlink -f -- "$1")"
programs="$(readlink -f -- "$2")"

scratch="$(mktemp -d "${TEST_TMPDIR:-/tmp}/programs_test.XXXXXX")"
trap 'rm -rf "${scratch}"' EXIT
cd "${scratch}"

export LC_ALL=C HOME="${scratch}" TMPDIR="${scratch}"
export PATH=/usr/bin:/bin
failed=0

# compare NAME PROGRAM COMMAND...: PROGRAM is what has to be there.
compare() {
  local name="$1" program="$2" plain=0 preloaded=0
  shift 2
  if ! command -v "${program}" >/dev/null; then
    echo "SKIPPED ${name}: there is no ${program}"
    return
  fi
  "$@" >plain.out 2>plain.err </dev/null || plain=$?
  LD_PRELOAD="${library}" "$@" >preloaded.out 2>preloaded.err </dev/null || preloaded=$?
  if ((plain == 77)); then
    echo "SKIPPED ${name}: $(grep '^missing' plain.out)"
  elif ((plain != 0)); then
    echo "FAILED ${name}: exit code ${plain} without any preload"
    tail -n 3 plain.err
    failed=1
  elif ((preloaded != 0)) || ! cmp -s plain.out preloaded.out; then
    echo "FAILED ${name}: exit code ${preloaded}, $(cmp plain.out preloaded.out 2>&1 || true)"
    tail -n 3 preloaded.err
    failed=1
  else
    echo "same ${name}: $(cksum <plain.out)"
  fi
}

# Without what differs from run to run.
# shellcheck disable=SC2317  # compare calls it.
answer_of() { "${programs}" --quick "$1" | grep -v '^bench: [sp]'; }

compare ls ls ls -l --time-style=+ /usr/bin
# shellcheck disable=SC2016  # The inner shell expands these.
compare bash bash bash -c 'a=(); for i in {1..20000}; do a+=("x${i}"); done
  echo "${#a[@]} ${a[1234]}" "$(echo "${a[*]}" | cksum)" "$(echo a b | tr a-z A-Z)"'
compare sort sort bash -c 'seq 200000 | rev | sort --parallel=4 -S 10M | cksum'
for row in $("${programs}" --list | cut -f 1); do
  compare "${row}" bash answer_of "${row}"
done

((failed == 0)) && echo "good"
exit "${failed}"
