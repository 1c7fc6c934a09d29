#!/bin/bash
# gcc -j under make: some forty C files of a real source tree, uClibc-ng, as Debian's package uclibc-source has
# it; its makefiles ask the shell and the compiler a lot. Every process of the tree is a recording of its own.
# TIMEOUT 900
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

source=$(compgen -G '/usr/src/uClibc-ng-*.tar.xz') || skip "there is no package uclibc-source here"
export LC_ALL=C
unset MAKEFLAGS MAKELEVEL MFLAGS
mkdir tree headers
for part in linux asm-generic "$(gcc -print-multiarch)/asm"; do
    ln -s "/usr/include/$part" headers/
done
tar xf "$source" -C tree --strip-components=1
# What is compiled first has the headers made, which takes longest and is nothing but ln.
(
    cd tree && make -s defconfig ARCH=x86_64 &&
        sed -i "s|^KERNEL_HEADERS=.*|KERNEL_HEADERS=\"$real_top/headers\"|" .config && make -s -j2 libm/k_sin.os
) >make.out 2>&1 || fail "make does not work here: $(tail make.out)"

cat >work.sh <<'END_OF_WORK'
make -j2 $(printf '%s\n' libcrypt/{crypt,des,md5}.c libm/e_{a,e,l,p}*.c libm/s_{a,c,e,f}*.c | sed 's/c$/os/')
echo "make ended with $?"
find . -name '*.os' | sort | xargs cksum
make -s libm/no_such_thing.os
END_OF_WORK
real_prepare() { cp -a ../tree/. ../work.sh .; }
real_normal() { sort; } # two compilers at a time say what they have to say in any order
real_allow=(--program make --program gcc --program cc1 --program as)
real_program 500000 bash work.sh
objects=$(find plain -name '*.os' | wc -l)
assert_at_least "objects" 30 "$objects"
for way in preload run; do
    for program in gcc cc1 as; do
        assert_at_least "$way: recordings of $program" "$objects" "$(sed -n "s/.* $program\*\([0-9]*\).*/\1/p" $way.quality)"
    done
done
