#!/usr/bin/env bash
#
# Instructions of a malloc and a free of the same size, counted by valgrind's callgrind.
#
#   ./bazelw run //bench/callgrind -- [--sizes="16 64 256 1024"] [name=path.so]...
#
# The first two rows are Alcove's inline header at a call site: with a free that looks the
# block up, and with one that trusts its caller (multiples of 16 up to 1024 only: a size is a
# constant there). The others are called, by LD_PRELOAD: Alcove's presets, glibc, and the
# peers that are installed; then those given. Counts are exact and the same on every run, on
# a busy machine too. They are the difference of two runs of different length, less the loop
# and the calls.

set -euo pipefail

sizes=(16 64 256 1024)
given=()
for argument in "$@"; do
  case "${argument}" in
    --sizes=*) read -ra sizes <<<"${argument#--sizes=}" ;;
    *=*) given+=("${argument}") ;;
    *)
      echo "callgrind: '${argument}' is neither --sizes=\"...\" nor name=path.so" >&2
      exit 64
      ;;
  esac
done

command -v valgrind >/dev/null || {
  echo "needs valgrind: apt-get install --no-install-recommends valgrind" >&2
  exit 69
}

readonly pairs=bench/callgrind/pairs
readonly inlined_pairs=bench/callgrind/inlined_pairs
readonly few=1000 many=11000
# What the functions that stand for malloc and free in an empty run do themselves.
readonly nothing=3

# Prints how many instructions the program takes: library, program, its arguments. Fails
# with the program (a malloc that reserves hundreds of GiB gets none from valgrind).
instructions() {
  local library="$1"
  shift
  env ${library:+LD_PRELOAD="${library}"} valgrind --tool=callgrind --callgrind-out-file=/dev/null \
    "$@" 2>&1 >/dev/null | sed -n 's/^==[0-9]*== Collected : \([0-9]*\).*/\1/p'
}

# Prints the instructions of one round of the loop in tenths, or `failed`: library, program,
# size, what follows the count.
pair() {
  local library="$1" program="$2" size="$3" short long
  shift 3
  if short="$(instructions "${library}" "${program}" "${size}" "${few}" "$@")" &&
    long="$(instructions "${library}" "${program}" "${size}" "${many}" "$@")"; then
    echo $(((long - short) * 10 / (many - few)))
  else
    echo failed
  fi
}

# Prints a cell: what pair() printed, and what is not the pair's in it.
cell() {
  if [[ "$1" == failed ]]; then
    printf ' failed |'
  else
    local tenths=$(($1 - $2))
    printf ' %d.%d |' $((tenths / 10)) $((tenths % 10))
  fi
}

columns=("alcove=${PWD}/bench/preload/libalcove_default.so"
  "alcove-hosted=${PWD}/tools/preload/libalcove.so"
  "alcove-async_signal_safe=${PWD}/bench/preload/libalcove_signal.so"
  "alcove-hardened=${PWD}/bench/preload/libalcove_hardened.so" "glibc=")
for peer in jemalloc=libjemalloc.so.2 mimalloc=libmimalloc.so.2 mimalloc3=libmimalloc.so.3 \
  tcmalloc=libtcmalloc_minimal.so.4 tbbmalloc=libtbbmalloc_proxy.so.2; do
  path="$(/sbin/ldconfig -p | sed -n "s/^\t${peer#*=} (.*x86-64.*) => //p" | head -n 1)"
  [[ -z "${path}" ]] || columns+=("${peer%%=*}=${path}")
done
columns+=(${given[@]+"${given[@]}"})

printf '| instructions, malloc + free |'
printf ' %s B |' "${sizes[@]}"
printf '\n| --- |'
for _ in "${sizes[@]}"; do printf ' ---: |'; done
printf '\n'

loop="$(pair "" "${inlined_pairs}" 16 nothing)"
for kind in checked trusted; do
  printf '| alcove, typed, inlined, %s |' "${kind}"
  for size in "${sizes[@]}"; do
    cell "$(pair "" "${inlined_pairs}" "${size}" "${kind}")" "${loop}"
  done
  printf '\n'
done

loop="$(($(pair "" "${pairs}" 16 nothing) - nothing * 10))"
for column in "${columns[@]}"; do
  printf '| %s |' "${column%%=*}"
  for size in "${sizes[@]}"; do
    cell "$(pair "${column#*=}" "${pairs}" "${size}")" "${loop}"
  done
  printf '\n'
done
