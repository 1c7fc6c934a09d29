#!/bin/bash
# git log and git repack (which works in threads and child processes).
# TIMEOUT 120
. "$TESTS/e2e/lib.sh"

export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
for who in AUTHOR COMMITTER; do
    export GIT_${who}_NAME=A GIT_${who}_EMAIL=a@example.org GIT_${who}_DATE="1700000000 +0000"
done
mkdir repository
cd repository || exit 1
git init -q .
for i in $(seq 1 40); do
    seq "$i" $((i + 400)) >numbers
    seq 1 $((i * 20)) >"file$((i % 7))"
    git add .
    git commit -q -m "change $i"
done
cd ..

assert_real_program 1000 git -C repository log --stat -p

for way in preload run; do
    cp -r repository $way
    if [ $way = preload ]; then
        preload repack.$way.mprof git -C $way repack -a -d -f -q
    else
        run_as repack.$way.mprof git -C $way repack -a -d -f -q
    fi
    assert_eq "$way: git repack" 0 $?
    assert_clean repack.$way.mprof
    assert_at_least "$way: allocations of git repack" 50 "$(json repack.$way.mprof totals.allocations)"
    git -C $way fsck --strict 2>fsck.err || fail "$way: git fsck: $(cat fsck.err)"
    assert_eq "$way: packs" 1 "$(find $way/.git/objects/pack -name '*.pack' | wc -l)"
done
# pack-objects is a program of its own that git started: a recording of its own.
assert_at_least "recordings of the children" 1 "$(json repack.run.mprof children | grep -o '"exec"' | wc -l)"
