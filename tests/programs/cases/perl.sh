# shellcheck shell=bash disable=SC2034,SC2154  # programs.sh reads these, and has those.
what="perl: hashes, strings, regular expressions, fork"
packages="perl"
needs=(/usr/bin/perl)
version() { perl -e 'print "perl $^V\n"'; }

prepare() {
  cat >input.pl <<'PERL'
use strict;
my ($n) = @ARGV;
my %h;
$h{"k$_"} = [$_, "x" x ($_ % 300)] for 1 .. $n;
delete $h{"k$_"} for grep { $_ % 3 } 1 .. $n;
my $text = join ",", map { "$_=$h{$_}[0]" } sort keys %h;
my $sum = 0;
while ($text =~ /k(\d+)=(\d+)/g) { $sum += $1 * ($2 % 7) }
my @lists = map { [map { "y" x ($_ % 50) } 1 .. 100] } 1 .. $n / 100;
my $bytes = 0;
for my $list (@lists) { $bytes += length for @$list }
print "$sum $bytes ", length $text, "\n";
for my $i (1 .. 4) {
  next if fork;
  my @a = map { "y$_" x ($_ % 40) } 1 .. $n / 10;
  exit(@a == int($n / 10) ? $i : 99);
}
my $codes = 0;
while ((my $p = wait) > 0) { $codes += $? >> 8 }
print "children: $codes\n";
PERL
}

work() { preloaded perl input.pl "$(quantity 150000 20000)"; }
