#!/bin/bash
# xz with threads, which compress and decompress blocks that the main thread hands them.
# TIMEOUT 120
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

/usr/bin/python3 -c '
for i in range(100000):
    print(i * i % 10007, "lines of text", i)' >text
cat >work.sh <<'END_OF_WORK'
xz -T2 -1 --block-size=512KiB -c text >x.xz || echo "xz ended with $?"
xz -T3 -3 --block-size=1MiB -c text >y.xz || echo "xz ended with $?"
cksum x.xz y.xz
xz -T2 -dc x.xz | cmp - text
xz --robot -l y.xz | grep '^totals'
head -c 100000 x.xz >z.xz
xz -T2 -t z.xz # it is cut
END_OF_WORK
real_prepare() { cp ../work.sh ../text .; }
real_allow=(--program xz)
real_program 3000 bash work.sh
assert_eq "xz's verdict on what is cut" 1 "$(cat plain.status)"
