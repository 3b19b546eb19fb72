#!/usr/bin/env bash
#
# early_and_late, with libalcove.so preloaded and, to know that it is a fair
# question, without.

set -euo pipefail

library="$(readlink -f -- "$1")"
program="$2"
plugin="$(readlink -f -- "$3")"

# "good" is written by the last destructor, in the child of fork, too.
expected="good
good"
for preload in "" "${library}"; do
  # Lazy binding and not: what the loader does in the middle of a call.
  for now in "" 1; do
    answer="$(env -i ${preload:+"LD_PRELOAD=${preload}"} ${now:+"LD_BIND_NOW=${now}"} \
      "${program}" "${plugin}" 2>&1)" || answer+=" (exit code $?)"
    if [[ "${answer}" != "${expected}" ]]; then
      echo "FAILED with LD_PRELOAD='${preload}' LD_BIND_NOW='${now}': ${answer}"
      exit 1
    fi
  done
done
echo "good"
