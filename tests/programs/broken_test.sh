#!/usr/bin/env bash
#
# A malloc that runs out at once makes programs fail, and programs.sh says so.

set -euo pipefail

code=0
answer="$("$1" --compare="$2" --quick perl 2>&1)" || code=$?
echo "${answer}"
if [[ "${answer}" == SKIPPED* ]]; then exit 0; fi
((code == 1)) && [[ "${answer}" == "FAILED perl"* && "${answer}" == *"1 failed" ]]
