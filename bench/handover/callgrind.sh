#!/usr/bin/env bash
#
# Instructions of a round of each way of bench/handover/cost.cc, counted by valgrind's
# callgrind, less the loop: ./bazelw run -c opt //bench/handover:callgrind
set -euo pipefail

command -v valgrind >/dev/null || {
  echo "needs valgrind: apt-get install --no-install-recommends valgrind" >&2
  exit 69
}

# Whole numbers of cost.cc's blocks, so that the ways of old blocks do as many rounds.
readonly few=100000 many=300000

# Prints how many instructions cost takes with these arguments.
instructions() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null bench/handover/cost "$@" 2>&1 >/dev/null |
    sed -n 's/^==[0-9]*== Collected : \([0-9]*\).*/\1/p'
}

# Prints the instructions of a round in tenths.
round() {
  echo $((($(instructions "$1" "${many}") - $(instructions "$1" "${few}")) * 10 / (many - few)))
}

loop="$(round nothing)"
for way in bare through draining bare-old old; do
  tenths=$(($(round "${way}") - loop))
  echo "${way} $((tenths / 10)).$((tenths % 10))"
done
