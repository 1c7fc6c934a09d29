#!/bin/bash
# The manual pages and the completion in the tree are what the program's own tables say; completion works.
. "$TESTS/e2e/lib.sh"

top=$TESTS/..
"$MPROF" help --manual >manual || fail "help --manual"
"$MPROF" help --library-manual >library || fail "help --library-manual"
"$MPROF" help --completion >completion || fail "help --completion"
assert_same "doc/mprof-c.1 (make it again: mprof-c help --manual)" manual "$top/doc/mprof-c.1"
assert_same "doc/libmprof.7 (make it again: mprof-c help --library-manual)" library "$top/doc/libmprof.7"
assert_same "scripts/mprof-c.bash (make it again: mprof-c help --completion)" completion "$top/scripts/mprof-c.bash"

# shellcheck source=/dev/null
. ./completion
complete_line() { # words.. ; the last one is being completed
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _mprof_c 2>/dev/null # compopt complains outside of a completion
    printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' '
}
assert_eq "commands" "rm run " "$(complete_line mprof-c r | tr ' ' '\n' | grep -v report | grep . | tr '\n' ' ')"
assert_eq "options" "--slope " "$(complete_line mprof-c plot --sl)"
assert_eq "keys" "peak " "$(complete_line mprof-c report --sort pe)"
assert_eq "help" "leaks " "$(complete_line mprof-c help le)"
: >one.mprof
: >two.mprof.spool
: >notes.txt
assert_eq "recordings" "one.mprof two.mprof " "$(complete_line mprof-c report '')"
