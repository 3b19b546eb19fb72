# shellcheck shell=bash disable=SC2034,SC2154  # programs.sh reads these, and has those.
what="stress-ng --malloc, by processes and by threads"
packages="stress-ng"
needs=(/usr/bin/stress-ng)
version() { stress-ng --version; }

# Its own word that all went well; how many calls it made of each kind is by chance.
stress() {
  preloaded stress-ng "$@" --verify --temp-path . >log 2>&1 || { cat log >&2; return 1; }
  grep -o 'successful run completed' log
}

work() {
  local operations
  operations="$(quantity 4000 500)"
  stress --malloc 2 --malloc-ops "${operations}" --malloc-bytes 256K --malloc-max 2000
  stress --malloc 1 --malloc-pthreads 4 --malloc-touch --malloc-ops "${operations}" --malloc-bytes 256K
}
