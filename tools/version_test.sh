#!/usr/bin/env bash
#
# MODULE.bazel can load nothing, so it repeats the version that version.bzl defines.

set -euo pipefail

defined="$(sed -n 's/^ALCOVE_VERSION = "\(.*\)"$/\1/p' "$1")"
repeated="$(sed -n 's/^    version = "\(.*\)",$/\1/p' "$2")"
if [[ -z "${defined}" || "${defined}" != "${repeated}" ]]; then
  echo "version.bzl says '${defined}', MODULE.bazel '${repeated}': write the same in both."
  exit 1
fi
