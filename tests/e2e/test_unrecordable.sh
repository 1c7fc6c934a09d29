#!/bin/bash
# Programs that no library can record: static, static-pie, musl, 32 bits, privileged; as themselves, as the
# interpreter of a script, and as children of a recorded program. `run` says why and runs them all the same,
# plain preload leaves them alone; output, status and errors are those of a plain run.
# TIMEOUT 240
. "$TESTS/e2e/lib.sh"

cat >victim.c <<'END_OF_VICTIM'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int count, char **arguments)
{
    char *made = realloc(calloc(10, 10), 5000), *copy = strdup(arguments[count - 1]);
    void *aligned = NULL;
    if (posix_memalign(&aligned, 64, 100) || !aligned_alloc(64, 128))
        return 1;
    memset(made, 1, 5000);
    free(made), free(copy), free(aligned);
    puts("it ran");
    fputs("and said so\n", stderr);
    return 5;
}
END_OF_VICTIM
chmod 777 .

# The rest, plain, preloaded and by run; one sentence with the word.
assert_left_alone() { # what, word, command..
    local what=$1 word=$2 status got
    shift 2
    "$@" >plain.out 2>plain.err
    status=$?
    rm -f ./*.mprof ./*.spool
    env MPROF_OUTPUT=preload.mprof LD_PRELOAD="$LIB" "$@" >preload.out 2>preload.err
    got=$?
    assert_eq "$what, preloaded: status ($(cat preload.err))" $status $got
    assert_same "$what, preloaded: output" plain.out preload.out
    assert_same "$what, preloaded: errors" plain.err preload.err
    "$MPROF" run -q -o run.mprof -- "$@" >run.out 2>run.all
    assert_eq "$what, run: status" $status $?
    assert_same "$what, run: output" plain.out run.out
    grep -v '^mprof-c: ' run.all >run.err
    assert_same "$what, run: errors" plain.err run.err
    assert_eq "$what: sentences ($(cat run.all))" 1 "$(grep -c '^mprof-c: ' run.all)"
    grep '^mprof-c: ' run.all | grep -q -- "$word" || fail "$what: no '$word' in: $(cat run.all)"
}

build() { # name, compiler and flags..
    local name=$1
    shift
    "$@" -w -o "$name" victim.c || fail "cannot build $name"
}
build dynamic gcc
build static gcc -static
build static-pie gcc -static-pie
build musl musl-gcc
build musl-static musl-gcc -static
assert_left_alone static "is statically linked" ./static
assert_left_alone static-pie "is statically linked" ./static-pie
assert_left_alone musl-static "is statically linked" ./musl-static
assert_left_alone musl "C library musl" ./musl
[ ! -e preload.mprof.spool ] || fail "musl: a spool was made"

# 32 bits; it needs no library of them, as nobody but the kernel starts it.
cat >small.c <<'END_OF_SMALL'
static int call(int number, int a, const char *b, int c)
{
    __asm__ volatile("int $0x80" : "+a"(number) : "b"(a), "c"(b), "d"(c) : "memory");
    return number;
}
void _start(void)
{
    call(4, 1, "it ran\n", 7);
    call(1, 5, 0, 0);
}
END_OF_SMALL
gcc -m32 -O1 -static -nostdlib -fno-pie -no-pie -o small small.c || fail "cannot build for 32 bits"
# Where the kernel starts none the status is 126, in all ways; mprof-c says that, too.
./small >small.out 2>/dev/null
if [ $? = 5 ]; then
    assert_left_alone small "another kind of processor" ./small
else
    "$MPROF" run -q ./small >run.out 2>run.err
    assert_eq "32 bits: status" 126 $?
    assert_contains "32 bits" "another kind of processor" run.err
fi

# Scripts are judged by their interpreter; what a static shell starts is recorded.
busybox=$(command -v busybox)
printf '#!%s sh\necho it ran\nexit 5\n' "$busybox" >script
printf '#!%s/script with an argument\n' "$PWD" >script-of-script
chmod 755 script script-of-script
assert_left_alone script "busybox: is statically linked" ./script
assert_left_alone script-of-script "busybox: is statically linked" ./script-of-script
printf '#!%s sh\n./dynamic; echo $?\n' "$busybox" >script
assert_left_alone starter "is statically linked" ./script
grep -q '^5$' run.out || fail "the script's own output: $(cat run.out)"
assert_eq "what the static shell started" ./dynamic "$(json run.mprof command.0)"

# Children of a recorded program: each runs as ever, it and the recordable ones are recorded.
printf './static; ./musl; ./musl-static; ./dynamic; echo $?\n' >children
bash children >plain.out 2>plain.err
run_as tree.mprof bash children >run.out 2>run.err || fail "children: status $?"
assert_same "children, run: output" plain.out run.out
assert_same "children, run: errors" plain.err run.err
preload pre.mprof bash children >preload.out 2>preload.err || fail "children: status $?"
assert_same "children, preloaded: output" plain.out preload.out
assert_same "children, preloaded: errors" plain.err preload.err
for name in tree.mprof.1 pre.mprof.1; do
    assert_eq "the recordable child" ./dynamic "$(json $name command.0)"
done

[ "$(id -u)" = 0 ] || skip "privileged programs need root to be made; the rest passed"
# As somebody else, as root is never given what it has; from a folder that he can get to.
cp -r "$(dirname "$MPROF")/mprof-c" "$LIB" . && chmod 755 mprof-c libmprof.so
MPROF=$PWD/mprof-c LIB=$PWD/libmprof.so
cp dynamic setuid && chmod 4755 setuid
cp dynamic setgid && chmod 2755 setgid
cp dynamic capable && chmod 755 capable && setcap cap_net_raw+ep capable || skip "capabilities cannot be set here"
as_nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
cp dynamic own && chown 65534:65534 own && chmod 4755 own
for kind in setuid setgid capable; do
    for way in plain preload run; do
        case $way in
        plain) $as_nobody ./$kind >plain.out 2>plain.err ;;
        preload) $as_nobody env MPROF_OUTPUT=$kind.mprof LD_PRELOAD="$LIB" ./$kind >preload.out 2>preload.err ;;
        run) $as_nobody "$MPROF" run -q -o $kind.mprof ./$kind >run.out 2>run.err ;;
        esac
        assert_eq "$kind, $way: status" 5 $?
        assert_same "$kind, $way: output" plain.out $way.out
    done
    assert_same "$kind: errors preloaded" plain.err preload.err
    grep -q "so the system preloads nothing" run.err || fail "$kind: no reason in: $(cat run.err)"
    assert_eq "$kind: sentences" 1 "$(grep -c '^mprof-c: ' run.err)"
    ls $kind.mprof* 2>/dev/null && fail "$kind was recorded"
done
# A setuid program of one's own has no privilege.
$as_nobody "$MPROF" run -q -o own.mprof ./own >run.out 2>run.err
assert_eq "own: status" 5 $?
assert_same "own: output" plain.out run.out
assert_same "own: errors" plain.err run.err
assert_at_least "own: allocations" 5 "$(json own.mprof totals.allocations)"
exit 0
