# shellcheck shell=bash disable=SC2034,SC2154  # programs.sh reads these, and has those.
what="ffmpeg: a generated film and tone, encoded by two threads, decoded, hashed"
packages="ffmpeg"
needs=(/usr/bin/ffmpeg)
version() { ffmpeg -version | cut -d ' ' -f 1-3; }

work() {
  local seconds
  seconds="$(quantity 4 1)"
  preloaded ffmpeg -nostdin -v error -f lavfi -i "testsrc2=s=640x360:r=25:d=${seconds}" \
    -f lavfi -i "sine=f=440:d=${seconds}" -c:v mpeg4 -q:v 4 -threads 2 -c:a aac \
    -fflags +bitexact -flags:v +bitexact -flags:a +bitexact film.mkv
  preloaded ffmpeg -nostdin -v error -threads 2 -i film.mkv -vf scale=320:180 -f framemd5 - |
    grep -v '^#' | cksum
}
