#!/bin/bash
# Programs that cannot be started, and those that run but cannot be recorded: static, setuid, ASan.
. "$TESTS/e2e/lib.sh"

assert_refused 127 "$MPROF" run ./missing
assert_refused 127 "$MPROF" run -o x.mprof -- no-such-program-anywhere with arguments
echo 'no program' >text
assert_refused 126 "$MPROF" run ./text
chmod 755 text
printf '\177ELF but no more' >text
assert_refused 126 "$MPROF" run ./text
assert_refused 126 "$MPROF" run .
assert_eq "files left" "refused.err refused.out text" "$(find . -type f -printf '%f\n' | sort | tr '\n' ' ' | sed 's/ $//')"

cat >victim.c <<'END'
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    free(malloc(100));
    puts("it ran");
    return 5;
}
END

# It runs, with its own output and status, and one sentence says why nothing was recorded.
assert_runs_unrecorded() { # what, word in the sentence, program
    local what=$1 word=$2
    shift 2
    "$MPROF" run -o "$what.mprof" "$@" >ran.out 2>ran.err
    assert_eq "$what: status" 5 $?
    assert_eq "$what: output" "it ran" "$(cat ran.out)"
    assert_eq "$what: lines ($(cat ran.err))" 1 "$(grep -c '^mprof-c: ' ran.err)"
    assert_contains "$what" "$word" ran.err
}

gcc -static -o static victim.c 2>/dev/null && assert_runs_unrecorded static static ./static
gcc -fsanitize=address -o asan victim.c 2>/dev/null && assert_runs_unrecorded asan anitizer ./asan

[ "$(id -u)" = 0 ] || skip "a setuid program needs root to be made"
gcc -o setuid victim.c || fail "gcc"
chown nobody setuid
chmod 4755 setuid
chmod 777 .
assert_runs_unrecorded setuid setuid ./setuid
