#!/bin/bash
# A program that lets in one advice for madvise, and kills for any other, becomes another program: the recorder
# would die of it there, so it stays away, and run says so.
. "$TESTS/e2e/lib.sh"

"$PROGRAMS/trap_sandbox" /bin/echo hello >plain.out || skip "no seccomp filters here"
preload preload.mprof "$PROGRAMS/trap_sandbox" /bin/echo hello >preload.out 2>preload.err
assert_eq "preload: status" 0 $?
assert_same "preload: output" plain.out preload.out
assert_eq "preload: standard error" "" "$(cat preload.err)"
run_as run.mprof "$PROGRAMS/trap_sandbox" /bin/echo hello >run.out 2>run.err
assert_eq "run: status" 0 $?
assert_same "run: output" plain.out run.out
assert_eq "run: sentences ($(cat run.err))" 1 "$(wc -l <run.err)"
assert_contains "run: why" "a filter of system calls" run.err

# The same of filters that kill for one of the other calls by which the recorder begins.
cat >punish.c <<'END'
/* punish CALL WORD BITS PROGRAM ..: becomes PROGRAM behind a filter that kills for this call where the argument of this
 * number has all of these bits. Files may not grow: so the recorder would remove what it has begun. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
int main(int argc, char **argv)
{
    unsigned call = (unsigned)atoi(argv[1]), word = (unsigned)atoi(argv[2]), bits = (unsigned)atoi(argv[3]);
    struct sock_filter code[] = {
        LOAD(offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4),
        LOAD((unsigned)offsetof(struct seccomp_data, args) + 8 * word),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, bits, 0, 1),
        RETURN(SECCOMP_RET_KILL_PROCESS),
        RETURN(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    struct rlimit none = {0, RLIM_INFINITY};
    if (argc < 5 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        return 3;
    if (call == 87 /* unlink */)
        setrlimit(RLIMIT_FSIZE, &none);
    return execv(argv[4], argv + 4);
}
END
cat >many.c <<'END'
#include <stdlib.h>
#include <unistd.h>
int main(void)
{
    for (int i = 0; i < 60000; i++) /* they fill more than the small chunks of the beginning */
        free(malloc(40));
    return write(1, "done\n", 5) != 5;
}
END
gcc -o punish punish.c && gcc -O0 -o many many.c || fail "gcc"

while read -r name call word bits; do
    out=$(./punish "$call" "$word" "$bits" ./many)
    assert_eq "$name: status and output of a plain run" "0 done" "$? $out"
    for way in preload run_as; do
        out=$($way "$way-$name.mprof" ./punish "$call" "$word" "$bits" ./many 2>err)
        status=$?
        assert_eq "$name, $way: status and output ($(cat err))" "0 done" "$status $out"
        [ "$way" = run_as ] || assert_eq "$name, $way: standard error" "" "$(cat err)"
    done
    if [ "$name" = chroot ]; then
        assert_eq "$name: allocations of the program behind it" 60000 "$(json "preload-$name.mprof.1" totals.allocations)"
    else
        assert_contains "$name: why" "a filter of system calls" err
    fi
done <<'END'
mprotect 10 2 3
fcntl 72 1 1
pipe2 293 1 2048
unlink 87 0 0
mmap 9 3 1
rt_sigprocmask 14 0 0
mincore 27 0 0
fstat 5 0 0
madvise-huge 28 2 14
mremap-fixed 25 3 2
chroot 161 0 0
END
