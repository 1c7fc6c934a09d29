#!/bin/bash
# Where a recording is written: file systems without shared mappings or fallocate, of unknown size, in layers,
# read-only; a folder that has vanished. The program (guest: 50,004 allocations) is as without us everywhere;
# it is recorded whole, or `run` says in one sentence why not, and plain preload says nothing.
# TIMEOUT 300
. "$TESTS/e2e/lib.sh"

[ "$(id -u)" = 0 ] || skip "file systems need root to be mounted"
mkdir mnt
mount -t tmpfs none mnt 2>/dev/null || skip "file systems need the right to mount"
umount mnt
trap 'umount -l mnt 2>/dev/null' EXIT
"$PROGRAMS/guest" >plain.out || fail "guest"

assert_as_plain() { # what, status
    assert_eq "$1: status ($(cat out err))" 0 "$2"
    assert_same "$1: output" plain.out out
}

assert_recorded_in() { # kind, folder
    preload "$PWD/$2/a.mprof" "$PROGRAMS/guest" >out 2>err
    assert_as_plain "$1" $?
    assert_eq "$1: standard error" "" "$(cat err)"
    run_as "$2/b.mprof" "$PROGRAMS/guest" >out 2>err
    assert_as_plain "$1, run" $?
    assert_eq "$1: standard error of run" "" "$(cat err)"
    local name
    for name in a b; do
        assert_clean "$2/$name.mprof"
        assert_eq "$1: allocations" 50004 "$(json "$2/$name.mprof" totals.allocations)"
    done
    rm -f "$2"/*.mprof
}

assert_not_recorded_in() { # kind, folder, the reason
    preload "$PWD/$2/a.mprof" "$PROGRAMS/guest" >out 2>err
    assert_as_plain "$1" $?
    assert_eq "$1: standard error" "" "$(cat err)"
    "$MPROF" run -q -o "$2/b.mprof" "$PROGRAMS/guest" >out 2>err
    assert_as_plain "$1, run" $?
    assert_eq "$1: lines of run: $(cat err)" 1 "$(wc -l <err)"
    assert_contains "$1" "$3" err
    assert_eq "$1: what run leaves" "" "$(find "$2" -name 'b.mprof*')"
}

# Memory without a size, without fallocate.
mount -t ramfs none mnt && assert_recorded_in ramfs mnt && umount mnt
# Layers, as containers have them.
mkdir lower upper work
mount -t overlay none -o lowerdir=lower,upperdir=upper,workdir=work mnt && assert_recorded_in overlay mnt && umount mnt
# ext2: no fallocate.
truncate -s 300M image
if /sbin/mkfs.ext2 -q image 2>/dev/null && mount -o loop image mnt 2>/dev/null; then
    assert_recorded_in ext2 mnt
    umount mnt
fi
rm -f image

# Pages of 2 MiB, and no write: not even the reason can be left there.
if mount -t hugetlbfs none mnt 2>/dev/null; then
    assert_not_recorded_in hugetlbfs mnt "nothing was recorded"
    assert_eq "files on hugetlbfs" "" "$(ls mnt)"
    umount mnt
fi

# No shared mappings: the reason is told by run, and by whoever looks at what preload left.
gcc -D_FILE_OFFSET_BITS=64 -o fuse_memory "$TESTS/e2e/fuse_memory.c" -lfuse3 || fail "gcc"
./fuse_memory -f -s mnt >fuse.out 2>&1 &
for _ in $(seq 100); do mountpoint -q mnt && break; sleep 0.1; done
if mountpoint -q mnt; then
    assert_not_recorded_in fuse mnt "no shared mappings"
    "$MPROF" report mnt/a.mprof >out 2>err
    assert_contains "what is left on fuse" "no shared mappings" err
    umount mnt
    wait
elif [ -c /dev/fuse ]; then
    fail "no FUSE: $(cat fuse.out)"
fi

# Read-only.
mount -t tmpfs -o ro none mnt
preload "$PWD/mnt/a.mprof" "$PROGRAMS/guest" >out 2>err
assert_as_plain "read-only" $?
assert_eq "read-only: standard error" "" "$(cat err)"
(cd mnt && LD_PRELOAD=$LIB "$PROGRAMS/guest") >out 2>err
assert_as_plain "in a read-only folder" $?
assert_refused 1 "$MPROF" run -o mnt/b.mprof "$PROGRAMS/guest"
assert_contains "a read-only folder" "Read-only" refused.err
umount mnt

# A folder that is gone: nothing is written anywhere else.
before=$(ls -A /)
mkdir gone && cd gone && rmdir ../gone || fail "cd"
LD_PRELOAD=$LIB "$PROGRAMS/guest" >../out 2>../err
status=$?
assert_eq "in a vanished folder: a name without a folder" 0 "$(MPROF_OUTPUT=x LD_PRELOAD=$LIB "$PROGRAMS/guest" >/dev/null 2>&1; echo $?)"
preload "$OLDPWD/far.mprof" "$PROGRAMS/guest" >/dev/null || fail "status $? in a vanished folder"
run_as "$OLDPWD/run.mprof" "$PROGRAMS/guest" >/dev/null || fail "status $? of run in a vanished folder"
"$MPROF" run "$PROGRAMS/guest" >../out.run 2>../err.run
assert_eq "status of run without a folder" 1 $?
cd "$OLDPWD" || fail "cd back"
assert_as_plain "in a vanished folder" $status
assert_eq "in a vanished folder: standard error" "" "$(cat err)"
assert_eq "run in a vanished folder: $(cat err.run)" 1 "$(wc -l <err.run)"
assert_eq "files in the root folder" "$before" "$(ls -A /)"
assert_eq "recorded elsewhere" 50004 "$(json far.mprof totals.allocations)"
assert_eq "recorded elsewhere by run" 50004 "$(json run.mprof totals.allocations)"

# A folder that goes while the program runs: the spool is in no folder any more, the program does not care.
mkdir going
preload "$PWD/going/a.mprof" sh -c 'rm -rf going; "$0"; "$0"' "$PROGRAMS/guest" >out 2>err
assert_eq "a folder that goes: status" 0 $?
assert_eq "a folder that goes: output" "$(cat plain.out plain.out)" "$(cat out err)"
