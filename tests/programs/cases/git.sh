# shellcheck shell=bash disable=SC2034,SC2154  # programs.sh reads these, and has those.
what="git: a generated history, gc with two threads, fsck, log"
packages="git"
needs=(/usr/bin/git)
version() { git --version; }

prepare() {
  export GIT_AUTHOR_DATE="1700000000 +0000" GIT_COMMITTER_DATE="1700000000 +0000"
  export GIT_CONFIG_NOSYSTEM=1
  git init -q repository
  local i
  for ((i = 1; i <= $(quantity 40 12); ++i)); do
    seq "${i}" 3 10000 >"repository/file$((i % 7))"
    mkdir -p "repository/d${i}"
    seq "${i}" >"repository/d${i}/f"
    git -C repository add .
    git -C repository -c user.name=n -c user.email=e commit -q -m "commit ${i}"
  done
}

work() {
  preloaded git -C repository -c pack.threads=2 gc -q --aggressive
  preloaded git -C repository fsck --no-progress 2>&1
  preloaded git -C repository log --stat -p | cksum
  git -C repository rev-parse HEAD
  git -C repository count-objects -v | grep -v size
}
