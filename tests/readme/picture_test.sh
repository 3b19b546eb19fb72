#!/usr/bin/env bash
#
# The picture in README.md is one that examples/versions prints: the same lines, but for
# addresses, sizes and versions, and how often and in what order they come.
set -euo pipefail

readonly readme="$1" program="$2"

# The lines of the first picture in a text, with all that differs from run to run masked.
# Whose file malloc is in depends on how it is linked, and whether the system joins what the
# two instances keep on where it puts them.
shape() {
  sed -n '/^from /,/^\(```\)\?$/p' | sed '/^\(```\)\?$/,$d' | sed -E \
    -e 's/^0x[0-9a-f]+/address/' \
    -e 's/[0-9.]+ [KMGT]?i?B/size/g' \
    -e 's/ [#+.]+ / bar /' \
    -e 's/malloc of .*/malloc of file/' \
    -e "s/store_(new|old)_'s own data\$|data of store_new_, store_old_\$/own data/" \
    -e 's/[0-9]+\.[0-9]+\.[0-9]+/version/' \
    -e 's/ +/ /g' | sort -u
}

shown="$(shape <"${readme}")"
printed="$("${program}" | shape)"
if [[ -z "${shown}" || "${shown}" != "${printed}" ]]; then
  echo "FAILED: the picture in README.md is not what the program prints:" >&2
  diff <(echo "${shown}") <(echo "${printed}") >&2 || true
  exit 1
fi
echo "PASSED: $(wc -l <<<"${shown}") kinds of lines"
