#!/bin/bash
# perl: hashes, regular expressions, a child process, an exit status.
# TIMEOUT 120
. "$TESTS/e2e/lib.sh"

cat >work.pl <<'END'
use strict;
use warnings;
my %words;
for my $i (1 .. 20000) {
    my $text = join " ", map { ($i * $_) % 997 } 1 .. 5;
    $words{$_}++ for $text =~ /\d+/g;
}
print scalar(keys %words), "\n";
print sort { $a cmp $b } map { "$_ => $words{$_}\n" } grep { /^9/ } keys %words;
print `echo child`;
print STDERR "to standard error\n";
exit 3;
END
export PERL_HASH_SEED=0
assert_real_program 5000 perl work.pl
assert_eq "exit" '{"code": 3}' "$(json run.mprof exit)"
