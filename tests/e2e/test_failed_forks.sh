#!/bin/bash
# Forks that failed have entries in a spool, but nobody ever ran there: no view names them, wherever the process that
# tried is recorded, and whether that was collected yet.
. "$TESTS/e2e/lib.sh"

cat >failing.c <<'END'
/* failing: execs itself as a child, "failing 1", and waits for it. That one forks one process that works, tries a fork
 * in vain, has the first one fork another, and tries in vain three times more. It writes its pid. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int refuse_forks(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void expect(int yes)
{
    if (!yes)
        _exit(9);
}

/* Forks once it is told to. */
static void forked(int from)
{
    char byte;
    free(malloc(10));
    expect(read(from, &byte, 1) == 1);
    if (fork() == 0) {
        free(malloc(20));
        _exit(0);
    }
    wait(NULL);
    _exit(0);
}

static void execed(void)
{
    int way[2];
    expect(pipe(way) == 0);
    if (fork() == 0)
        forked(way[0]);
    expect(refuse_forks() == 0 && fork() < 0 && write(way[1], "", 1) == 1 && wait(NULL) > 0);
    for (int i = 0; i < 3; i++)
        expect(fork() < 0);
    char text[16];
    expect(write(1, text, (size_t)sprintf(text, "%d\n", getpid())) > 0);
}

int main(int argc, char **argv)
{
    int status = 0;
    free(malloc(30));
    if (argc > 1)
        execed();
    else if (fork() == 0)
        return execl(argv[0], argv[0], "1", NULL);
    else
        wait(&status);
    return status != 0;
}
END
gcc -o failing failing.c || fail "gcc"

# Kinds of the children, and whether each has a pid.
cat >children.py <<'END'
import json, sys
for child in json.load(sys.stdin)["children"]:
    print(child["kind"], child["pid"] != 0)
END

MPROF_OUTPUT=$PWD/root.mprof LD_PRELOAD=$LIB ./failing >out 2>err || fail "the program: $? $(cat out err)"
pid=$(cat out)
[ -e root.mprof.1.spool ] || fail "no spool of the exec'd process: $(ls)"
# By the head of the spool first; then by those of the captures that came of it.
for time in uncollected collected; do
    "$MPROF" report --json --pid "$pid" root.mprof >report.json 2>err || fail "$time: report: $(cat err)"
    assert_eq "$time: children of the exec'd process" "fork True fork True " \
        "$(/usr/bin/python3 children.py <report.json | tr '\n' ' ')"
    "$MPROF" report --pid "$pid" root.mprof >report.txt || fail "$time: report as text"
    grep -q '^ *0 failing' report.txt && fail "$time: a process 0 is in the report: $(cat report.txt)"
done

# An entry that no recorder leaves so far behind the others is not believed, but the head names it.
MPROF_OUTPUT=$PWD/damaged.mprof LD_PRELOAD=$LIB ./failing >out || fail "the program: $?"
/usr/bin/python3 - <<'END' || fail "the spool cannot be changed"
import struct
with open("damaged.mprof.1.spool", "r+b") as spool:
    spool.seek(176)
    offset, entry_bytes, capacity = struct.unpack("<QII", spool.read(16))
    serial = 5000
    assert serial < capacity
    spool.seek(offset + serial * entry_bytes)
    spool.write(struct.pack("<IIIi", 1, 0, 0, 77777777))
    spool.seek(4096 + 8)
    spool.write(struct.pack("<I", serial + 1))
END
assert_refused 1 "$MPROF" report --pid 77777777 damaged.mprof
assert_contains "what is refused" 77777777 refused.err
