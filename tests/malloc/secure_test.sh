#!/usr/bin/env bash
#
# A program whose malloc is an instance, run as setuid programs are: with another
# effective user than the real one, and an environment that may be hostile.

set -euo pipefail

readonly programs=("$@")

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

scratch="$(mktemp -d "${TEST_TMPDIR:-/tmp}/secure.XXXXXX")"
trap 'rm -rf "${scratch}"' EXIT
chmod 755 "${scratch}"

# Whatever a malloc was ever told by.
# shellcheck disable=SC2054  # The commas belong to the values.
hostile=(
  MALLOC_ARENA_MAX=1 MALLOC_PERTURB_=85 MALLOC_TRIM_THRESHOLD_=0 MALLOC_TOP_PAD_=1000000
  MALLOC_CONF=abort:true,narenas:1 MALLOC_OPTIONS=AFGJPRX ALCOVE_CONFIG=debug
  ALCOVE_REGION_RESERVE_MIB=4 APP_CONFIG=debug TCMALLOC_SAMPLE_PARAMETER=1
  MIMALLOC_VERBOSE=1 MIMALLOC_RESERVE_HUGE_OS_PAGES=1
  GLIBC_TUNABLES=glibc.malloc.tcache_count=0:glibc.malloc.hugetlb=1
)

secured=0
for program in "${programs[@]}"; do
  plain="$(env -i "${program}")"
  [[ "${plain}" == "secure 0"$'\n'* ]] || fail "${program} printed: ${plain}"
  told="$(env -i "${hostile[@]}" "${program}")"
  [[ "${told}" == "${plain}" ]] || fail "${program} with an environment printed: ${told}"

  # Another's program with the bit set: who runs it has that one's rights besides.
  copy="${scratch}/$(basename "${program}")"
  cp -L "${program}" "${copy}"
  if ! chown 65534 "${copy}" 2>/dev/null || ! chmod 4755 "${copy}"; then continue; fi
  told="$(env -i "${hostile[@]}" "${copy}")"
  if [[ "${told}" == "secure 0"$'\n'* ]]; then continue; fi
  [[ "${told}" == "secure 1${plain#secure 0}" ]] || fail "${copy} printed: ${told}"
  secured=$((secured + 1))
done

if ((secured == 0)); then
  echo "SKIPPED: no setuid program can be made here (not root, or mounted nosuid)"
else
  ((secured == ${#programs[@]})) || fail "only ${secured} of ${#programs[@]} ran with AT_SECURE"
  echo "good: ${secured} programs with AT_SECURE"
fi
