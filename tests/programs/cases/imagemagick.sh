# shellcheck shell=bash disable=SC2034,SC2154  # programs.sh reads these, and has those.
what="imagemagick: a generated picture, blurred, turned and scaled by two threads"
packages="imagemagick"
needs=(/usr/bin/convert-im6.q16)
version() { convert-im6.q16 --version | sed 's/Version: //; s/ https.*//'; }

work() {
  local size
  size="$(quantity 700 200)"
  OMP_NUM_THREADS=2 preloaded convert-im6.q16 -size "${size}x${size}" plasma:red-blue -seed 7 \
    -blur 0x3 -rotate 17 -resize 70% -depth 8 ppm:first.ppm
  # The picture is by chance, but what is made of a fixed one is not.
  OMP_NUM_THREADS=2 preloaded convert-im6.q16 -size "${size}x${size}" gradient:red-blue \
    -swirl 180 -blur 0x3 -rotate 17 -resize 70% -depth 8 ppm:- | cksum
  head -c 2 first.ppm
}
