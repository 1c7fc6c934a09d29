#!/bin/bash
# Other libraries at the same place: allocators and a wrapper around malloc before and behind the recorder,
# libfaketime, an auditor; and allocators that are linked into the program. The program does what it does
# without us; where malloc comes to the recorder its functions have the figures of a plain glibc run.
# TIMEOUT 400
. "$TESTS/e2e/lib.sh"
not_sanitized "wrappers of malloc that are preloaded into it see blocks of its sanitizer's"
PROGRAM=$PROGRAMS/allocators

library() { # name; prints where it is
    local path
    path=$(gcc -print-file-name="$1")
    [ -e "$path" ] || fail "$1 is not there"
    readlink -f "$path"
}

# Allocations and live blocks of the functions whose figures are known; a wrapper's bytes are its own.
figures() { # recording
    "$MPROF" report --json "$1" | /usr/bin/python3 -c '
import json, sys
report = json.load(sys.stdin)
for f in sorted(report["functions"], key=lambda f: f["name"]):
    if f["name"] in ("forms", "at_once", "keep"):
        print(f["name"], f["inclusive"]["allocations"], f["inclusive"]["live_at_end_blocks"])
for key in ("lost", "unmatched_frees", "implied_frees"):
    print(key, report["quality"][key])
'
}

# Runs the program with libraries to be preloaded (OURS: the recorder), plain and by run.
record() { # what, libraries, variable=value..
    local what=$1 libraries=$2 got
    shift 2
    rm -f ./*.mprof ./*.spool
    env "$@" LD_PRELOAD="${libraries//OURS/}" "$PROGRAM" >plain.out 2>plain.err
    assert_eq "$what: the program without us" 0 $?
    env "$@" MPROF_OUTPUT=preload.mprof LD_PRELOAD="${libraries//OURS/$LIB}" "$PROGRAM" >preload.out 2>preload.err
    got=$?
    assert_eq "$what, preloaded: status ($(cat preload.err))" 0 $got
    env "$@" LD_PRELOAD="${libraries//OURS/}" "$MPROF" run -q -o run.mprof "$PROGRAM" >run.out 2>run.err
    got=$?
    assert_eq "$what, run: status ($(cat run.err))" 0 $got
    for way in preload run; do
        assert_same "$what, $way: output" plain.out $way.out
    done
    assert_same "$what, preloaded: errors" plain.err preload.err
}

recorded() { # what, libraries, variable=value..
    record "$@"
    assert_same "$1, run: errors" plain.err run.err
    for way in preload run; do
        figures $way.mprof >$way.figures
        assert_same "$1, $way: figures" expected $way.figures
    done
}

# The allocator comes before us: under run we are first, by plain preload there is nothing to see.
behind() { # what, libraries
    record "$@"
    figures run.mprof >run.figures
    assert_same "$1, run: figures" expected run.figures
    assert_eq "$1, preloaded: allocations" 0 "$(json preload.mprof totals.allocations)"
    assert_eq "$1, preloaded: implied" 0 "$(json preload.mprof quality.implied_frees)"
}

printf 'at_once 1000 0\nforms 20 0\nkeep 1 1\nlost 0\nunmatched_frees 0\nimplied_frees 0\n' >expected
recorded "ours alone" OURS

# A wrapper such as debugging tools have: 16 bytes before each block, other forms made of malloc and free.
# It lacks reallocarray and memalign's kind, which then must come down to it and not to libc.
cat >wrapper.c <<'END_OF_WRAPPER'
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define MARK 0x5ca1ab1e0ddba11
static void *(*next_malloc)(size_t), *(*next_realloc)(void *, size_t);
static void (*next_free)(void *);
static __attribute__((aligned(16))) char first_bytes[1 << 16];
static size_t used;
static int searching;
struct head { size_t bytes, mark; };
static void search(void)
{
    if (next_free || searching)
        return;
    searching = 1;
    next_malloc = dlsym(RTLD_NEXT, "malloc");
    next_realloc = dlsym(RTLD_NEXT, "realloc");
    next_free = dlsym(RTLD_NEXT, "free");
}
static struct head *head_of(void *p)
{
    struct head *head = (struct head *)p - 1;
    if (head->mark != MARK) {
        write(2, "a block of somebody else's\n", 27);
        abort();
    }
    return head;
}
void *malloc(size_t bytes)
{
    search();
    struct head *head = (struct head *)(first_bytes + used);
    if (bytes > SIZE_MAX / 4) {
        errno = ENOMEM;
        return NULL;
    }
    if (next_free)
        head = next_malloc(bytes + sizeof *head);
    else
        used += (bytes + sizeof *head + 15) & ~15ul;
    if (!head)
        return NULL;
    *head = (struct head){bytes, MARK};
    return head + 1;
}
void free(void *p)
{
    if (!p || ((char *)p >= first_bytes && (char *)p < first_bytes + sizeof first_bytes))
        return;
    search();
    struct head *head = head_of(p);
    head->mark = 0;
    next_free(head);
}
void *calloc(size_t count, size_t bytes)
{
    void *p = count && bytes > SIZE_MAX / 4 / count ? (errno = ENOMEM, NULL) : malloc(count * bytes);
    return p ? memset(p, 0, count * bytes) : NULL;
}
void *realloc(void *old, size_t bytes)
{
#ifdef MOVES
    void *p = malloc(bytes);
    if (p && old) {
        memcpy(p, old, head_of(old)->bytes < bytes ? head_of(old)->bytes : bytes);
        free(old);
    }
    return p;
#else
    if (!old)
        return malloc(bytes);
    struct head *head = next_realloc(head_of(old), bytes + sizeof *head);
    return head ? (head->bytes = bytes, head + 1) : NULL;
#endif
}
void *aligned_alloc(size_t alignment, size_t bytes) { return (void)alignment, malloc(bytes); }
void *memalign(size_t alignment, size_t bytes) { return (void)alignment, malloc(bytes); }
int posix_memalign(void **to, size_t alignment, size_t bytes) { return (void)alignment, (*to = malloc(bytes)) ? 0 : ENOMEM; }
size_t malloc_usable_size(void *p) { return head_of(p)->bytes; }
END_OF_WRAPPER
gcc -O1 -D_GNU_SOURCE -fno-builtin -shared -fPIC -w -o wrapper.so wrapper.c || fail wrapper
gcc -O1 -D_GNU_SOURCE -DMOVES -fno-builtin -shared -fPIC -w -o mover.so wrapper.c || fail mover
for wrapper in wrapper mover; do
    recorded "$wrapper before" "$PWD/$wrapper.so:OURS"
    recorded "$wrapper behind" "OURS:$PWD/$wrapper.so"
done

for name in libjemalloc.so.2 libtcmalloc_minimal.so.4 libmimalloc.so.2; do
    other=$(library $name)
    recorded "$name behind" "OURS:$other"
    behind "$name before" "$other:OURS"
done

faketime=$(faketime -m '2020-01-01 00:00:00' sh -c 'echo "$LD_PRELOAD"')
recorded "libfaketime behind" "OURS:$faketime" FAKETIME='@2020-01-01 00:00:00'
recorded "libfaketime before" "$faketime:OURS" FAKETIME='+0 x100'

# Auditors: one that only looks, and one behind each call, where ld.so stands between us and whom we call.
cat >auditor.c <<'END_OF_AUDITOR'
#include <link.h>
#include <stdlib.h>
unsigned la_version(unsigned version) { return free(malloc(77)), version; }
unsigned la_objopen(struct link_map *m, Lmid_t space, uintptr_t *cookie)
{
    return free(malloc(78)), LA_FLG_BINDTO | LA_FLG_BINDFROM;
}
#ifdef CALLS
Elf64_Addr la_x86_64_gnu_pltenter(Elf64_Sym *s, unsigned n, uintptr_t *from, uintptr_t *to, La_x86_64_regs *r,
                                  unsigned *flags, const char *name, long *frame)
{
    return *frame = 256, s->st_value;
}
unsigned la_x86_64_gnu_pltexit(Elf64_Sym *s, unsigned n, uintptr_t *from, uintptr_t *to, const La_x86_64_regs *r,
                               La_x86_64_retval *result, const char *name)
{
    return 0;
}
#endif
END_OF_AUDITOR
gcc -D_GNU_SOURCE -shared -fPIC -w -o looks.so auditor.c || fail auditor
gcc -D_GNU_SOURCE -DCALLS -shared -fPIC -w -o calls.so auditor.c || fail auditor
recorded "an auditor" OURS LD_AUDIT="$PWD/looks.so"
recorded "an auditor of calls" OURS LD_AUDIT="$PWD/calls.so"

# Linked in: the program's own malloc comes before ours, also for libc. Its mappings are recorded, run says so.
# (No static mimalloc is packaged.)
cat >large.c <<'END'
#include <stdlib.h>
#include <string.h>
static void *volatile kept;
__attribute__((noinline)) static void hold(void)
{
    kept = memset(malloc(100000000), 1, 100000000);
}
int main(void)
{
    hold();
    return 0;
}
END
for name in libjemalloc.a libtcmalloc_minimal.a; do
    g++ -x c -std=gnu17 -D_GNU_SOURCE -w -fno-builtin -o static "$TESTS/programs/allocators.c" -x none -pthread \
        -Wl,--whole-archive "$(library $name)" -Wl,--no-whole-archive -ldl || fail "cannot link $name"
    PROGRAM=./static
    record "$name" OURS
    assert_eq "$name: sentences ($(cat run.err))" 1 "$(grep -c '^mprof-c: ' run.err)"
    assert_contains "$name" "./static: has an allocator of its own linked in" run.err
    grep -v '^mprof-c: ' run.err | cmp -s - plain.err || fail "$name, run: errors: $(cat run.err)"
    for way in preload run; do
        assert_eq "$name, $way: allocations" 0 "$(json $way.mprof totals.allocations)"
        assert_at_least "$name, $way: mapped memory" 1000000 "$(json $way.mprof totals.mapped_peak_bytes)"
        "$MPROF" peak $way.mprof >peak.out 2>peak.err || fail "$name, $way: peak: $(cat peak.err)"
        assert_contains "$name, $way: what is said" "only mappings are recorded" peak.err
        assert_clean $way.mprof
    done
    # Whose it is: by the stack of the block for which the allocator mapped more than it had at its start.
    g++ -g -x c -w -fno-builtin -o large large.c -x none -pthread \
        -Wl,--whole-archive "$(library $name)" -Wl,--no-whole-archive -ldl || fail "cannot link large with $name"
    run_as large.mprof ./large || fail "$name, large: $?"
    assert_at_least "$name: mapped for hold" 100000000 \
        "$("$MPROF" peak --json --func hold large.mprof 2>/dev/null | json_of recordings.0.functions.0.mapped_own_peak_bytes)"
done
