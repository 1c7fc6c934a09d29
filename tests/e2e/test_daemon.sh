#!/bin/bash
# A daemon that outlives run goes on into its spool; forks that fail leave no child behind.
# TIMEOUT 180
. "$TESTS/e2e/lib.sh"

cat >service.c <<'END'
/* service: becomes a daemon, allocates until the file "go" is there, then 1,000 times more, and leaves "gone". */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
static void churn(int times)
{
    for (int i = 0; i < times; i++)
        free(malloc(20));
}
int main(void)
{
    churn(3);
    if (daemon(1, 0))
        return 9;
    churn(100);
    close(creat("up", 0600));
    for (int i = 0; i < 3000 && access("go", F_OK) != 0; i++)
        usleep(20000);
    churn(1000);
    close(creat("gone", 0600));
    return 0;
}
END
cat >failing.c <<'END'
/* failing: 30 forks that are refused, one that is not. */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
    struct rlimit before, none = {0, 0};
    getrlimit(RLIMIT_NPROC, &before);
    none.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_NPROC, &none);
    for (int i = 0; i < 30; i++) {
        errno = 0;
        if (fork() != -1 || errno != EAGAIN)
            return 9;
        free(malloc(10));
    }
    setrlimit(RLIMIT_NPROC, &before);
    pid_t pid = fork();
    if (pid == 0) {
        free(malloc(10));
        _exit(5);
    }
    int status = 0;
    return waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : 8;
}
END
gcc -o service service.c && gcc -o failing failing.c || fail "gcc"

wait_for() { # file
    for _ in $(seq 1000); do [ -e "$1" ] && return; sleep 0.02; done
    fail "no $1"
}

"$MPROF" run -o service.mprof ./service >out 2>err
assert_eq "status of a program that becomes a daemon" 0 $?
assert_contains "the daemon" "still runs" err
wait_for up
[ -f service.mprof.spool ] || fail "no spool goes on: $(ls)"
assert_at_least "allocations of the daemon so far" 100 "$(json service.mprof children.0.totals.allocations)"
[ -f service.mprof.spool ] || fail "the daemon's spool was taken away: $(ls)"
touch go
wait_for gone
for _ in $(seq 500); do # until it has ended, as the reader sees it
    "$MPROF" report --json service.mprof >report.json 2>err || fail "report: $(cat err)"
    [ -f service.mprof.spool ] || break
    sleep 0.02
done
[ -f service.mprof ] || fail "the recording was not completed: $(ls)"
assert_clean service.mprof
assert_eq "allocations before it became a daemon" 3 "$(json service.mprof totals.allocations)"
assert_eq "allocations of the daemon, after run, too" 1100 "$(json service.mprof children.0.totals.allocations)"

# A user's own limit does not hold for root.
user=()
if [ "$(id -u)" = 0 ]; then
    chmod 777 . && cp "$LIB" "$MPROF" . && chmod 755 libmprof.so mprof-c
    user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    LIB=$PWD/libmprof.so MPROF=$PWD/mprof-c
    "${user[@]}" test -x ./failing || skip "the folder for temporary files is closed to other users"
fi
"${user[@]}" ./failing || [ $? = 5 ] || skip "forks cannot be refused here"
"${user[@]}" env LD_PRELOAD="$LIB" MPROF_OUTPUT=failing.mprof ./failing >out 2>err
assert_eq "status with forks that fail" "5 " "$? $(cat out err)"
"${user[@]}" "$MPROF" run -q -o failingrun.mprof ./failing >out 2>err
assert_eq "status with forks that fail under run" "5 " "$? $(cat out err)"
for name in failing failingrun; do
    assert_clean $name.mprof
    assert_eq "$name: allocations" 30 "$(json $name.mprof totals.allocations)"
    assert_eq "$name: children" 1 "$("$MPROF" report --json $name.mprof | grep -o '"kind": *"fork"' | wc -l)"
    assert_eq "$name: allocations of the child" 1 "$(json $name.mprof children.0.totals.allocations)"
done
