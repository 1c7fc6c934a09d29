#!/bin/bash
# A whole compilation: the driver and its children cc1, as, collect2, ld. Each is a recording; the
# driver's is the root.
# TIMEOUT 200
. "$TESTS/e2e/lib.sh"

/usr/bin/python3 - >many.c <<'END'
print("#include <stdio.h>\n#include <string.h>")
for i in range(300):
    print(f"static int f{i}(int a,int b){{int s=0;for(int i=0;i<a;i++){{s+=i*b^{i};if(s%7==3)s-=b;else s^=a<<{i%8};}}return s;}}")
print("int main(void){int s=0;")
for i in range(300):
    print(f"s+=f{i}(s,{i});")
print('printf("%d\\n",s);return 0;}')
END
gcc -O1 -o plain many.c || fail "gcc does not work here"

mkdir preload run
preload preload/gcc.%p.mprof gcc -O1 -o preload/program many.c || fail "preload: exit status $?"
run_as run/gcc.mprof gcc -O1 -o run/program many.c || fail "run: exit status $?"
for way in preload run; do
    assert_same "$way: the program made" plain $way/program
done
assert_clean run/gcc.mprof
assert_plots run/gcc.mprof
assert_at_least "children of gcc" 3 "$(json run/gcc.mprof children | grep -o '"exec"' | wc -l)"

count=0 biggest=0
for spool in preload/*.spool; do
    name=${spool%.spool}
    assert_clean "$name"
    allocations=$(json "$name" totals.allocations)
    [ "$allocations" -gt $biggest ] && biggest=$allocations
    count=$((count + 1))
done
assert_at_least "recordings" 4 $count
assert_at_least "allocations of cc1" 100000 $biggest
