# shellcheck shell=bash disable=SC2034,SC2154  # programs.sh reads these, and has those.
what="xz -T2 and back, by two threads each"
packages="xz-utils"
needs=(/usr/bin/xz)
version() { xz --version; }

prepare() { seq "$(quantity 800000 200000)" | awk '{print $1, $1 * 7 % 1009}' >input; }

work() {
  preloaded xz -T2 -"$(quantity 4 1)" --block-size=1MiB -k input
  cksum <input.xz
  preloaded xz -T2 -dc input.xz | cmp - input
}
