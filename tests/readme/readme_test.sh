#!/usr/bin/env bash
#
# The examples in README.md are pieces of files that are built and run: every fenced block
# stands, line for line, in the file named in the line above it; the commands are those
# that the other checks run.
set -euo pipefail

readonly readme="$1" binary="$2" inlined="$3" arena="$4" beyond="$5" process="$6" preload="$7"
shift 7

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# Every fenced block that follows a line "`path`:".
blocks=0
path=""
block=""
inside=""
while IFS= read -r line; do
  if [[ -n "${inside}" ]]; then
    if [[ "${line}" == '```' ]]; then
      inside=""
      if [[ -n "${path}" ]]; then
        found=""
        for file in "$@"; do
          [[ "${file}" == *"${path}" ]] || continue
          [[ "$(<"${file}")" == *"${block%$'\n'}"* ]] || fail "${path} does not contain:"$'\n'"${block}"
          found=1
        done
        [[ -n "${found}" ]] || fail "README.md names ${path}, which is not an example under test"
        blocks=$((blocks + 1))
      fi
      path=""
    else
      block+="${line}"$'\n'
    fi
  elif [[ "${line}" == '```'* ]]; then
    inside=1
    block=""
  elif [[ "${line}" =~ ^\`([a-zA-Z0-9_/.]+)\`:$ ]]; then
    path="${BASH_REMATCH[1]}"
  elif [[ -n "${line}" ]]; then
    path=""
  fi
done <"${readme}"
((blocks == $#)) || fail "${blocks} of $# example files are quoted in README.md"

output="$("${binary}")"
[[ "${output}" == "1 1 0" ]] || fail "the first example printed: ${output}"
output="$("${inlined}")"
[[ "${output}" == "1 1 1" ]] || fail "the inlined example printed: ${output}"
output="$("${arena}")"
[[ "${output}" == "1 0 0" ]] || fail "the example of an arena printed: ${output}"

output="$("${beyond}")"
[[ "${output}" == "100 1 1 1 1 1000" ]] || fail "the example beyond malloc printed: ${output}"

output="$("${process}")"
[[ "${output}" == "1 1 1" ]] || fail "the example of a program's malloc printed: ${output}"
# Any program will do.
output="$(LD_PRELOAD="$(readlink -f "${preload}")" grep -c -F "${preload##*/}" /proc/self/maps)"
((output > 0)) || fail "${preload} was not preloaded"

for command in './bazelw run //examples/coexist' './bazelw run //examples/arenas' \
  './bazelw run //examples/versions' './bazelw test //...' './bazelw build //tools/preload:libalcove.so'; do
  grep -qF -- "${command}" "${readme}" || fail "README.md does not name ${command}"
done
echo "PASSED: ${blocks} examples"
