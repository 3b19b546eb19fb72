#!/bin/bash
#
# Builds and tests this workspace, which imports Alcove under another name, as a
# user's would be. Arguments go to Bazel; //tests/instances:consumer_test runs it too.

set -euo pipefail

folder="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)"
cd "${folder}"

# A Bazel of its own, which leaves nothing behind: neither a server nor a link.
scratch="$(mktemp -d "${TEST_TMPDIR:-${TMPDIR:-/tmp}}/consumer.XXXXXX")"
bazelw() {
  ../../bazelw --output_user_root="${scratch}" "$@"
}
finish() {
  bazelw shutdown >/dev/null 2>&1 || true
  chmod -R u+w "${scratch}"
  rm -rf "${scratch}"
}
trap finish EXIT

bazelw test --symlink_prefix=/ --test_output=errors "$@" //...
