#!/bin/bash
# Mapped memory in the views: its own figures and their sum with the heap's, by option, at the end; what an allocator
# maps for its blocks stays out.
. "$TESTS/e2e/lib.sh"

cat >arena.c <<'END'
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
static char *volatile arena;
static void *volatile block[96];
__attribute__((noinline)) static void arena_new(size_t bytes)
{
    char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(p, 1, bytes);
    arena = p;
}
__attribute__((noinline)) static void fill(void)
{
    for (int i = 0; i < 96; i++)
        block[i] = memset(malloc(1 << 20), 1, 1 << 20);
}
__attribute__((noinline)) static void mixed(void)
{
    arena_new(32 << 20);
    munmap(arena, 32 << 20);
    fill();
}
int main(int argc, char **argv)
{
    arena_new(200 << 20);
    char *first = arena;
    if (argc > 1)
        return 0;
    mixed();
    for (int i = 0; i < 96; i++)
        free(block[i]);
    munmap(first, 100 << 20);
    return 0;
}
END
gcc -g -O1 -o arena arena.c || fail "gcc"
run_as arena.mprof ./arena || fail "status $?"
assert_clean arena.mprof
mib=1048576
while read -r key want; do
    assert_eq "totals.$key" "$want" "$(json arena.mprof totals.$key)"
done <<END
peak_bytes $((96 * mib))
mapped_peak_bytes $((232 * mib))
memory_peak_bytes $((296 * mib))
mapped_at_memory_peak_bytes $((200 * mib))
mapped_at_end_bytes $((100 * mib))
END

# The activations of both and of their sum hold the own peaks; there is none of what a function never held.
/usr/bin/python3 - <<'END' || fail "activations: $("$MPROF" report --json arena.mprof)"
import json, os, subprocess
report = json.loads(subprocess.check_output([os.environ["MPROF"], "report", "--json", "arena.mprof"]))
known = {}
for f in report["functions"]:
    for prefix in ("", "mapped_", "memory_"):
        span, peak = f[prefix + "activation"], f[prefix + "inclusive"]["own_peak_time_s"]
        assert span is None or span["begin_s"] <= peak <= span["end_s"], f
        known[f["name"], prefix] = span is not None
for name, held in (("mixed", (True, True, True)), ("fill", (True, False, True)), ("arena_new", (False, True, True))):
    assert tuple(known[name, prefix] for prefix in ("", "mapped_", "memory_")) == held, (name, known)
END

# Both by default, with the parts of the sum; one of them by its option.
"$MPROF" report arena.mprof >both.txt || fail "report"
assert_contains "the peak's parts" "= 96.00 MiB heap + 200.00 MiB mapped" both.txt
grep -Eq '^  peak +296\.00 MiB at' both.txt || fail "the peak: $(cat both.txt)"
grep -A1 '^ 1  main' both.txt | grep -Eq '^ incl +296\.00 MiB .*296\.00 MiB' || fail "main's sum: $(cat both.txt)"
grep -A2 'mixed  ' both.txt | grep -Eq '^ heap +96\.00 MiB .* 96\.00 MiB' || fail "the heap of mixed: $(cat both.txt)"
grep -A3 'mixed  ' both.txt | grep -Eq '^ map +32\.00 MiB .* 0 B' || fail "the mapped memory of mixed: $(cat both.txt)"
grep -A1 'arena_new  ' both.txt | grep -Eq '^ imap +232\.00 MiB' || fail "arena_new: $(cat both.txt)"
"$MPROF" report --heap arena.mprof >heap.txt || fail "report --heap"
grep -Eq '^  peak +96\.00 MiB at' heap.txt || fail "the heap's peak: $(cat heap.txt)"
! grep -Eq 'mapped|imap|arena_new' heap.txt || fail "mapped memory with --heap: $(cat heap.txt)"
"$MPROF" report --mapped arena.mprof >mapped.txt || fail "report --mapped"
grep -Eq '^  peak +232\.00 MiB at' mapped.txt || fail "the mapped peak: $(cat mapped.txt)"
! grep -q ' fill  ' mapped.txt || fail "the heap's functions with --mapped: $(cat mapped.txt)"
"$MPROF" peak arena.mprof >peak.txt || fail "peak"
assert_eq "peak" "arena.mprof 296.000 MiB heap 96.000 MiB mapped 200.000 MiB" "$(head -n 3 peak.txt | xargs)"
"$MPROF" peak --func arena_new arena.mprof >peak.txt || fail "peak --func"
assert_contains "the peak of arena_new" "232.000 MiB" peak.txt
assert_eq "its only part" mapped "$(sed -n 's/^  \([a-z]*\)\t.*/\1/p' peak.txt)"
while read -r series function; do
    assert_refused 1 "$MPROF" peak --func "$function" "--$series" arena.mprof
    assert_contains "a function without any" "no function '$function' holds $series memory in it" refused.err
done <<END
heap arena_new
mapped fill
END
"$MPROF" peak --func main arena.mprof >peak.txt || fail "peak --func main"
assert_eq "the parts of main's" "heap 96.000 MiB mapped 232.000 MiB" \
    "$(sed -n 's/^  \([a-z]*\)\t\([^\t]*\)\tat .*/\1 \2/p' peak.txt | xargs)"
# Keys that there were before mean the heap.
"$MPROF" peak --json --func main arena.mprof >peak.json || fail "peak --json --func main"
for part in " 96" "mapped_ 232" "memory_ 296"; do
    assert_eq "${part% *}own_peak_bytes" $((${part#* } * mib)) \
        "$(json_of "recordings.0.functions.0.${part% *}own_peak_bytes" <peak.json)"
done
assert_refused 2 "$MPROF" report --heap --mapped arena.mprof
assert_refused 1 "$MPROF" peak --heap --func arena_new arena.mprof

# What was never unmapped, by stack; part of it is gone.
"$MPROF" leaks arena.mprof >leaks.txt || fail "leaks"
assert_contains "mapped at exit" "mapped at exit: 100.00 MiB of 1 stack" leaks.txt
grep -A1 '^100.00 MiB in 1 mapped piece, mapped at' leaks.txt | grep -q 'arena_new' || fail "the leak: $(cat leaks.txt)"
"$MPROF" leaks --json arena.mprof >leaks.json || fail "leaks --json"
assert_eq "bytes of the mapped leak in JSON" $((100 * mib)) "$(json_of mapped_leaks.0.bytes <leaks.json)"
assert_eq "its pieces" 1 "$(json_of mapped_leaks.0.blocks <leaks.json)"
"$MPROF" leaks --heap arena.mprof >leaks.txt || fail "leaks --heap"
! grep -q mapped leaks.txt || fail "mapped memory with leaks --heap: $(cat leaks.txt)"

# In a picture: the sum with its parts, or one of them.
svg_of() { # option..
    "$MPROF" plot -o arena.svg "$@" arena.mprof >plot.out 2>&1 || fail "plot $*: $(cat plot.out)"
}
svg_of
for text in "memory used (in MiB)" "peak 296.00 MiB at" "heap, 96.00 MiB of the peak" "mapped memory, 200.00 MiB of the peak" arena_new; do
    assert_contains "the picture" "$text" arena.svg
done
grep -q '>fill ' arena.svg || fail "fill is not in the picture"
svg_of --heap
assert_contains "the heap's picture" "heap used (in MiB)" arena.svg
assert_contains "the heap's peak" "peak 96.00 MiB at" arena.svg
! grep -Eq 'mapped|arena_new' arena.svg || fail "mapped memory in the heap's picture"
svg_of --mapped
assert_contains "the picture of mapped memory" "mapped memory used (in MiB)" arena.svg
assert_contains "its peak" "peak 232.00 MiB at" arena.svg
! grep -q '>fill ' arena.svg || fail "the heap's functions in the picture of mapped memory"
svg_of -w 0,1000
assert_contains "the parts in a window" "mapped memory, 200.00 MiB of the highest" arena.svg
"$MPROF" plot arena.mprof >plot.txt 2>&1 || fail "plot in text: $(cat plot.txt)"
assert_contains "the parts in text" " 96.00 MiB heap + 200.00 MiB mapped" plot.txt
! grep -q '^ *=' plot.txt || fail "a row that is no line's begins like a line"
assert_refused 2 "$MPROF" plot --heap --mapped arena.mprof

# A program with mappings alone is drawn, and has no heap to draw.
run_as only.mprof ./arena x || fail "status $?"
"$MPROF" plot -o only.svg only.mprof >plot.out 2>&1 || fail "plot of mappings alone: $(cat plot.out)"
assert_contains "what is said" "only mappings are recorded" plot.out
assert_contains "its peak" "peak 200.00 MiB at" only.svg
assert_contains "its only part" "mapped memory, 200.00 MiB of the peak" only.svg
! grep -q 'heap, ' only.svg || fail "a part that is nothing is in the picture"
assert_refused 1 "$MPROF" plot --heap -o no.svg only.mprof
assert_contains "what to do" "leave --heap out" refused.err

# Run says so at its end, of any program of the family, and so does every view of them; not where there are blocks.
"$MPROF" run -o beside.mprof sh -c './arena x; :' >/dev/null 2>run.err || fail "run beside: $(cat run.err)"
assert_contains "run beside" "  no heap      of arena only mappings are recorded: malloc was never called, or" run.err
for view in "report" "report --tree" "leaks" "peak" "plot -o beside.svg" "plot -C -o beside.svg"; do
    # shellcheck disable=SC2086
    "$MPROF" $view beside.mprof >view.out 2>view.err || fail "$view: $(cat view.err)"
    assert_eq "$view: what is said" "mprof-c: beside.mprof: of arena only mappings are recorded: malloc was never called, or is the program's own" \
        "$(cat view.err)"
done
"$MPROF" run -o blocks.mprof ./arena >/dev/null 2>run.err || fail "run with blocks: $(cat run.err)"
! grep -q "no heap" run.err || fail "a program with blocks: $(cat run.err)"

# Mappings of a program without mapped memory are of something else, and run says of what.
cat >reads.c <<'END'
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
int main(int count, char **arguments)
{
    free(malloc(1));
    if (count > 1)
        mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, open(arguments[0], O_RDONLY), 0);
    return 0;
}
END
gcc -o reads reads.c || fail "gcc"
"$MPROF" run -o reads.mprof ./reads 2>run.err || fail "reads: $(cat run.err)"
assert_contains "mappings of files" "  mappings     1 of files, 0 unmappings" run.err
"$MPROF" run -o reads.mprof ./reads x 2>run.err || fail "reads x: $(cat run.err)"
assert_contains "mappings of both" "  mappings     2 of files and reserved space, 0 unmappings" run.err

# Threads by what is shown of them: with --heap as if nothing had been mapped, with --mapped those that mapped some.
cat >crew.c <<'END'
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
static void *work(void *unused)
{
    (void)unused;
    pthread_setname_np(pthread_self(), "mapper");
    mmap(NULL, 30 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    free(malloc(1 << 20));
    return NULL;
}
int main(void)
{
    pthread_t thread;
    free(malloc(8 << 20));
    return pthread_create(&thread, NULL, work, NULL) || pthread_join(thread, NULL);
}
END
gcc -D_GNU_SOURCE -O0 -pthread -o crew crew.c || fail "gcc"
run_as crew.mprof ./crew || fail "status $?"
rows_of() { # option..: each row's name or label, and its own peak
    "$MPROF" report -n 0 "$@" crew.mprof >crew.txt || fail "report $*"
    sed -nE '/^threads, by/,/^$/s/^ (\S*)\s+([0-9]+|heap|mapped)\s+(\S+ \S+)\s.*/\1 \2 \3/p' crew.txt |
        sed -E 's/ [0-9]+ / /' | paste -sd,
}
assert_eq "threads" "mapper 31.00 MiB, heap 1.00 MiB, mapped 30.00 MiB,crew 8.00 MiB" "$(rows_of)"
assert_eq "threads of the heap" "crew 8.00 MiB,mapper 1.00 MiB" "$(rows_of --heap)"
assert_eq "threads of mapped memory" "mapper 30.00 MiB" "$(rows_of --mapped)"

# A break far too low is refused, whatever a malloc in another thread does with it meanwhile: what lies below it stays.
cat >low_break.c <<'END'
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
static volatile int stop;
static void *wish(void *unused)
{
    while (!stop)
        brk((void *)4096);
    return unused;
}
int main(void)
{
    pthread_t thread;
    mallopt(M_TRIM_THRESHOLD, 4096);
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mmap((void *)0x10000000, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pthread_create(&thread, NULL, wish, NULL))
        return 1;
    for (int i = 0; i < 20000; i++) {
        void *volatile p = malloc(1 << 20);
        free(p);
    }
    stop = 1;
    return pthread_join(thread, NULL);
}
END
gcc -D_GNU_SOURCE -O1 -pthread -o low_break low_break.c || fail "gcc"
run_as low.mprof ./low_break || fail "status $?"
assert_clean low.mprof
assert_eq "mapped below the heap" $((64 * mib)) "$(json low.mprof totals.mapped_at_end_bytes)"
assert_eq "unmaps" 0 "$(json low.mprof totals.unmaps)"

# An allocator that is a library maps for its blocks: those are recorded, not their memory as well.
cat >pool.c <<'END'
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/mman.h>
static char *at, *end;
void *malloc(size_t n)
{
    n = (n + 31) & ~15ul;
    if ((size_t)(end - at) < n) {
        at = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        end = at + (16 << 20);
    }
    char *p = at + 16;
    at += n;
    ((size_t *)p)[-1] = n - 16;
    return p;
}
void free(void *p) { (void)p; }
void *calloc(size_t a, size_t b) { return malloc(a * b); }
void *realloc(void *old, size_t n)
{
    char *p = malloc(n);
    for (size_t i = 0; old && i < n && i < ((size_t *)old)[-1]; i++)
        p[i] = ((char *)old)[i];
    return p;
}
END
printf '#include <stdlib.h>\nint main(void) { for (int i = 0; i < 1000; i++) free(malloc(1000)); return 0; }\n' >user.c
gcc -O1 -shared -fPIC -fno-builtin -o libpool.so pool.c && gcc -O0 -o user user.c -L. -lpool -Wl,-rpath,"$PWD" || fail "gcc"
run_as pool.mprof ./user || fail "status $? with an allocator of its own"
assert_eq "allocations of its blocks" 1000 "$(json pool.mprof totals.allocations)"
assert_eq "mapped memory of its blocks" 0 "$(json pool.mprof totals.mapped_peak_bytes)"
"$MPROF" leaks --mapped pool.mprof >leaks.txt || fail "leaks --mapped"
assert_contains "no mapped leak" "mapped at exit: 0 B of 0 stacks" leaks.txt
! grep -q "live at exit" leaks.txt || fail "the heap with leaks --mapped: $(cat leaks.txt)"
"$MPROF" report --mapped pool.mprof >report.txt || fail "report --mapped"
! grep -Eq 'functions, by|debug symbols' report.txt || fail "functions without mapped memory: $(cat report.txt)"
assert_refused 1 "$MPROF" plot --mapped -o no.svg pool.mprof
assert_contains "what to do" "leave --mapped out" refused.err

# What a child inherits is not its own, also where access goes and comes back; calls that fail change nothing; an exec
# takes all.
cat >calls.c <<'END'
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#define MIB (1 << 20)
static char *p;
static void barrier(void)
{
    if (fork() == 0) {
        for (int i = 0; i < 3; i++) {
            mprotect(p + MIB, 30 * MIB, PROT_NONE);
            mprotect(p + MIB, 20 * MIB, PROT_READ | PROT_WRITE);
            mprotect(p + 21 * MIB, 10 * MIB, PROT_READ | PROT_WRITE);
        }
        _exit(0);
    }
    wait(NULL);
}
static void fail(void)
{
    for (int i = 0; i < 20; i++)
        mmap(p + i * MIB, MIB, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE, 999, 0);
    munmap(p + 1, MIB);
}
int main(int argc, char **argv)
{
    p = mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!strcmp(argv[1], "barrier"))
        barrier();
    else if (!strcmp(argv[1], "fail"))
        fail();
    else
        execl("/bin/true", "true", (char *)NULL);
    return 0;
}
END
gcc -g -O1 -o calls calls.c || fail "gcc"
run_as barrier.mprof ./calls barrier || fail "status $?"
assert_eq "the tree's peak" "barrier.mprof 64.000 MiB" "$("$MPROF" peak --tree barrier.mprof | head -n 1 | xargs)"
run_as failed.mprof ./calls fail || fail "status $?"
"$MPROF" report failed.mprof >failed.txt 2>failed.err || fail "report"
assert_contains "pieces behind calls that failed" "64.00 MiB in 1 piece" failed.txt
run_as exec.mprof ./calls exec || fail "status $?"
assert_eq "mapped at the exec" 0 "$(json exec.mprof totals.mapped_at_end_bytes)"
assert_eq "mapped before it" $((64 * mib)) "$(json exec.mprof totals.mapped_peak_bytes)"
