#!/bin/bash
# git: log, then gc and repack, which work in threads and in programs of their own.
# TIMEOUT 150
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
for who in AUTHOR COMMITTER; do
    export GIT_${who}_NAME=A GIT_${who}_EMAIL=a@example.org GIT_${who}_DATE="1700000000 +0000"
done
git config --global init.defaultBranch main
mkdir repository
cd repository || exit 1
git init -q .
for i in $(seq 1 40); do
    seq "$i" $((i + 400)) >numbers
    seq 1 $((i * 20)) >"file$((i % 7))"
    git add .
    git commit -q -m "change $i"
    ((i % 10)) || git tag -a -m "tag $i" "tag$i"
done
git branch side HEAD~5
cd ..

cat >work.sh <<'END_OF_WORK'
packs() { find .git/objects -name '*.pack' | wc -l; }
git log --stat -p
git blame numbers | tail -n 3
git gc -q --prune=now
echo "gc ended with $?"
git count-objects -v | grep -v '^size' # a pack's size depends on which thread is the first
packs
git -c pack.threads=3 repack -a -d -f -q --depth=50
echo "repack ended with $?"
packs
git fsck --strict --no-progress
git merge-base side main
git checkout -q --detach side && git status --short
git show no-such-thing
END_OF_WORK
real_prepare() { cp -r ../repository/. ../work.sh .; }
real_allow=(--program git)
real_program 30000 bash work.sh
# gc starts repack, and repack pack-objects: programs of their own, each with its recording.
for way in preload run; do
    assert_at_least "$way: recordings of git" 15 "$(grep -o 'git\*[0-9]*' $way.quality | cut -c5-)"
done
