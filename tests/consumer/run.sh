#!/bin/bash
#
# Builds and tests this workspace, which imports Alcove under another name and a frozen
# release beside it, as a user's would. Arguments are options for Bazel's builds;
# //tests/instances:consumer_test runs it too.

set -euo pipefail

folder="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)"
root="$(cd "${folder}/../.." && pwd -P)"
readonly folder root

# A Bazel of its own, which leaves nothing behind: neither a server nor a link.
scratch="$(mktemp -d "${TEST_TMPDIR:-${TMPDIR:-/tmp}}/consumer.XXXXXX")"
bazelw() {
  "${root}/bazelw" --output_user_root="${scratch}/bazel" "$@"
}
finish() {
  bazelw shutdown >/dev/null 2>&1 || true
  chmod -R u+w "${scratch}"
  rm -rf "${scratch}"
}
trap finish EXIT

# What tests/versions has frozen, and its sum, which stands there alone.
readonly version=0.1.0
readonly archive="${root}/tests/versions/alcove-${version}.tar.gz"
readonly unpacked="${scratch}/alcove-${version}"
sha256="$(sed -n "s/^    \"${version}\": \"\(.*\)\",\$/\1/p" "${root}/tests/versions/releases.bzl")"
tar --extract --gzip --file="${archive}" --directory="${scratch}"
# The copy that is unpacked by hand says so, or nobody could tell it from the archive's.
readonly by_hand="${version}-by-hand"
sed -i "s/\"${version}\"/\"${by_hand}\"/" "${unpacked}/version.bzl"

# A copy that knows where things are; a user writes that by hand.
cp -r "${folder}" "${scratch}/workspace"
cd "${scratch}/workspace"
sed -i -e "s|%CHECKOUT%|${root}|; s|%UNPACKED%|${unpacked}|; s|%ARCHIVE%|${archive}|" \
  -e "s|%SHA256%|${sha256}|" WORKSPACE MODULE.bazel

bazelw test --symlink_prefix=/ --test_output=errors "$@" //...

# prints EXPECTED ARGUMENT...: what //app:versions says, built with these arguments.
prints() {
  local expected="$1" said
  shift
  said="$(bazelw run --symlink_prefix=/ "$@" //app:versions)"
  if [[ "${said}" != "${expected}" ]]; then
    echo "FAILED: //app:versions says '${said}', not '${expected}'" >&2
    exit 1
  fi
  echo "${said}"
}

# Two instances of one prefix do not become one: the linker names both.
if twice="$(bazelw build --symlink_prefix=/ "$@" //app:twice 2>&1)"; then
  echo "FAILED: //app:twice links, with two instances of one prefix" >&2
  exit 1
fi
for library in app/heaps/liblunch_heap.a app/heaps/again/liblate_lunch_heap.a; do
  if [[ "${twice}" != *"${library}"*lunch_malloc* && "${twice}" != *lunch_malloc*"${library}"* ]]; then
    printf "%s\nFAILED: %s is not named by the linker\n" "${twice}" "${library}" >&2
    exit 1
  fi
done
echo "//app:twice does not link, as it should be"

today="$(sed -n 's/^ALCOVE_VERSION = "\(.*\)"$/\1/p' "${root}/version.bzl")"
readonly today
prints "breakfast ${by_hand}, brunch ${version}, lunch ${today}, supper ${version}" "$@"

# The release in place of the checkout, by a flag: what it takes is all in the archive.
# Asked by what it knows, for Debian's Bazel 4.2 does not tell its version.
override=(--override_repository=heaps_r_us="${unpacked}")
flags="$(bazelw help --long build 2>/dev/null)"
if [[ "${flags}" == *--override_module* ]]; then
  override=(--override_module=alcove="${unpacked}")
fi
prints "breakfast ${by_hand}, brunch ${version}, lunch ${by_hand}, supper ${version}" \
  "${override[@]}" "$@"
