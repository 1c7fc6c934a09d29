#!/bin/bash
# A file system that a program mounts, runs programs of and unmounts, while `run` collects it: nothing of it is held.
. "$TESTS/e2e/lib.sh"

[ "$(id -u)" = 0 ] || skip "to mount needs root"
mkdir disk
mount -t tmpfs tmpfs disk 2>/dev/null && umount disk || skip "this machine lets nobody mount"
trap 'umount disk 2>/dev/null' EXIT

cat >part.c <<'END'
#include <stdlib.h>
#include <unistd.h>

static void *volatile kept;

void *obtain(void)
{
    return kept = malloc(10);
}

int main(void)
{
    obtain();
    usleep(600000); /* `run` looks at it meanwhile */
    return 0;
}
END
sed 's/int main/int part_main/; s/obtain/library_obtain/' part.c >library.c
printf 'int part_main(void);\nint main(void) { return part_main(); }\n' >user.c

gcc -g -o whole part.c || fail gcc
gcc -g -gsplit-dwarf -dumpbase '' -o split part.c || fail "gcc -gsplit-dwarf"
objcopy --only-keep-debug whole linked.debug && strip -o linked whole &&
    objcopy --add-gnu-debuglink=linked.debug linked || fail objcopy
gcc -g -shared -fPIC -o liblibrary.so library.c && gcc -g -o user user.c -L. -llibrary -Wl,-rpath,'$ORIGIN' ||
    fail "gcc -shared"

# The program in the mounted folder, its name that must be found.
check() { # program, function
    cat >script.sh <<END
#!/bin/sh
mount -t tmpfs tmpfs disk && cp whole split linked linked.debug user liblibrary.so ./*.dwo disk || exit 5
cd disk && ./$1 || exit 6
cd ..
umount disk || exit 9
sleep 0.2
exit 7
END
    chmod +x script.sh
    "$MPROF" run -q -o "$1.mprof" -- ./script.sh 2>err
    local status=$?
    assert_eq "$1: status ($(cat err))" 7 $status
    ! mountpoint -q disk || fail "$1: still mounted"
    for each in "$1".mprof.[0-9]*; do
        [ "$(json "$each" command.0)" != "./$1" ] || break
    done
    "$MPROF" report --json "$each" >report.json || fail "$1: report"
    assert_contains "$1: $each" "\"name\": \"$2\"" report.json
    assert_eq "$1: frames without a name" 0 "$(json "$each" quality.unresolved_frames)"
}

check whole obtain
check linked obtain
check split obtain
check user library_obtain
