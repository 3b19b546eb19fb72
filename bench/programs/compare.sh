#!/usr/bin/env bash
#
# The programs of //tests/programs under each malloc there is, by turns: version, same
# answer or not, time and peak memory as ratios of medians.
#
#   compare.sh PROGRAMS LIBRARY [--repeats=N] [--quick] [--out=FILE] [CASE...]
#
# PROGRAMS is //tests/programs, LIBRARY Alcove's; `bazel run` names both. Without --out a
# report goes to standard output; progress to standard error.

set -euo pipefail

programs="$(readlink -f -- "$1")"
# Not through the link: what it needs is beside the place it was started from.
[[ -d "$(dirname -- "$1")/cases" ]] && programs="$(cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")"
alcove="$(readlink -f -- "$2")"
arguments="${*:3}"
shift 2

repeats=3
out=""
quick=()
cases=()
for argument in "$@"; do
  case "${argument}" in
    --repeats=*) repeats="${argument#*=}" ;;
    --quick) quick=(--quick) ;;
    --out=*) out="${argument#*=}" ;;
    -*) echo "what is ${argument}?" >&2; exit 64 ;;
    *) cases+=("${argument}") ;;
  esac
done
((${#cases[@]} > 0)) || mapfile -t cases < <("${programs}" --list | cut -f 1)
[[ -z "${out}" || "${out}" == /* ]] || out="${BUILD_WORKING_DIRECTORY:-${PWD}}/${out}"

# Where the loader finds a library; empty if nowhere.
find_library() {
  local name
  for name in "$@"; do
    /sbin/ldconfig -p | awk -v name="${name}" '$1 == name && /x86-64/ {print $NF; exit}'
  done | head -n 1
}

package_version() { dpkg-query --show --showformat='${Package} ${Version}' "$1" 2>/dev/null || echo "$1"; }

columns=(alcove glibc jemalloc mimalloc tcmalloc)
declare -A library=(
  [alcove]="${alcove}"
  [glibc]=""
  [jemalloc]="$(find_library libjemalloc.so.2)"
  [mimalloc]="$(find_library libmimalloc.so.3 libmimalloc.so.2.0 libmimalloc.so.2)"
  [tcmalloc]="$(find_library libtcmalloc_minimal.so.4)"
)
declare -A package=(
  [alcove]=alcove [glibc]=libc6 [jemalloc]=libjemalloc2 [mimalloc]=libmimalloc2.0 [tcmalloc]=libtcmalloc-minimal4
)

scratch="$(mktemp -d)"
trap 'rm -rf "${scratch}"' EXIT
results="${scratch}/results.tsv"  # case column seconds peak_kib answer version cpu
: >"${results}"

report() {
  echo "# Results: whole programs"
  echo
  echo "Written by \`./bazelw run //bench/programs:compare -- ${arguments}\`; do not edit."
  echo
  if ((${#quick[@]} > 0)); then
    echo "With --quick: each program has little to do, and its start weighs much. Where the load"
    echo "at the end of this page is more than a few, wall times are no evidence."
    echo
  fi
  awk -F '\t' -v columns="${columns[*]}" -v cases="${cases[*]}" -v repeats="${repeats}" '
    function median(list, n,   parts, i, j, t) {
      n = split(list, parts, " ")
      for (i = 2; i <= n; ++i)
        for (j = i; j > 1 && parts[j - 1] + 0 > parts[j] + 0; --j) {
          t = parts[j]; parts[j] = parts[j - 1]; parts[j - 1] = t
        }
      return n == 0 ? 0 : n % 2 ? parts[(n + 1) / 2] : (parts[n / 2] + parts[n / 2 + 1]) / 2
    }
    function ratio(values, case_name, peer,   a, b) {
      a = median(values[case_name, "alcove"]); b = median(values[case_name, peer])
      if (a <= 0 || b <= 0) return "-"
      sums[kind, peer] += log(a / b); ++counts[kind, peer]
      return sprintf("%.2f", a / b)
    }
    function table(what, values, unit,   i, j, line) {
      kind = what
      printf "| program | alcove, %s |", unit
      for (j = 2; j <= ncolumns; ++j) printf " to %s |", column[j]
      printf "\n| --- | ---: |"
      for (j = 2; j <= ncolumns; ++j) printf " ---: |"
      printf "\n"
      for (i = 1; i <= ncases; ++i) {
        if (median(values[name[i], "alcove"]) <= 0) continue
        printf "| %s | %s |", name[i], sprintf(unit == "s" ? "%.2f" : "%.1f", median(values[name[i], "alcove"]))
        for (j = 2; j <= ncolumns; ++j) printf " %s |", ratio(values, name[i], column[j])
        printf "\n"
      }
      printf "| **geometric mean** | |"
      for (j = 2; j <= ncolumns; ++j)
        printf " **%s** |", counts[kind, column[j]] ? sprintf("%.2f", exp(sums[kind, column[j]] / counts[kind, column[j]])) : "-"
      printf "\n\n"
    }
    BEGIN { ncolumns = split(columns, column, " "); ncases = split(cases, name, " ") }
    {
      version[$1] = $6 == "-" ? version[$1] : $6
      if ($5 == "missing" || $5 == "failed") { bad[$1, $2] = $5; next }
      seconds[$1, $2] = seconds[$1, $2] " " $3
      cpu[$1, $2] = cpu[$1, $2] " " $7
      peak[$1, $2] = peak[$1, $2] " " $4 / 1024
      if ($2 == "glibc" && !(($1) in expected)) expected[$1] = $5
      answers[$1, $2] = answers[$1, $2] "\t" $5
    }
    END {
      printf "Medians of %d runs, in which the mallocs took turns. A ratio is of Alcove to the malloc ", repeats
      printf "named above it: below 1 Alcove is faster, or smaller.\n\n"
      printf "| program | version |"
      for (j = 1; j <= ncolumns; ++j) printf " %s |", column[j]
      printf "\n| --- | --- |"
      for (j = 1; j <= ncolumns; ++j) printf " --- |"
      printf "\n"
      for (i = 1; i <= ncases; ++i) {
        printf "| %s | %s |", name[i], version[name[i]]
        for (j = 1; j <= ncolumns; ++j) {
          word = (name[i], column[j]) in bad ? bad[name[i], column[j]] : (name[i], column[j]) in answers ? "same" : "-"
          n = split(answers[name[i], column[j]], one, "\t")
          for (k = 2; k <= n; ++k) if (one[k] != expected[name[i]]) word = "another answer"
          printf " %s |", word
        }
        printf "\n"
      }
      printf "\n## Wall time\n\n"
      table("time", seconds, "s")
      printf "## Processor time, which a busy machine disturbs less\n\n"
      table("cpu", cpu, "s")
      printf "## Peak resident memory, of the largest process\n\n"
      table("peak", peak, "MiB")
    }' "${results}"
  echo "## Machine"
  echo
  echo "| | |"
  echo "| --- | --- |"
  echo "| processor | $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores |"
  echo "| load when it began, and when it ended | ${load_before}, $(cut -d ' ' -f 1 /proc/loadavg) |"
  echo "| it took | $((SECONDS - begin)) s |"
  local column
  for column in "${columns[@]:1}"; do echo "| ${column} | $(package_version "${package[${column}]}") |"; done
}

load_before="$(cut -d ' ' -f 1 /proc/loadavg)"
begin="${SECONDS}"
for case in "${cases[@]}"; do
  for ((repeat = 1; repeat <= repeats; ++repeat)); do
    for column in "${columns[@]}"; do
      [[ "${column}" == glibc || -n "${library[${column}]}" ]] || continue
      code=0
      LD_PRELOAD="${library[${column}]}" "${programs}" "${quick[@]}" "${case}" \
        >"${scratch}/run" 2>"${scratch}/errors" || code=$?
      if ((code == 77)); then
        printf '%s\t%s\t-\t-\tmissing\t%s\n' "${case}" "${column}" \
          "$(sed -n 's/^bench: missing=//p' "${scratch}/run")" >>"${results}"
        break 2
      elif ((code != 0)); then
        echo "${case}, ${column}: exit code ${code}: $(tail -n 1 "${scratch}/errors")" >&2
        printf '%s\t%s\t-\t-\tfailed\t-\n' "${case}" "${column}" >>"${results}"
        continue
      fi
      printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "${case}" "${column}" \
        "$(sed -n 's/^bench: seconds=//p' "${scratch}/run")" \
        "$(sed -n 's/^bench: peak_kib=//p' "${scratch}/run")" \
        "$(sed -n 's/^answer: //p' "${scratch}/run")" \
        "$(sed -n 's/^version: //p' "${scratch}/run" | cut -c 1-40)" \
        "$(sed -n 's/^cpu: //p' "${scratch}/run")" >>"${results}"
    done
  done
  # What there is so far: all of it takes long.
  [[ -z "${out}" ]] || report >"${out}"
  echo "${case} done after $((SECONDS - begin)) s" >&2
done

if [[ -n "${out}" ]]; then echo "wrote ${out}" >&2; else report; fi
