#!/usr/bin/env bash
#
# The traces that are kept here: small, sound, the same each time they are read,
# and replayed with nothing amiss, with libc's malloc and with Alcove's; and
# damaged ones are refused with a sentence.

set -euo pipefail

replay="$1"
library="$(readlink -f -- "$2")"
shift 2

scratch="$(mktemp -d "${TEST_TMPDIR:-/tmp}/traces.XXXXXX")"
trap 'rm -rf "${scratch}"' EXIT

fail() {
  echo "FAILED: $*"
  exit 1
}

# All that is kept is a row, and the other way round.
expect="$(for trace in "$@"; do basename "${trace}" .trace; done | sort)"
rows="$("${replay}" --list | cut -f 1 | sort)"
[[ "${rows}" == "${expect}" ]] || fail "rows: ${rows}; traces: ${expect}"

for trace in "$@"; do
  size="$(stat -L -c %s "${trace}")"
  ((size <= 400000)) || fail "${trace} is of ${size} bytes"
  first="$("${replay}" --describe "${trace}")"
  [[ "${first}" == "$("${replay}" --describe "${trace}")" ]] || fail "${trace} varies"
  echo "${trace##*/}: ${first}"
  "${replay}" --quick "${trace}" >/dev/null || fail "${trace}"
  LD_PRELOAD="${library}" "${replay}" --quick "${trace}" >/dev/null ||
    fail "${trace} with ${library}"

  head -c $((size / 2)) "${trace}" >"${scratch}/half"
  if message="$("${replay}" "${scratch}/half" 2>&1)"; then fail "half of ${trace}"; fi
  [[ "${message}" == *"cut short or damaged"* ]] || fail "half of it: ${message}"
done

if message="$("${replay}" /etc/passwd 2>&1)"; then fail "no trace at all"; fi
[[ "${message}" == *"not a trace"* ]] || fail "no trace at all: ${message}"
if message="$("${replay}" nonsense 2>&1)"; then fail "a name that is none"; fi
[[ "${message}" == *"there is no trace nonsense"* ]] || fail "a wrong name: ${message}"

echo "good"
