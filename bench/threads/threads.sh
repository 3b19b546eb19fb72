#!/usr/bin/env bash
#
# What a thread's first malloc and its end cost, for each allocator.
#
#   ./bazelw run //bench/threads [-- <rounds> <threads>]
#
# The columns take turns. Figures are medians over the rounds of medians over the threads, in
# nanoseconds, and beside them half the distance of the extremes. The end is a difference of
# lives, most of which is the system's work: some hundreds are noise.

set -euo pipefail

readonly rounds="${1:-7}" threads="${2:-3000}"
readonly program=bench/threads/short_threads

names=(alcove alcove-hosted alcove-async_signal_safe glibc)
declare -A library=(
  [alcove]="${PWD}/bench/preload/libalcove_default.so"
  [alcove-hosted]="${PWD}/tools/preload/libalcove.so"
  [alcove-async_signal_safe]="${PWD}/bench/preload/libalcove_signal.so"
  [glibc]="")
for peer in jemalloc=libjemalloc.so.2 mimalloc=libmimalloc.so.2 \
  tcmalloc=libtcmalloc_minimal.so.4 tbbmalloc=libtbbmalloc_proxy.so.2; do
  path="$(/sbin/ldconfig -p | sed -n "s/^\t${peer#*=} (.*x86-64.*) => //p" | head -n 1)"
  [[ -n "${path}" ]] || continue
  names+=("${peer%%=*}")
  library["${peer%%=*}"]="${path}"
done

declare -A figures
for ((round = 0; round < rounds; ++round)); do
  for name in "${names[@]}"; do
    figures["${name}"]+="$(env ${library[${name}]:+LD_PRELOAD="${library[${name}]}"} \
      "${program}" "${threads}")"$'\n'
  done
done

# Prints median and spread of a column of figures.
cell() {
  sort -n | awk '{ v[NR] = $1 }
    END { m = v[int((NR + 1) / 2)]; printf(" %d ± %d |", m, (v[NR] - v[1]) / 2) }'
}

echo "| allocator | first malloc, ns | all 82 calls, ns | its end, ns |"
echo "| --- | ---: | ---: | ---: |"
for name in "${names[@]}"; do
  printf '| %s |' "${name}"
  for column in 1 2 3; do
    awk -v c="${column}" 'NF { print $c }' <<<"${figures[${name}]}" | cell
  done
  echo
done
