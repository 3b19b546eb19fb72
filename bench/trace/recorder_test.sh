#!/usr/bin/env bash
#
# From a program to its trace to the replay.

set -euo pipefail

recorder="$(readlink -f -- "$1")"
recorded="$2"
pack="$3"
replay="$4"

scratch="$(mktemp -d "${TEST_TMPDIR:-/tmp}/recorder.XXXXXX")"
trap 'rm -rf "${scratch}"' EXIT

fail() {
  echo "FAILED: $*"
  exit 1
}

LD_PRELOAD="${recorder}" ALCOVE_TRACE="${scratch}/x" "${recorded}"
recordings=("${scratch}"/x.*.raw)
((${#recordings[@]} == 1)) || fail "one recording expected: ${recordings[*]}"
"${pack}" --output="${scratch}/x.trace" "${recordings[0]}"

contents="$("${replay}" --describe "${scratch}/x.trace")"
echo "${contents}"
# What libc allocates for threads comes on top, by calloc.
for expected in 'aligned=2 ' 'realloc=1 ' 'malloc=5 ' 'threads=3 '; do
  [[ "${contents}" == *"${expected}"* ]] || fail "no ${expected}in the trace"
done
"${replay}" --quick "${scratch}/x.trace" >/dev/null || fail "the replay"

# Without the variable the program runs as ever.
LD_PRELOAD="${recorder}" "${recorded}" || fail "the program without ALCOVE_TRACE"

# What is no recording is refused.
head -c 4800 /dev/urandom >"${scratch}/noise"
! "${pack}" --output="${scratch}/y.trace" "${scratch}/noise" 2>/dev/null ||
  fail "noise was packed"

echo "good"
