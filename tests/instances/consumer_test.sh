#!/bin/bash
#
# Builds and tests tests/consumer, a workspace of its own, with a Bazel of its own.
# It has to work on the source tree itself, which this script's own link leads to.

set -euo pipefail

folder="$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
# Two servers at a time: half of the machine is the other's.
exec "${folder}/../consumer/run.sh" --jobs=2
