#!/bin/bash
# Another root folder, other rights, filters that programs inherit, locked memory, small stacks, a memory limit and the
# OOM killer: the program is as without us, recorded whole where it can be, and where not `run` says why in one sentence.
# TIMEOUT 300
. "$TESTS/e2e/lib.sh"

cat >drop.c <<'END'
/* Gives its rights away, forks on, and starts a program. */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void churn(int times)
{
    for (int i = 0; i < times; i++)
        free(malloc(20));
}
int main(int argc, char **argv)
{
    int status = 0;
    churn(100);
    if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
        return 99;
    churn(20000);
    if (fork() == 0) {
        churn(30000);
        if (fork() == 0) {
            churn(10);
            _exit(0);
        }
        wait(NULL);
        _exit(0);
    }
    wait(&status);
    if (status || system("true") || system(NULL) != 1)
        return 98;
    churn(1000);
    FILE *p = popen("echo popen", "r"); /* allocates */
    char text[20] = "";
    if (!p || !fgets(text, sizeof text, p) || pclose(p))
        return 97;
    write(1, text, 5);
    execv(argv[argc - 1], argv + argc - 1);
    return 96;
}
END
cat >filtered.c <<'END'
/* filtered NUMBER PROGRAM: a filter that kills for one system call, which the program inherits. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    struct sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                                   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)atoi(argv[1]), 0, 1),
                                   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
                                   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (argc < 3 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        return 99;
    execv(argv[2], argv + 2);
    return 98;
}
END
cat >locked.c <<'END'
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
static void *kept[20000];
int main(int argc, char **argv)
{
    char text[40];
    errno = 0;
    int result = mlockall(argc > 1 ? atoi(argv[1]) : 0);
    write(1, text, (size_t)snprintf(text, sizeof text, "%d %d\n", result, errno));
    for (int turn = 0; turn < 10; turn++) {
        for (int i = 0; i < 20000; i++)
            kept[i] = malloc(24);
        for (int i = 0; i < 20000; i++)
            free(kept[i]);
    }
    return 0;
}
END
cat >hog.c <<'END'
/* hog FILE MIB: blocks of 4096, all kept; how many there are stands in the file. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    int fd = argc > 2 ? open(argv[1], O_RDWR | O_CREAT, 0600) : -1;
    if (fd < 0 || ftruncate(fd, 4096))
        return 1;
    volatile unsigned long *count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    for (unsigned long i = 0; i < strtoul(argv[2], NULL, 10) * 256; i++) {
        memset(malloc(4096), 1, 4096);
        *count = i + 1;
        for (int k = 0; k < 50; k++)
            free(malloc(16));
    }
    return 7;
}
END
for program in drop filtered locked hog; do gcc -o $program $program.c || fail "gcc $program"; done

# A filter that forbids what our start does, and not what the program does.
single=$PROGRAMS/single
for call in 25 28 77 157 186 110; do # mremap madvise ftruncate prctl gettid getppid
    ./filtered $call "$single" >plain.out 2>plain.err
    status=$?
    preload filter$call.mprof ./filtered $call "$single" >out 2>err
    assert_eq "system call $call forbidden: status" $status $?
    assert_same "system call $call forbidden: output" plain.out out
    assert_same "system call $call forbidden: standard error" plain.err err
done
"$MPROF" run -q -o filter.mprof ./filtered 25 "$single" >out 2>err
assert_eq "filter under run" "0 done" "$? $(cat out)"
assert_eq "filter: lines of run ($(cat err))" 1 "$(wc -l <err)"
assert_contains "filter" "filter of system calls" err

# A stack of 24 KiB, of which arguments and environment have their part.
(ulimit -s 24 && preload stack.mprof "$single") >out 2>err
assert_eq "status with a small stack" "0 done" "$? $(cat out err)"
assert_eq "allocations with a small stack" 18 "$(json stack.mprof totals.allocations)"

[ "$(id -u)" = 0 ] || skip "other roots, other rights and memory limits need root"
chmod 711 . && mkdir open && chmod 777 open
cp "$LIB" open/ && chmod 644 open/libmprof.so

# Locked memory, with a user's limit of 8 MiB.
for flags in 1 2 3; do
    as_user() { setpriv --reuid=65534 --regid=65534 --clear-groups prlimit --memlock=8388608 "$@"; }
    as_user ./locked $flags >plain.out || fail "mlockall($flags): status $?"
    as_user env LD_PRELOAD="$PWD/open/libmprof.so" MPROF_OUTPUT="$PWD/open/locked$flags.mprof" ./locked $flags >out 2>err
    assert_eq "mlockall($flags): status" "0 " "$? $(cat err)"
    assert_same "mlockall($flags): output" plain.out out
    assert_eq "mlockall($flags): allocations" 200000 "$(json open/locked$flags.mprof totals.allocations)"
    assert_eq "mlockall($flags): lost" 0 "$(json open/locked$flags.mprof quality.lost)"
done

# A program that gives its rights away: it and its children are recorded on; what it becomes could not load a
# library in a folder of root's, and does not hear of it.
mkdir roots && cp "$LIB" "$MPROF" roots/ && chmod 755 roots/* && chmod 700 roots
./drop "$single" >plain.out 2>plain.err || fail "drop: status $?"
LD_PRELOAD=$PWD/roots/libmprof.so MPROF_OUTPUT=drop.mprof ./drop "$single" >out 2>err
assert_eq "rights given away: status" 0 $?
assert_same "rights given away: output" plain.out out
assert_same "rights given away: standard error" plain.err err
roots/mprof-c run -q -o droprun.mprof ./drop "$single" >out 2>err
assert_eq "rights given away under run: status" 0 $?
assert_same "rights given away under run: output" plain.out out
assert_eq "rights given away: lines of run ($(cat err))" 1 "$(wc -l <err)"
assert_contains "rights given away" "could not load the recorder" err
for name in drop droprun; do
    assert_clean $name.mprof
    assert_at_least "$name: allocations" 21100 "$(json $name.mprof totals.allocations)"
    assert_eq "$name: the child" 30000 "$(json $name.mprof children.0.totals.allocations)"
    assert_eq "$name: the child's child" 10 "$(json $name.mprof children.1.totals.allocations)"
done

# The library can be loaded, but the program may not write where the recording lies: what it starts finds no place
# for a spool.
mkdir shown closed && cp "$LIB" "$MPROF" shown/ && chmod 755 shown/* shown closed
shown/mprof-c run -q -o closed/drop.mprof ./drop "$single" >out 2>err
assert_eq "a closed folder: status" 0 $?
assert_same "a closed folder: output" plain.out out
assert_eq "a closed folder: lines of run ($(cat err))" 1 "$(wc -l <err)"
assert_contains "a closed folder" "may not write into the folder of the recording" err
assert_at_least "a closed folder: allocations" 21100 "$(json closed/drop.mprof totals.allocations)"

# Another root folder, without the library: as without us.
mkdir -p root/lib64 root/out
for library in $(ldd "$single" | grep -o '/[^ ]*'); do mkdir -p "root$(dirname "$library")" && cp "$library" "root$library"; done
cp "$single" root/
preload chroot.mprof chroot root /single >out 2>err
assert_eq "chroot: status, output" "0 done" "$? $(cat out err)"
"$MPROF" run -q -o chrootrun.mprof chroot root /single >out 2>err
assert_eq "chroot under run: status" "0 done" "$? $(cat out)"
assert_eq "chroot: lines of run ($(cat err))" 1 "$(wc -l <err)"
assert_contains "chroot" "could not load the recorder" err

# With it, and without /proc: recorded, its command line included.
cp "$LIB" root/
chroot root /lib64/ld-linux-x86-64.so.2 --preload /libmprof.so /single one two >out 2>err
assert_eq "chroot with the library: status" "0 done" "$? $(cat out err)"
env -i MPROF_OUTPUT=/out/set.mprof "$(command -v chroot)" root /lib64/ld-linux-x86-64.so.2 --preload /libmprof.so /single \
    >out 2>err
assert_eq "chroot with a name: status" "0 done" "$? $(cat out err)"
name=$(echo root/mprofile_*.mprof.spool)
assert_eq "chroot: arguments" "one two" "$(json "${name%.spool}" command.1) $(json "${name%.spool}" command.2)"
assert_eq "chroot: allocations" 18 "$(json root/out/set.mprof totals.allocations)"

# Another mount namespace, in which the recording's folder and the library are hidden.
mkdir hidden && cp "$LIB" "$MPROF" hidden/ && chmod 755 hidden/*
unshare -m true 2>/dev/null || skip "mount namespaces are not to be had"
hidden/mprof-c run -q -o hidden/mount.mprof unshare -m sh -c 'mount -t tmpfs none hidden && exec "$0"' "$single" >out 2>err
assert_eq "mount namespace: status" "0 done" "$? $(cat out)"
assert_eq "mount namespace: lines of run ($(cat err))" 1 "$(wc -l <err)"
[ -f hidden/mount.mprof ] || fail "no recording: $(ls hidden)"

# A memory limit that is just enough, and one that is not: the OOM killer takes the program as without us, and
# what it did until then is there.
groups=/sys/fs/cgroup/memory
mkdir $groups/mprof-test.$$ 2>/dev/null && echo 40M >$groups/mprof-test.$$/memory.limit_in_bytes ||
    skip "no memory controller to set a limit with"
trap 'rmdir $groups/mprof-test.$$' EXIT
for way in preload run_as; do
    $way fits_$way.mprof sh -c 'echo $$ >"$0"/tasks; exec "$@"' $groups/mprof-test.$$ ./hog words 25
    assert_eq "$way: status with enough memory" 7 $?
    rm -f words
    ($way dies_$way.mprof sh -c 'echo $$ >"$0"/tasks; exec "$@"' $groups/mprof-test.$$ ./hog words 100) 2>err
    assert_eq "$way: status when memory is short" 137 $?
    counted=$(od -An -tu8 -N8 words | tr -d ' ')
    # The second image of the process is the program.
    assert_eq "$way: command" ./hog "$(json dies_$way.mprof.1 command.0)"
    blocks=$(json dies_$way.mprof.1 totals.live_at_end_blocks)
    assert_at_least "$way: blocks" "$counted" "$blocks"
    assert_at_least "$way: not many more than $counted" "$blocks" $((counted + 2))
    assert_clean dies_$way.mprof.1
done
assert_eq "how it died under run" '{"signal": 9}' "$(json dies_run_as.mprof.1 exit)"
