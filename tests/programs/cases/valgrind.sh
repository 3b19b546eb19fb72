# shellcheck shell=bash disable=SC2034,SC2154  # programs.sh reads these, and has those.
what="valgrind: a shell and what it starts, as is and with valgrind's own malloc in place of ours"
packages="valgrind"
needs=(/usr/bin/valgrind /usr/bin/perl)
version() { valgrind --version; }

script='perl -e "my %h = map { (\"k\$_\" => [1 .. \$_ % 9]) } 1 .. $1; print scalar(keys %h), qq(\n)";
  seq "$1" | sort -r | head -n 3; x=$(echo done); echo "$x"'

# nulgrind runs the malloc that is preloaded, on a processor of its own; memcheck replaces
# it, wherever it is, and must find no error in how that is done.
work() {
  local n
  n="$(quantity 4000 1000)"
  preloaded valgrind -q --tool=none --trace-children=yes bash -c "${script}" bash "${n}"
  preloaded valgrind -q --trace-children=yes --undef-value-errors=no --error-exitcode=9 \
    bash -c "${script}" bash "${n}"
}
