#!/bin/bash
# perl: hashes, regular expressions, interpreter threads, forked children, a program of its own, an exit status.
# TIMEOUT 120
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

cat >work.pl <<'END'
use strict;
use warnings;
use Config;
my %words;
for my $i (1 .. 20000) {
    my $text = join " ", map { ($i * $_) % 997 } 1 .. 5;
    $words{$_}++ for $text =~ /\d+/g;
}
print scalar(keys %words), "\n";
print sort { $a cmp $b } map { "$_ => $words{$_}\n" } grep { /^9/ } keys %words;
if ($Config{useithreads}) {
    require threads;
    my @threads = map { my $n = $_; threads->create(sub { my @l = map { "x" x ($_ % 60) } 1 .. 5000; return @l + $n; }) } 1 .. 4;
    print join(" ", map { $_->join } @threads), "\n";
}
$| = 1;
for my $i (1 .. 3) {
    my $pid = open(my $child, "-|") // die;
    if (!$pid) {
        my %h = map { $_ => [ 1 .. 5 ] } 1 .. 2000;
        print scalar(keys %h), "\n";
        exit $i;
    }
    print "child says ", <$child>;
    close $child;
    print "status ", $? >> 8, "\n";
}
local $SIG{ALRM} = sub { die "alarm\n" };
eval { alarm 1; my @l; while (1) { push @l, "y" x 10; @l = () if @l > 1000; } };
print "interrupted: $@";
print `echo child; true`;
print STDERR "to standard error\n";
exit 3;
END
real_prepare() { cp ../work.pl .; }
export PERL_HASH_SEED=0
real_allow=(--program perl --program sh --forks 3)
real_program 200000 perl work.pl
assert_eq "exit" '{"code": 3}' "$(json run.rec/real.mprof exit)"
