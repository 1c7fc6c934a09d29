#!/bin/bash
# Clock steps: the wall clock of libfaketime jumps, runs a hundred times too fast or backwards, under a program that
# is recorded. It comes between us and libc, too: the recorder must neither believe it nor be caught in it.
# TIMEOUT 180
. "$TESTS/e2e/lib.sh"

faked=$(ls /usr/lib/*/faketime/libfaketime.so.1 2>/dev/null | head -n 1)
[ -n "$faked" ] || skip "libfaketime is not there"

cat >clocks.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
int main(void)
{
    for (int i = 0; i < 20000; i++) {
        free(malloc(32));
        if (i % 2000 == 0)
            usleep(10000);
    }
    time_t now = time(NULL);
    write(1, ctime(&now) + 20, 5); /* the year */
    return 3;
}
END
gcc -o clocks clocks.c || fail "gcc"

export LC_ALL=C
for fake in '@2000-01-01 00:00:00 x100' '-12y i2.0'; do
    export FAKETIME=$fake
    LD_PRELOAD=$faked ./clocks >plain 2>plain.err
    assert_eq "status with $fake" 3 $?
    n=0
    for preloaded in "$LIB:$faked" "$faked:$LIB"; do
        n=$((n + 1))
        rm -f c.mprof*
        begin=$(env -u FAKETIME date +%s%N)
        MPROF_OUTPUT=c.mprof LD_PRELOAD=$preloaded ./clocks >recorded 2>recorded.err
        assert_eq "$fake, order $n: status" 3 $?
        real=$((($(env -u FAKETIME date +%s%N) - begin) / 1000000))
        assert_same "$fake, order $n: output" plain recorded
        assert_same "$fake, order $n: errors" plain.err recorded.err
        unset FAKETIME
        assert_clean c.mprof
        assert_at_least "$fake, order $n: allocations" 20000 "$(json c.mprof totals.allocations)"
        took=$(json c.mprof duration_s | awk '{ print int($1 * 1000) }')
        assert_at_least "$fake, order $n: it took at most (ms)" "$took" "$real"
        export FAKETIME=$fake
    done
done

# A wall clock that is days ahead of the dates of files while a tree is recorded: the sentence that says why there is nothing is still said.
unset FAKETIME
mkdir full && chmod 777 full
MPROF_LIMIT=1 NO_FAKE_STAT=1 FAKETIME=+5d LD_PRELOAD=$faked "$MPROF" run -o full/x.mprof ./clocks >out 2>err
assert_eq "status without room" 3 $?
assert_contains "the reason" "no space for a spool" err
