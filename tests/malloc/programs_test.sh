#!/usr/bin/env bash
#
# Programs that nobody here wrote, with libalcove.so preloaded and without: the
# same answer. Where one is not installed, a line says so.

set -euo pipefail

library="$(readlink -f -- "$1")"
programs="$(readlink -f -- "$2")"

scratch="$(mktemp -d "${TEST_TMPDIR:-/tmp}/programs_test.XXXXXX")"
trap 'rm -rf "${scratch}"' EXIT
cd "${scratch}"

export LC_ALL=C HOME="${scratch}" TMPDIR="${scratch}"
export PATH=/usr/bin:/bin
failed=0

# compare NAME PROGRAM COMMAND...: PROGRAM is what has to be there.
compare() {
  local name="$1" program="$2" plain=0 preloaded=0
  shift 2
  if ! command -v "${program}" >/dev/null; then
    echo "SKIPPED ${name}: there is no ${program}"
    return
  fi
  "$@" >plain.out 2>plain.err </dev/null || plain=$?
  LD_PRELOAD="${library}" "$@" >preloaded.out 2>preloaded.err </dev/null || preloaded=$?
  if ((plain == 77)); then
    echo "SKIPPED ${name}: $(grep '^missing' plain.out)"
  elif ((plain != 0)); then
    echo "FAILED ${name}: exit code ${plain} without any preload"
    tail -n 3 plain.err
    failed=1
  elif ((preloaded != 0)) || ! cmp -s plain.out preloaded.out; then
    echo "FAILED ${name}: exit code ${preloaded}, $(cmp plain.out preloaded.out 2>&1 || true)"
    tail -n 3 preloaded.err
    failed=1
  else
    echo "same ${name}: $(cksum <plain.out)"
  fi
}

# Without what differs from run to run.
# shellcheck disable=SC2317  # compare calls it.
answer_of() { "${programs}" --quick "$1" | grep -v '^bench: [sp]'; }

compare ls ls ls -l --time-style=+ /usr/bin
# shellcheck disable=SC2016  # The inner shell expands these.
compare bash bash bash -c 'a=(); for i in {1..20000}; do a+=("x${i}"); done
  echo "${#a[@]} ${a[1234]}" "$(echo "${a[*]}" | cksum)" "$(echo a b | tr a-z A-Z)"'
compare sort sort bash -c 'seq 200000 | rev | sort --parallel=4 -S 10M | cksum'
compare xz xz bash -c 'seq 400000 | xz -T2 -2 | xz -d | cksum'
# shellcheck disable=SC2016  # Perl expands these.
compare perl perl perl -e 'my %h; $h{"k$_"} = [$_, "x" x ($_ % 300)] for 1..50000;
  delete $h{"k$_"} for grep { $_ % 3 } 1..50000;
  print join(",", map { "$_=$h{$_}[0]" } (sort keys %h)[0..99]), "\n";
  if (my $p = fork) { waitpid $p, 0; print $? } else { my @a = map { "y$_" } 1..9999; exit 0 }'
compare python3 python3 python3 -I -S -c '
import os, threading
blocks = []
def churn(seed):
    mine = []
    for i in range(20000):
        mine.append(bytearray((i * seed) % 3000))
        if i % 3 == 0: mine.pop(i % len(mine))
    blocks.append(sum(map(len, mine)))
threads = [threading.Thread(target=churn, args=(s,)) for s in range(1, 7)]
[t.start() for t in threads]
if os.fork() == 0:
    os._exit(len(bytes(1000000)) != 1000000)
print(os.wait()[1])
[t.join() for t in threads]
print(sorted(blocks))'
# shellcheck disable=SC2016  # The inner shell expands these.
compare git git bash -c 'rm -rf repository; git init -q repository; cd repository
  export GIT_AUTHOR_DATE="1700000000 +0000" GIT_COMMITTER_DATE="1700000000 +0000"
  for i in {1..12}; do
    seq "${i}" 3 3000 >"file$((i % 5))"; mkdir -p "d${i}"; seq "${i}" >"d${i}/f"; git add .
    git -c user.name=n -c user.email=e commit -q -m "commit ${i}"
  done
  git -c pack.threads=2 gc -q; git fsck 2>&1; git log --stat -p | cksum; git rev-parse HEAD'

for row in $("${programs}" --list | cut -f 1); do
  compare "${row}" bash answer_of "${row}"
done

((failed == 0)) && echo "good"
exit "${failed}"
