#!/bin/bash
# Which object a block's code belongs to, where there is no build id, or one that says nothing, and where its path
# leads to another file. A name is right, or there is none and the report says why.
. "$TESTS/e2e/lib.sh"

cat >lib.c <<'END'
#include <stdlib.h>
#define JOIN(a, b) a##b
#define NAME(a, b) JOIN(a, b)
KIND __attribute__((noinline)) void *NAME(make_, WHO)(int n)
{
    void *p = malloc((size_t)n);
    __asm__ volatile("" : : "r"(p));
    return p;
}
void *make(int n)
{
    void *p = NAME(make_, WHO)(n);
    __asm__ volatile("" : : "r"(p));
    return p;
}
END
# host WAY PATH FILE FILE ..: each in turn is loaded, makes 4 blocks, and is closed; by its own name (each), as PATH
# (copy), from a memfd (memfd), deleted as soon as it is loaded (deleted), or by PATH behind a chroot to FILE (chroot).
cat >host.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char buffer[1 << 20];

static int copy(const char *from, int to)
{
    int fd = open(from, O_RDONLY);
    ssize_t n = read(fd, buffer, sizeof buffer);
    close(fd);
    return n > 0 && write(to, buffer, (size_t)n) == n;
}

static void use(const char *path, const char *deleted)
{
    void *library = dlopen(path, RTLD_NOW);
    void *(*make)(int) = library ? (void *(*)(int))dlsym(library, "make") : NULL;
    if (!make)
        _exit(3);
    if (deleted)
        unlink(deleted);
    for (int i = 0; i < 4; i++)
        make(100);
    if (deleted || strstr(path, "/proc"))
        sleep(1); /* `run` looks at it meanwhile */
    dlclose(library);
}

int main(int argc, char **argv)
{
    char path[64];
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[1], "each") == 0) {
            use(argv[i], NULL);
        } else if (strcmp(argv[1], "memfd") == 0) {
            int fd = memfd_create("lib", 0);
            if (!copy(argv[i], fd))
                return 2;
            snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
            use(path, NULL);
        } else if (strcmp(argv[1], "chroot") == 0) {
            if (chroot(argv[i]) != 0)
                return 77;
            use(argv[2], NULL);
            sleep(1);
        } else {
            unlink(argv[2]);
            int fd = open(argv[2], O_WRONLY | O_CREAT | O_EXCL, 0755);
            if (!copy(argv[i], fd))
                return 2;
            close(fd);
            use(argv[2], strcmp(argv[1], "deleted") == 0 ? argv[2] : NULL);
        }
    }
    return 0;
}
END
gcc -O1 -g -o host host.c || fail gcc

# The allocations of the functions make_*, of those without a name in the libraries, and the reasons told.
counts() { # recording
    "$MPROF" report --json "$1" | /usr/bin/python3 -c '
import collections, json, re, sys
report = json.load(sys.stdin)
made = collections.Counter()
for f in report["functions"]:
    if f["name"].startswith("make_") or re.search(r"\+0x[0-9a-f]+$", f["name"]):
        made[re.sub(r".*\+0x.*", "nameless", f["name"])] += f["self"]["allocations"]
print(" ".join(f"{k} {v}" for k, v in sorted(made.items()) if v))
for gap in report.get("modules", []):
    print(gap["missing"], gap["reason"])
'
}

made() { # recording
    counts "$1" | sed -n 1p
}

all="make_alpha 4 make_delta 4 make_gamma 4"
build() { # kind, flags..
    local who kind=$1
    shift
    for who in alpha gamma delta; do
        gcc -O1 -g -shared -fPIC "-DKIND=$kind" -DWHO=$who "$@" -o $who.so lib.c || fail gcc
    done
}

both_ways() { # recording, command..: recorded by preloading, and read at once; and by run
    local name=$1
    shift
    rm -f "$name".*
    preload "$name.plain" "$@" || fail "$name: status $?"
    "$MPROF" report "$name.plain" >report.txt || fail "report of $name"
    run_as "$name.run" "$@" || fail "$name under run: status $?"
}

# Loaded in turn at one place, each by its own name: without a build id, and with one and the same.
for id in none 0x0123456789abcdef0123 0x00; do
    build '' -Wl,--build-id=$id
    both_ways "turn$id" ./host each - ./alpha.so ./gamma.so ./delta.so
    for way in plain run; do
        assert_eq "in turn, build id $id, $way" "$all" "$(made turn$id.$way)"
    done
done

# The same where only the libraries' constructors allocate: no call of the loader's comes in between.
cat >early.c <<'END'
#include "lib.c"
__attribute__((constructor)) static void begin(void)
{
    for (int i = 0; i < 4; i++)
        make(100);
}
END
for who in alpha gamma delta; do
    gcc -O1 -g -shared -fPIC -DKIND= -DWHO=$who -Wl,--build-id=none -o $who.so early.c || fail gcc
done
both_ways early ./host each - ./alpha.so ./gamma.so ./delta.so
for way in plain run; do
    assert_eq "constructors, $way" "make_alpha 8 make_delta 8 make_gamma 8" "$(made early.$way)"
done

# The same in a program with a malloc of its own, of which only mappings are recorded: what the loader does is not seen.
cat >own.c <<'END'
#include <stddef.h>
#include <string.h>
static _Alignas(16) char heap[1 << 24];
static size_t used;
void *malloc(size_t n) { size_t at = used; used += (n + 31) & ~(size_t)15; memcpy(heap + at, &n, sizeof n); return heap + at + 16; }
void free(void *p) { (void)p; }
void *calloc(size_t n, size_t m) { return malloc(n * m); }
void *realloc(void *p, size_t n) { void *q = malloc(n); size_t m; if (p) { memcpy(&m, (char *)p - 16, sizeof m); memcpy(q, p, m < n ? m : n); } return q; }
END
for who in alpha gamma delta; do
    printf '#include <stddef.h>\n#include <sys/mman.h>\nstatic __attribute__((noinline)) void *make_%s(int n) { void *p = mmap(0, (size_t)n, 3, 34, -1, 0); __asm__ volatile("" : : "r"(p)); return p; }\nvoid *make(int n) { void *p = make_%s(n); __asm__ volatile("" : : "r"(p)); return p; }\n' $who $who >map.c
    gcc -O1 -g -shared -fPIC -Wl,--build-id=none -o $who.so map.c || fail gcc
done
gcc -O1 -g -rdynamic -o own host.c own.c || fail gcc
preload owned ./own each - ./alpha.so ./gamma.so ./delta.so
assert_eq "modules of a program with a malloc of its own" "alpha.so delta.so gamma.so" "$("$TESTS/spool_reader.py" owned.spool |
    /usr/bin/python3 -c '
import json, os, sys
names = {os.path.basename(m["path"]) for m in json.load(sys.stdin)["modules"]}
print(*sorted(names & {"alpha.so", "gamma.so", "delta.so"}))')"
build '' -Wl,--build-id=none

# What the recorder has found in memory, the second reader finds in the files.
PYTHONDONTWRITEBYTECODE=1 preload facts.mprof ./host each - ./alpha.so ./gamma.so ./delta.so
/usr/bin/python3 - "$TESTS" facts.mprof.spool <<'END' || fail "facts"
import mmap, os, sys
sys.path.insert(0, sys.argv[1])
import spool_content, spool_reader
checked = 0
for module in spool_reader.open_spool(sys.argv[2]).modules():
    if not module["path"].startswith("/"):
        continue
    found, facts = os.stat(module["path"]), [module[k] for k in ("device", "inode", "file_bytes", "mtime_ns")]
    assert facts == [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns], (module, found)
    assert module["content"] == spool_content.content_of_file(module["path"]) != 0, module
    checked += 1
assert checked >= 6, checked
END

# By a relative name from another folder than that of the start, where a library of that name lies, too.
cat >moves.c <<'END'
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
int main(void)
{
    if (chdir("sub") != 0)
        return 1;
    void *(*make)(int) = (void *(*)(int))dlsym(dlopen("./it.so", RTLD_NOW), "make");
    for (int i = 0; i < 4; i++)
        make(100);
    return 0;
}
END
mkdir -p sub && cp alpha.so sub/it.so && cp gamma.so it.so && gcc -O1 -g -o moves moves.c || fail gcc
both_ways moved ./moves
for way in plain run; do
    assert_eq "from another folder, $way" "make_alpha 4" "$(made moved.$way)"
done

# In turn at one path. What is there at the end is the last one; the others' names are known, if at all, because `run`
# was quick enough.
build '' -Wl,--build-id=none
both_ways path ./host copy ./it.so ./alpha.so ./gamma.so ./delta.so
assert_eq "one path" "make_delta 4 nameless 8" "$(made path.plain)"
assert_contains "one path" "names another file has its place now" <(counts path.plain)
for who in alpha gamma delta; do
    [[ " $(made path.run) " != *" make_$who "* || " $(made path.run) " == *" make_$who 4 "* ]] ||
        fail "one path under run: $(made path.run)"
done

# Two builds that differ in nothing that is loaded: only the file itself tells.
for id in none 0x01; do
    build static -Wl,--build-id=$id
    both_ways static$id ./host copy ./it.so ./alpha.so ./gamma.so
    assert_eq "only the file differs, build id $id" "make_gamma 4 nameless 4" "$(made static$id.plain)"
    rm -f later* twin*
    cp alpha.so it.so && preload later ./host each - ./it.so && cp later.spool twin.spool
    assert_eq "the same file, build id $id" "make_alpha 4" "$(made later)"
    cp -p gamma.so it.so
    assert_eq "rebuilt since" "nameless 4" "$(made twin)"
    assert_contains "rebuilt since" "names another file has its place now" <(counts twin)
    "$MPROF" report twin >report.txt
    assert_contains "rebuilt since" "no names of it.so: another file has its place now" report.txt
    assert_contains "rebuilt since" "1 module without names" report.txt
done

# After another boot devices may have other numbers, and only then.
renumbered() { # spool, boot id's first byte
    /usr/bin/python3 - "$1" "$2" <<'END'
import struct, sys
with open(sys.argv[1], "r+b") as f:
    header = f.read(4096)
    boot = bytes([header[32] ^ int(sys.argv[2])])
    f.seek(32)
    f.write(boot)
    offset, size, capacity = struct.unpack_from("<QII", header, 192)
    for serial in range(1, 64):
        f.seek(offset + serial * size + 984)
        f.write(struct.pack("<Q", 77))
END
}
build static -Wl,--build-id=none
cp alpha.so it.so && preload boot ./host each - ./it.so && cp boot.spool boots.spool
renumbered boot.spool 0
renumbered boots.spool 1
assert_eq "another device" "nameless 4" "$(made boot)"
assert_eq "another device, another boot" "make_alpha 4" "$(made boots)"

# The program itself, without a build id, replaced, rewritten in place, removed.
sed 's/KIND/static/' lib.c >program.c
echo 'int main(void) { for (int i = 0; i < 4; i++) make(100); return 0; }' >>program.c
for who in alpha gamma; do
    gcc -O1 -g -DWHO=$who -Wl,--build-id=none -o $who.program program.c || fail gcc
done
for way in 'rm program; cp gamma.program program' 'cp gamma.program program' 'rm program' 'touch -d @1 program'; do
    rm -f program && cp alpha.program program
    preload "p.mprof" ./program
    cp p.mprof.spool q.mprof.spool
    assert_eq "before: $way" "make_alpha 4" "$(made p.mprof)"
    eval "$way"
    assert_eq "after: $way" "nameless 4" "$(made q.mprof)"
    counts q.mprof | grep -q "^names " || fail "$way: no reason: $(counts q.mprof)"
    rm -f p.mprof* q.mprof*
done

# While it lives, what nobody else sees: deleted, in memory only, behind another root where the same path leads to
# another file here.
build static -Wl,--build-id=none
both_ways gone ./host deleted ./it.so ./alpha.so
# Only the privileged may open what is mapped and nothing else.
[ "$(id -u)" != 0 ] || assert_eq "deleted, live" "make_alpha 4" "$(made gone.run)"
assert_eq "deleted" "nameless 4" "$(made gone.plain)"
assert_contains "deleted" "names its file is gone, or cannot be read from here" <(counts gone.plain)
both_ways memory ./host memfd - ./alpha.so
assert_eq "memfd, live" "make_alpha 4" "$(made memory.run)"
assert_eq "memfd" "nameless 4" "$(made memory.plain)"
mkdir -p "root$PWD" && cp alpha.so "root$PWD/it.so" && cp gamma.so it.so
if [ "$(id -u)" = 0 ]; then
    both_ways root ./host chroot "$PWD/it.so" ./root
    assert_eq "another root, live" "make_alpha 4" "$(made root.run)"
    assert_eq "another root" "nameless 4" "$(made root.plain)"
    # The same of another mount namespace, and where its pids are others, too.
    mkdir there here && cp alpha.so there/it.so && cp gamma.so here/it.so
    for ways in -m -mpf; do
        unshare $ways mount --bind there here 2>/dev/null || continue
        both_ways mounts$ways unshare $ways sh -c "mount --bind there here && ./host chroot '$PWD/here/it.so' /"
        for each in mounts"$ways".run*; do
            [ "$(json "$each" command.0)" = ./host ] && assert_eq "unshare $ways, live" "make_alpha 4" "$(made "$each")"
        done
        for each in mounts"$ways".plain*; do
            each=${each%.spool}
            [ "$(json "$each" command.0)" = ./host ] && assert_eq "unshare $ways" "nameless 4" "$(made "$each")"
        done
    done
fi

# Started by the loader's name, with a build id and without.
loader=$(readelf -l host | sed -n 's/.*interpreter: \(.*\)]/\1/p')
for id in none sha1; do
    gcc -O1 -g -DWHO=alpha -Wl,--build-id=$id -o program program.c || fail gcc
    both_ways loader$id "$loader" ./program
    for way in plain run; do
        assert_eq "by the loader, build id $id, $way" "make_alpha 4" "$(made loader$id.$way)"
    done
done
