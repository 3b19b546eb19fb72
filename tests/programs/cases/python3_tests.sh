# shellcheck shell=bash disable=SC2034,SC2154  # programs.sh reads these, and has those.
what="python3's own tests of threads, JSON, pickling, memory and forked processes"
packages="libpython3.11-testsuite"
needs=(/usr/bin/python3)
version() { python3 --version; }

prepare() {
  python3 -c 'import test.test_threading' 2>/dev/null || {
    echo "there are no tests of python3 here (apt-get install libpython3-testsuite)" >&2
    return 77
  }
}

# The names of those that passed; the times differ. Of the tests of processes those that
# share the most with malloc: all of them take minutes.
work() {
  local tests=(test_json test_thread test_memoryio)
  [[ "${amount}" == quick ]] || tests+=(test_threading test_pickle test_zlib test_gc test_bytes)
  preloaded python3 -m test -v "${tests[@]}" >log 2>&1 || { tail -n 30 log >&2; return 1; }
  grep -E ' \.\.\. (ok|skipped)' log | sed -E 's/ \.\.\. .*//; s/0x[0-9a-f]+//g' | sort -u | wc -l
  grep -E '^Tests result' log
  [[ "${amount}" == quick ]] && return
  preloaded python3 -m test -q test_multiprocessing_fork -m '*WithProcessesTestPool*' \
    -m '*WithProcessesTestQueue*' -m '*Fork*' >log 2>&1 || { tail -n 30 log >&2; return 1; }
  grep -E '^Tests result' log
}
