#!/bin/bash
# How functions are bound: lazily, at once, LD_BIND_NOW, not position-independent with malloc's address taken,
# IFUNC resolvers that allocate, and a library whose constructor runs before all others (DF_1_INITFIRST).
# TIMEOUT 240
. "$TESTS/e2e/lib.sh"

# A resolver of the library's own use runs while ld.so relocates it, before us: the three blocks made there are
# the arena's and not recorded; its kept one is once it is grown. The exported one's runs when the program is
# bound to it.
cat >part.c <<'END_OF_PART'
#include <stdlib.h>
#include <string.h>
typedef int function(void);
static void *kept_inside, *kept_outside;
static int seven(void) { return 7; }
static void *makes(void)
{
    char *p = calloc(3, 7), *q = malloc(40);
    p = realloc(p, 5000);
    for (int i = 21; i < 5000; i++)
        p[i] = 1;
    q[39] = p[20];
    free(p);
    return q;
}
static function *resolve_inside(void) { return kept_inside = makes(), seven; }
static function *resolve_outside(void) { return kept_outside = makes(), seven; }
static int inside(void) __attribute__((ifunc("resolve_inside")));
int outside(void) __attribute__((ifunc("resolve_outside")));
int both(void) { return inside(); }
static void grows(void **block)
{
    *block = realloc(*block, 80);
    free(*block);
}
void ends(void)
{
    grows(&kept_inside);
    grows(&kept_outside);
}
static void *kept_first;
__attribute__((constructor)) static void first_of_all(void)
{
    kept_first = malloc(5000);
    free(malloc(6000));
}
__attribute__((destructor)) static void last_of_all(void) { free(kept_first); }
END_OF_PART
cat >program.c <<'END_OF_PROGRAM'
#include <stdio.h>
#include <stdlib.h>
typedef int function(void);
int both(void), outside(void);
void ends(void);
static void *kept;
static int eight(void) { return 8; }
static function *resolve(void) { return kept = malloc(50), eight; }
static int own(void) __attribute__((ifunc("resolve")));
static void *(*volatile by_address)(size_t) = malloc;
static void *(*volatile grow_by_address)(void *, size_t) = realloc;
static void (*volatile free_by_address)(void *) = free;
static void addresses(void)
{
    free_by_address(grow_by_address(by_address(60), 70));
    free(reallocarray(reallocarray(NULL, 3, 3), 5, 5));
}
int main(void)
{
    printf("%d\n", both() + outside() + own());
    addresses();
    ends();
    free(kept);
    return fflush(stdout) ? 1 : 4;
}
END_OF_PROGRAM

figures() { # recording
    "$MPROF" report --json "$1" | /usr/bin/python3 -c '
import json, sys
report = json.load(sys.stdin)
for f in sorted(report["functions"], key=lambda f: f["name"]):
    if f["name"] in ("makes", "grows", "first_of_all", "resolve", "addresses"):
        print(f["name"], f["self"]["allocations"], f["self"]["allocated_bytes"], f["self"]["live_at_end_blocks"])
for key in ("lost", "unmatched_frees", "implied_frees"):
    print(key, report["quality"][key])
'
}
cat >expected <<'END_OF_EXPECTED'
addresses 4 164 0
first_of_all 2 11000 0
grows 2 160 0
makes 3 5061 0
resolve 1 50 0
lost 0
unmatched_frees 0
implied_frees 0
END_OF_EXPECTED

check() { # what, variable=value..
    local what=$1 way
    shift
    rm -f ./*.mprof ./*.spool
    env "$@" ./program >plain.out 2>plain.err
    assert_eq "$what: the program itself" 4 $?
    env "$@" MPROF_OUTPUT=preload.mprof LD_PRELOAD="$LIB" ./program >preload.out 2>preload.err
    assert_eq "$what: preloaded" 4 $?
    env "$@" "$MPROF" run -q -o run.mprof ./program >run.out 2>run.err
    assert_eq "$what: run" 4 $?
    for way in preload run; do
        assert_same "$what, $way: output" plain.out $way.out
        assert_same "$what, $way: errors" plain.err $way.err
        figures $way.mprof >$way.figures
        assert_same "$what, $way: figures" expected $way.figures
    done
}

build() { # library's flags, program's flags
    # shellcheck disable=SC2086 # words
    gcc -g -O0 -D_GNU_SOURCE -fno-builtin -w -shared -fPIC $1 -o libpart.so part.c || fail "the library"
    # shellcheck disable=SC2086
    gcc -g -O0 -D_GNU_SOURCE -fno-builtin -w $2 -o program program.c -Wl,-rpath,"$PWD" ./libpart.so || fail "the program"
}
build "-Wl,-z,lazy" "-Wl,-z,lazy"
check lazy
check "LD_BIND_NOW" LD_BIND_NOW=1
build "-Wl,-z,now" "-Wl,-z,now"
check now
build "-Wl,-z,lazy -Wl,-z,initfirst" "-Wl,-z,lazy -no-pie -fno-pie"
check "not position-independent, initfirst"
build "-Wl,-z,now -Wl,-z,initfirst -Wl,-Bsymbolic" "-Wl,-z,now -no-pie -fno-pie -Wl,-z,norelro"
check "not position-independent, now, initfirst"

# A library finds another by its own RPATH or RUNPATH, which only the caller of dlopen has; lazily and at once.
mkdir beside
cat >leaf.c <<'END_OF_LEAF'
#include <stdlib.h>
void *leaf(void) { return malloc(33); }
END_OF_LEAF
cat >relay.c <<'END_OF_RELAY'
#include <dlfcn.h>
void *relay(int mode) { return dlopen("libleaf.so", mode); }
END_OF_RELAY
cat >opener.c <<'END_OF_OPENER'
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    static const int modes[] = {RTLD_LAZY, RTLD_NOW, RTLD_NOW | RTLD_GLOBAL};
    void *library = dlopen("./beside/librelay.so", RTLD_NOW);
    void *(*relay)(int) = dlsym(library, "relay");
    printf("%d %s\n", dlopen("libleaf.so", RTLD_NOW) != NULL, dlerror());
    for (int i = 0; i < 3; i++) {
        void *part = relay(modes[i]);
        void *(*leaf)(void) = dlsym(part, "leaf");
        free(leaf());
        printf("%d\n", dlclose(part));
    }
    return fflush(stdout) ? 1 : 4;
}
END_OF_OPENER
gcc -g -O0 -w -shared -fPIC -fno-builtin -o beside/libleaf.so leaf.c || fail "the leaf"
gcc -g -O0 -w -o opener opener.c || fail "the opener"
for tags in enable disable; do
    gcc -g -O0 -w -shared -fPIC "-Wl,--$tags-new-dtags,-rpath,\$ORIGIN" -o beside/librelay.so relay.c || fail "the relay"
    rm -f ./*.mprof ./*.spool
    ./opener >plain.out 2>&1
    assert_eq "$tags-new-dtags: the program itself" 4 $?
    preload preload.mprof ./opener >preload.out 2>&1
    assert_eq "$tags-new-dtags: preloaded" 4 $?
    run_as run.mprof ./opener >run.out 2>&1
    assert_eq "$tags-new-dtags: run" 4 $?
    for way in preload run; do
        assert_same "$tags-new-dtags, $way: output" plain.out $way.out
        assert_clean $way.mprof
        assert_eq "$tags-new-dtags, $way: leaf" 3 "$("$MPROF" report --json $way.mprof | /usr/bin/python3 -c '
import json, sys
print(sum(f["self"]["allocations"] for f in json.load(sys.stdin)["functions"] if f["name"] == "leaf"))')"
    done
done

# A weak reference to what is there stays, whatever the library shows besides its hooks.
cat >weak.c <<'END_OF_WEAK'
#include <stdlib.h>
#pragma weak malloc
#pragma weak mmap
void *mmap(void *, size_t, int, int, int, long);
int main(void)
{
    free(calloc(1, 1)); /* the first hooked call */
    return malloc && mmap ? 0 : 1;
}
END_OF_WEAK
gcc -O1 -fno-builtin -o weak weak.c || fail "gcc"
preload weak.mprof ./weak || fail "a weak reference to malloc: status $?"
