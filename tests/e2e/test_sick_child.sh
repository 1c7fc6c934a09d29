#!/bin/bash
# One recording of a family that cannot be collected, or goes bad meanwhile: `run` passes the program's status through,
# says one sentence about it, keeps its spool where there is one, and completes all the others.
. "$TESTS/e2e/lib.sh"

victim=$PROGRAMS/recursion # 110 allocations

count_whole() {
    local whole=0 each
    for each in family.mprof.[0-9]*; do
        case $each in *.part | *.spool) continue ;; esac
        [ -f "$each" ] && [ "$(json "$each" totals.allocations 2>/dev/null)" = 110 ] && whole=$((whole + 1))
    done
    echo $whole
}

# The family is a shell, and three times the victim; WAY is done behind the first one. Then the recording of the second one
# of them, and the third's, are whole.
check_way() { # what, lines on standard error, way
    local status
    rm -rf family*
    printf '#!/bin/sh\n%s\nsleep 0.1\n%s\n%s\n%s\nexit 7\n' "$victim" "$3" "$victim" "$victim" >family.sh
    chmod +x family.sh
    [ -z "${4:-}" ] || eval "$4"
    "$MPROF" run -q -o family.mprof -- ./family.sh >out 2>err
    status=$?
    assert_eq "$1: status ($(cat err))" 7 $status
    assert_eq "$1: sentences ($(cat err))" "$2" "$(grep -c '^mprof-c: ' err)"
    assert_eq "$1: other lines ($(cat err))" "" "$(grep -v '^mprof-c: ' err)"
    assert_at_least "$1: whole recordings of the others ($(ls))" 2 "$(count_whole)"
    [ -f family.mprof ] || fail "$1: no recording of the root: $(ls)"
}

# Its capture cannot be written: something has its name.
check_way "a folder has the capture's name" 1 : 'mkdir -p family.mprof.1.part/full'
assert_contains "which, and where it stays" "family.mprof.1.spool" err
[ -f family.mprof.1.spool ] || fail "the spool is gone: $(ls)"
rm -r family.mprof.1.part
assert_eq "completed later" 110 "$(json family.mprof.1 totals.allocations)"

# Its spool is emptied, cut, overwritten or removed while it is collected, or when it has been.
spools='$(ls family.mprof.[0-9]*.spool 2>/dev/null)'
check_way "an emptied spool" 0 "for s in $spools; do : >\$s; done"
check_way "a removed spool" 0 "rm -f $spools"

# A removed spool's name is free, and the next process takes it. That one's recording is another, whatever `run` was about
# to do with the first, and none takes the other's place. (The loops start no program, which would take the name itself.)
check_name_taken() { # what, whole recordings, lines of the family
    local status
    rm -rf family* gate
    mkfifo gate
    printf '#!/bin/sh\n%s\nwait\nexit 7\n' "$3" >family.sh
    chmod +x family.sh
    "$MPROF" run -q -o family.mprof -- ./family.sh >out 2>err
    status=$?
    assert_eq "$1: status ($(cat err))" 7 $status
    assert_eq "$1: standard error" "" "$(cat err)"
    assert_eq "$1: whole recordings ($(ls))" "$2" "$(count_whole)"
    assert_eq "$1: left open" "" "$(ls | grep -E '[.](part|spool)$')"
}

check_name_taken "gone before it was looked at" 1 "kill -STOP \$PPID
$victim
rm -f family.mprof.1.spool
kill -CONT \$PPID
until [ -f family.mprof.2 ]; do :; done
$victim"

check_name_taken "while it is collected" 2 "cat gate &
until [ -f family.mprof.1.part ]; do :; done
rm -f family.mprof.1.spool
$victim
$victim
echo >gate"
assert_eq "whose recording has the name" cat "$(json family.mprof.1 command.0)"
assert_eq "the other's" 110 "$(json family.mprof.1.1 totals.allocations)"

check_name_taken "the first process's own" 2 "until [ -f family.mprof.part ]; do :; done
rm -f family.mprof.spool
$victim
$victim"
assert_eq "whose recording has the first process's name" ./family.sh "$(json family.mprof command.1)"

# A recording that has lost its name takes none whose spool is there: that one will want it, if only at the next command.
rm -rf family* gate
mkfifo gate
cat >family.sh <<END
#!/bin/sh
until [ -f family.mprof.part ]; do :; done
rm -f family.mprof.spool # rm's own is family.mprof.1
$victim
cat gate >/dev/null 2>&1 &
until [ -f family.mprof.2.spool ]; do :; done
exit 7
END
chmod +x family.sh
"$MPROF" run -q -o family.mprof -- ./family.sh >out 2>err
status=$?
assert_eq "another's name: status ($(cat err))" 7 $status
assert_eq "another's name: sentences" "mprof-c: 1 process still runs and goes on recording into family.mprof.2.spool" "$(cat err)"
echo >gate
for _ in $(seq 200); do
    [ "$("$MPROF" report --json family.mprof.2 2>said | json_of running 2>/dev/null)" = false ] && break
    sleep 0.1
done
assert_eq "whose it is ($(cat said))" cat "$(json family.mprof.2 command.0)"
assert_eq "the victim's" 1 "$(count_whole)"

# The same of a process that still records: it dies of it, as it would of any file of its own, and `run` does not.
cat >cutter.c <<'END'
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

/* Allocates until its spool is known to be collected, and empties it. */
int main(void)
{
    glob_t found;
    for (int i = 0; i < 3000000; i++)
        free(malloc(10));
    if (glob("family.mprof.[0-9]*.spool", 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            truncate(found.gl_pathv[i], 0);
    for (int i = 0; i < 3000000; i++)
        free(malloc(10));
    return 0;
}
END
gcc -O0 -o cutter cutter.c || fail gcc
ulimit -c 0
rm -rf family*
printf '#!/bin/sh\n%s\n./cutter 2>/dev/null\n%s\nexit 7\n' "$victim" "$victim" >family.sh
chmod +x family.sh
"$MPROF" run -q -o family.mprof -- ./family.sh >out 2>err
status=$?
assert_eq "a spool emptied by its own program: status ($(cat err))" 7 $status
[ -f family.mprof ] || fail "no recording of the root: $(ls)"
