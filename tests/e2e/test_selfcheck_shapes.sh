#!/bin/bash
# Frames of all shapes (tests/programs/shapes.c) as several compilers write them, a timer striking in them:
# no stack differs from libunwind's.
# TIMEOUT 300
. "$TESTS/e2e/lib.sh"

tried=0
while read -r compiler flags; do
    command -v "$compiler" >/dev/null || continue
    # shellcheck disable=SC2086 # several words
    "$compiler" -std=gnu17 -D_GNU_SOURCE -g $flags -w -o shapes "$TESTS/programs/shapes.c" ||
        fail "$compiler $flags"
    assert_selfchecked shapes.mprof 2 700 0 ./shapes strike
    assert_eq "$compiler $flags: truncated stacks" 0 "$(json shapes.mprof quality.truncated_stacks)"
    echo "    with $compiler $flags"
    rm -f shapes.mprof*
    tried=$((tried + 1))
done <<'END'
gcc -O0
gcc -O3 -fomit-frame-pointer
gcc -Os -fno-asynchronous-unwind-tables -fexceptions
gcc -O2 -flto -flto-partition=none
gcc -O2 -no-pie -fno-pie -mavx2 -fcf-protection=full -fstack-protector-all
clang -O0
clang -O2 -fomit-frame-pointer
clang -O3 -flto
clang -Os -mstackrealign
END
assert_at_least "ways to compile" 5 $tried
