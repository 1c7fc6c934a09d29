#!/bin/bash
# Too few files or processes for run: the program runs in its place, with its own status and output; what it records is
# completed by the next command.
. "$TESTS/e2e/lib.sh"

cat >victim.c <<'END'
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    for (int i = 0; i < 30; i++)
        free(malloc(100));
    puts("it ran");
    return 5;
}
END
gcc -o victim victim.c || fail "gcc"

# Its last words on stderr are one sentence; its recording is whole.
assert_ran() { # what, status, recording
    assert_eq "$1: status ($(cat ran.err))" 5 "$2"
    assert_eq "$1: output" "it ran" "$(cat ran.out)"
    assert_eq "$1: lines" 1 "$(grep -c '^mprof-c: ' ran.err)"
    assert_contains "$1" "in place of mprof-c run" ran.err
    assert_eq "$1: frees" 30 "$(json "$3" totals.frees)"
}

for files in 4 5 6; do
    for options in "" --no-children; do
        # shellcheck disable=SC2086
        (ulimit -n $files && exec "$MPROF" run -q $options -o "n$files$options.mprof" ./victim) >ran.out 2>ran.err
        assert_ran "$files files $options" $? "n$files$options.mprof"
    done
done

# Somebody must be there to end it; and nothing is said of what is not there.
for option in "-t 5 ./victim" ./missing; do
    # shellcheck disable=SC2086
    (ulimit -n 5 && exec "$MPROF" run -q -o x.mprof $option) >ran.out 2>ran.err
    [ $? -ge 126 ] || fail "$option: no failure"
    assert_eq "$option: lines" 1 "$(wc -l <ran.err)"
done
[ ! -e x.mprof ] && [ ! -e x.mprof.spool ] || fail "files of what did not run"

# From a folder that is gone, where the recording lies elsewhere.
mkdir gone
(cd gone && rmdir ../gone && exec "$MPROF" run -q -o "$OLDPWD/elsewhere.mprof" "$OLDPWD/victim" >/dev/null)
assert_eq "from a folder that is gone" 5 $?

[ "$(id -u)" = 0 ] || skip "another user's processes need root"
chmod 777 . && mkdir bin && cp "$MPROF" "$LIB" victim bin && chmod -R a+rX bin
touch ran.out ran.err && chmod 666 ran.out ran.err
setpriv --reuid 65534 --regid 65534 --clear-groups bash -c 'ulimit -u 1; exec bin/mprof-c run -q -o alone.mprof ./bin/victim' >ran.out 2>ran.err
assert_ran "one process" $? alone.mprof
