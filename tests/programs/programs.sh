#!/usr/bin/env bash
#
# Programs that nobody here wrote, as they come in Debian's packages, with a malloc
# preloaded and without: the same answer? Also a source of rows (bench/runner/source.h).
#
#   programs.sh --compare=LIBRARY [--quick] [CASE...]   each with it and without it
#   programs.sh --list                                  "name<TAB>what it is"
#   programs.sh [--quick] CASE                          once, with what LD_PRELOAD names
#
# The cases are files in cases/; README.md says what is in one.

set -euo pipefail

# It is the programs that are to have it, not this.
preload="${LD_PRELOAD:-}"
unset LD_PRELOAD
[[ "${preload}" != */* ]] || preload="$(readlink -f -- "${preload}")"

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
self="${here}/$(basename -- "${BASH_SOURCE[0]}")"
# Started by `bazel run`, it is beside what it needs, and not among it.
for runfiles in "${self}".runfiles/*/tests/programs; do
  [[ ! -d "${runfiles}/cases" ]] || here="${runfiles}"
done
here="${PROGRAMS_HERE:-${here}}"
measure="${PROGRAMS_MEASURE:-${here}/measure}"
[[ -x "${measure}" ]] || {
  echo "there is no ${measure}: build //tests/programs, or set PROGRAMS_MEASURE" >&2
  exit 64
}
measure="$(readlink -f -- "${measure}")"

readonly skip_code=77
# As each program is found in Debian, whatever else is in the caller's path.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL=C TZ=UTC

amount=full
scratch=""
# Servers that a case has started; each is told to end whatever happens.
servers=()

# ---- What a case may call -------------------------------------------------------

# Runs a command with the malloc, measured.
preloaded() { PROGRAMS_PRELOAD="${preload}" "${measure}" "${scratch}/.peaks" "$@"; }

# The same in the background; its process id is in ${server}.
serve() {
  PROGRAMS_PRELOAD="${preload}" "${measure}" "${scratch}/.peaks" "$@" &
  server=$!
  servers+=("${server}")
}

# Waits until a command succeeds, for half a minute at most.
await() {
  local tries
  for ((tries = 0; tries < 300; ++tries)); do
    ! "$@" >/dev/null 2>&1 || return 0
    sleep 0.1
  done
  echo "gave up waiting for: $*" >&2
  return 1
}

# full A, or B where it has to be quick.
quantity() { if [[ "${amount}" == quick ]]; then echo "$2"; else echo "$1"; fi; }

# ---- One case, once ---------------------------------------------------------------

# In a subshell each: what a case defines is gone with it.
load_case() {
  local file="${here}/cases/$1.sh"
  [[ -r "${file}" ]] || {
    echo "there is no case $1" >&2
    return 64
  }
  what="" packages="" needs=()
  prepare() { :; }
  version() { echo "unknown"; }
  # shellcheck source=/dev/null
  source "${file}"
}

missing_of() {
  local need
  for need in "${needs[@]}"; do
    [[ -e "${need}" ]] || { echo "${packages}"; return; }
  done
}

end_servers() {
  local process
  for process in "${servers[@]}"; do pkill -KILL -P "${process}" 2>/dev/null || true; done
}

# The answer on standard output, and in FOLDER.result seconds, the peak in KiB and
# seconds of processor time. In a process of its own: where the caller looks at the exit
# code, bash would go on after an error.
run_here() {
  load_case "$1"
  rm -rf "${scratch}"
  mkdir -p "${scratch}"
  chmod 777 "${scratch}"
  cd "${scratch}"
  export HOME="${scratch}" TMPDIR="${scratch}"
  trap end_servers EXIT
  prepare >&2
  local begin end
  begin="$(date +%s%N)"
  work
  end="$(date +%s%N)"
  [[ -s .peaks ]]
  awk -v ns="$((end - begin))" '$1 > peak {peak = $1} {cpu += $2}
    END {printf "%.6f %d %.3f\n", ns / 1e9, peak, cpu}' .peaks >"${scratch}.result"
}

# run_case NAME FOLDER LIBRARY
run_case() {
  local quick=()
  [[ "${amount}" == full ]] || quick=(--quick)
  PROGRAMS_HERE="${here}" PROGRAMS_MEASURE="${measure}" "${BASH}" "${self}" --run="$2" --library="$3" "${quick[@]}" "$1"
}

# A copy that every user may read, as some programs run as nobody.
readable_copy() {
  local library="$1" folder="$2"
  if [[ "${library}" != */* ]]; then
    echo "${library}"
    return
  fi
  cp -L -- "${library}" "${folder}/$(basename -- "${library}")"
  chmod 755 "${folder}/$(basename -- "${library}")"
  echo "${folder}/$(basename -- "${library}")"
}

# ---- The modes --------------------------------------------------------------------

names_of_cases() { local f; for f in "${here}"/cases/*.sh; do basename "${f}" .sh; done; }

compare_case() {
  local name="$1" folder="$2" plain=0 with=0 lacking program_version
  lacking="$(load_case "${name}"; missing_of)"
  if [[ -n "${lacking}" ]]; then
    echo "SKIPPED ${name}: there is no ${lacking} here (apt-get install ${lacking})"
    return 0
  fi
  program_version="$(load_case "${name}"; version 2>&1 | head -n 1)"
  # The same folder for both: programs print it, and hash it.
  run_case "${name}" "${folder}/run" "" >"${folder}/plain" 2>"${folder}/plain.err" || plain=$?
  local plain_result
  plain_result="$(cat "${folder}/run.result" 2>/dev/null || true)"
  if ((plain == skip_code)); then
    echo "SKIPPED ${name}: $(tail -n 1 "${folder}/plain.err")"
    return 0
  elif ((plain != 0)); then
    # Not ours to mend, but nothing was tested either.
    echo "FAILED ${name} (${program_version}): exit code ${plain} without any preload"
    tail -n 5 "${folder}/plain.err"
    return 1
  fi
  run_case "${name}" "${folder}/run" "${library}" >"${folder}/with" 2>"${folder}/with.err" || with=$?
  if ((with != 0)); then
    echo "FAILED ${name} (${program_version}): exit code ${with}"
    tail -n 5 "${folder}/with.err"
    return 1
  elif grep -q 'cannot be preloaded' "${folder}/with.err"; then
    echo "FAILED ${name} (${program_version}): $(grep -m 1 'cannot be preloaded' "${folder}/with.err")"
    return 1
  elif [[ ! -s "${folder}/plain" ]]; then
    echo "FAILED ${name} (${program_version}): there is no answer"
    return 1
  elif ! cmp -s "${folder}/plain" "${folder}/with"; then
    echo "FAILED ${name} (${program_version}): another answer"
    diff "${folder}/plain" "${folder}/with" | head -n 10
    return 1
  fi
  awk -v name="${name}" -v version="${program_version}" -v answer="$(cksum <"${folder}/plain")" \
    -v plain="${plain_result}" -v with="$(cat "${folder}/run.result")" 'BEGIN {
      split(plain, p, " "); split(with, w, " ")
      printf "same %s (%s): answer %s; %.1f s and %d KiB, without it %.1f s and %d KiB\n",
        name, version, answer, w[1], w[2], p[1], p[2]
    }'
}

compare() {
  local folder failed=0 name
  library="$(readlink -f -- "${library}")"
  [[ -f "${library}" ]] || { echo "there is no ${library}" >&2; exit 64; }
  folder="$(mktemp -d "${TEST_TMPDIR:-/tmp}/programs.XXXXXX")"
  # shellcheck disable=SC2064  # This folder, now.
  trap "rm -rf '${folder}'" EXIT
  chmod 755 "${folder}"
  library="$(readable_copy "${library}" "${folder}")"
  # Or each would be compared with itself.
  PROGRAMS_PRELOAD="${library}" "${measure}" /dev/null grep -q -F "${library}" /proc/self/maps || {
    echo "${library} is not loaded when it is preloaded"
    exit 1
  }
  for name in "$@"; do
    compare_case "${name}" "${folder}" || failed=$((failed + 1))
  done
  ((failed == 0)) || { echo "${failed} failed"; exit 1; }
  echo "good"
}

row() {
  local name="$1" folder code=0 lacking
  lacking="$(load_case "${name}"; missing_of)"
  if [[ -n "${lacking}" ]]; then
    echo "bench: missing=${lacking}"
    exit "${skip_code}"
  fi
  folder="$(mktemp -d "${TMPDIR:-/tmp}/programs.XXXXXX")"
  # shellcheck disable=SC2064  # This folder, now.
  trap "rm -rf '${folder}'" EXIT
  chmod 755 "${folder}"
  [[ -z "${preload}" ]] || preload="$(readable_copy "${preload}" "${folder}")"
  run_case "${name}" "${folder}/run" "${preload}" >"${folder}/answer" || code=$?
  ((code == 0)) || exit "${code}"
  awk '{printf "bench: seconds=%s\nbench: peak_kib=%s\ncpu: %s\n", $1, $2, $3}' "${folder}/run.result"
  echo "answer: $(sed "s|${folder}|FOLDER|g" "${folder}/answer" | cksum)"
  echo "version: $(load_case "${name}"; version 2>&1 | head -n 1)"
}

library=""
mode=row
cases=()
for argument in "$@"; do
  case "${argument}" in
    --compare=*) mode=compare library="${argument#--compare=}" ;;
    --run=*) mode=run scratch="${argument#--run=}" ;;
    --library=*) preload="${argument#--library=}" ;;
    --list) mode=list ;;
    --quick) amount=quick ;;
    -*) echo "what is ${argument}?" >&2; exit 64 ;;
    *) cases+=("${argument}") ;;
  esac
done

case "${mode}" in
  run) run_here "${cases[0]}" ;;
  list) for name in $(names_of_cases); do printf '%s\t%s\n' "${name}" "$(load_case "${name}"; echo "${what}")"; done ;;
  compare)
    ((${#cases[@]} > 0)) || mapfile -t cases < <(names_of_cases)
    compare "${cases[@]}"
    ;;
  row)
    ((${#cases[@]} == 1)) || { echo "one case, please" >&2; exit 64; }
    row "${cases[0]}"
    ;;
esac
