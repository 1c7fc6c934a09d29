"""Names of random frames, in ten builds and situations, against addr2line's and llvm-symbolizer's.

A program is made up of functions of many kinds (static, in namespaces, members, templates, lambdas, inlined in one
another), with call sites that allocate blocks of a size of their own. One recording of the build as it was made says by
which pcs each size is allocated; addr2line and llvm-symbolizer say what these are. Then it is recorded once more, in a
situation: what is told of each size must be the same, or module+offset with the reason.
"""
import collections
import os
import random
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.environ["TESTS"])
import spool_kinds  # noqa: E402
import spool_reader  # noqa: E402
from common import check, execute, leaks, preloaded, report, under_run  # noqa: E402

FIRST_SIZE = 40000
SITES = 4  # of a function

HEAD = """#include <cstdlib>
static void *volatile kept;
static inline __attribute__((always_inline)) void *plain_leaf(size_t n)
{
    return malloc(n);
}
namespace made {
template <typename T> static inline __attribute__((always_inline)) void *typed_leaf(T n)
{
    void *p = calloc(1, (size_t)n);
    __asm__ volatile("" : : "r"(p));
    return p;
}
struct Pool {
    __attribute__((always_inline)) explicit Pool(size_t n) : block(realloc(nullptr, n)) {}
    void *block;
};
static inline __attribute__((always_inline)) void *middle(size_t n)
{
    if (n > 5)
        return typed_leaf<long>((long)n);
    return nullptr;
}
}
"""

CALLS = ("malloc({n})", "plain_leaf({n})", "made::typed_leaf<int>({n})", "made::typed_leaf<unsigned>({n})", "made::middle({n})",
         "made::Pool({n}).block", "made::middle(\n        {n})")

KINDS = (
    ("static __attribute__((noinline)) void f{i}(int k)\n{{{body}}}\n", "f{i}(k);"),
    ("__attribute__((noinline)) void g{i}(int k)\n{{{body}}}\n", "g{i}(k);"),
    ("namespace made {{ namespace {{\n__attribute__((noinline)) void h{i}(int k)\n{{{body}}}\n}} }}\n", "made::h{i}(k);"),
    ("struct S{i} {{\n    __attribute__((noinline)) void method(int k) const\n    {{{body}}}\n}};\n", "S{i}().method(k);"),
    ("template <typename T> static __attribute__((noinline)) void t{i}(T k)\n{{{body}}}\n", "t{i}<long>(k);"),
    ("static __attribute__((noinline)) void l{i}(int k)\n{{\n    auto lambda = [](int k) __attribute__((noinline)) {{{body}}};\n"
     "    lambda(k);\n    kept = nullptr;\n}}\n", "l{i}(k);"),
    ('extern "C" __attribute__((noinline)) void c{i}(int k)\n{{{body}}}\n', "c{i}(k);"),
)


def make_source(path, sites, seed):
    """run_all() comes by each site once; site N allocates FIRST_SIZE + N bytes."""
    choose = random.Random(seed)
    functions, calls = [], []
    for i in range((sites + SITES - 1) // SITES):
        cases = ""
        for k in range(SITES):
            n = i * SITES + k
            call = choose.choice(CALLS).format(n=FIRST_SIZE + n)
            cases += f'\n    case {k}:\n        kept = {call};\n        __asm__ volatile("# site {n}");\n        break;'
        kind, use = choose.choice(KINDS)
        functions.append(kind.format(i=i, body=f"\n    switch (k) {{{cases}\n    }}\n"))
        calls.append(use.format(i=i))
    choose.shuffle(calls)
    with open(path, "w", encoding="utf-8") as f:
        f.write(HEAD + "".join(functions) + 'extern "C" void run_all(int k)\n{\n    ' + "\n    ".join(calls) + "\n    kept = nullptr;\n}\n")


PROGRAM = """#include <unistd.h>
#include <cstdlib>
extern "C" void run_all(int);
int main(int argc, char **argv)
{
    if (argc > 1)
        unlink(argv[1]);
    for (int k = 0; k < %d; k++)
        run_all(k);
    if (argc > 1)
        sleep(2); /* who collects shall see it alive */
    return 0;
}
""" % SITES

HOST = """#include <dlfcn.h>
#include <unistd.h>
#include <cstring>
int main(int argc, char **argv)
{
    if (argc > 2 && chroot(argv[2]) != 0)
        return 3;
    for (int k = 0; k < %d; k++) {
        void *library = dlopen(argv[1], RTLD_NOW);
        auto run_all = library ? (void (*)(int))dlsym(library, "run_all") : nullptr;
        if (!run_all)
            return 2;
        run_all(k);
        if (argc > 2)
            sleep(1);
        dlclose(library);
    }
    return 0;
}
""" % SITES


def compile_to(output, compiler, flags, *sources):
    status, _, err = execute([compiler, "-std=c++17", "-Wl,-z,noexecstack", *flags, "-o", output, *sources])
    check(status == 0, f"{compiler} {' '.join(flags)}: {err}")


# ---- what others say ----

CLONE = re.compile(r"(?: \[clone [^]]*\]| \(\.[a-z_.0-9]+\)|\.(?:part|isra|constprop|cold|lto_priv)(?:\.\d+)?)+$")


def plain(name):
    """As libiberty says it, and without what a compiler has appended."""
    name = re.sub(r"'lambda(\d*)'\(([^()]*)\)",
                  lambda m: f"{{lambda({m[2]})#{int(m[1]) + 2 if m[1] else 1}}}", name)
    return CLONE.sub("", name)


def ask(tool, binary, addresses):
    """address -> [(function, file, line)], the innermost first."""
    question = "".join(f"{a:#x}\n" for a in addresses)
    out = subprocess.run([*tool, "-a", "-f", "-C", "-i", "-e", binary], input=question.encode(), stdout=subprocess.PIPE,
                         check=True).stdout.decode().split("\n")
    answers, current = {}, None
    lines = iter(out)
    for line in lines:
        if line.startswith("0x"):
            current = answers.setdefault(int(line, 16), [])
        elif line:
            place = next(lines).split(" ")[0].rsplit(":", 1)
            file = "" if place[0] == "??" else os.path.normpath(place[0])
            current.append((plain(line), file, int(place[1]) if place[1].isdigit() else 0))
    return answers


TOOLS = (["addr2line"], ["llvm-symbolizer", "--output-style=GNU"])


def expected_names(binary, spool, module):
    """size -> the frames in the module that may be told of it: a list for each tool; and how many pcs that were."""
    pcs = collections.defaultdict(list)
    file = spool_reader.open_spool(spool)
    for process in file.processes.values():
        for event in file.events(process):
            size, stack = event[6], event[8]
            if event[3] not in (spool_kinds.ALLOC, spool_kinds.REALLOC_MOVED) or size < FIRST_SIZE or pcs[size]:
                continue
            pcs[size] = [pc - file.bias(m) - (0 if flags & 2 else 1) for pc, m, flags in file.pcs(stack)
                         if m and os.path.basename(file.module_path(m)) == module]
    addresses = sorted({a for stack in pcs.values() for a in stack})
    answers = [ask(tool, binary, addresses) for tool in TOOLS]
    return {size: [[f for a in stack for f in answer[a]] for answer in answers] for size, stack in pcs.items()}, len(addresses)


# ---- what we say ----

def told_names(recording, module, sites):
    """size -> the frames in the module."""
    told = {}
    for leak in leaks(recording)["leaks"]:
        size = leak["bytes"] // leak["blocks"]
        if FIRST_SIZE <= size < FIRST_SIZE + sites:
            told[size] = [(f["function"], os.path.normpath(f["file"]) if f["file"] else "", f["line"])
                          for f in leak["stack"] if os.path.basename(f["module"]) == module]
    return told


def is_same_name(told, wanted):
    """A function without a linkage name is told with its scopes, which the tools leave out."""
    return told == wanted or told.endswith("::" + wanted)


def is_same(told, wanted):
    return len(told) == len(wanted) and all(is_same_name(t[0], w[0]) and t[1:] == w[1:] for t, w in zip(told, wanted))


def compare(what, recording, module, expected, sites, named):
    """All as expected; where not `named` all without a name, and the reason is told."""
    told = told_names(recording, module, sites)
    check(len(told) == sites, f"{what}: {len(told)} of {sites} sites are told")
    different = nameless = 0
    first = ""
    for size, frames in sorted(told.items()):
        if frames and all("+0x" in f[0] for f in frames):
            nameless += 1
        elif not any(is_same(frames, wanted) for wanted in expected[size]):
            different += 1
            first = first or f"{size}: {frames} instead of {expected[size]}"
    check(different == 0, f"{what}: {different} of {sites} stacks differ, the first: {first}")
    reasons = [m for m in report(recording)["modules"] if os.path.basename(m["module"]) == module and m["missing"] == "names"]
    check(nameless == 0 or reasons, f"{what}: no reason is told for {nameless} stacks without names")
    check(nameless == (0 if named else sites), f"{what}: {nameless} of {sites} stacks without names: {reasons}")


# ---- the builds ----

class Build:
    """A build and how it is recorded. `make` returns the module's file and the command that runs it."""

    def __init__(self, name, compiler, flags, library=False, named=True, way="plain"):
        self.name, self.compiler, self.flags = name, compiler, flags
        self.library, self.named, self.way = library, named, way

    def make(self, folder):
        if not self.library:
            compile_to("app", self.compiler, self.flags, "made.cc", "program.cc")
            return "app", [os.path.join(folder, "app")]
        compile_to("app.so", self.compiler, [*self.flags, "-shared", "-fPIC"], "made.cc")
        compile_to("host", self.compiler, ["-g"], "host.cc")
        return "app.so", ["./host", os.path.join(folder, "app.so")]

    def record(self, folder, module, command):
        """In the situation; the recording."""
        if self.way == "deleted":
            command = [*command, command[0]]
        elif self.way == "chroot":
            root = os.path.join(folder, "root")
            os.makedirs(root + folder)
            shutil.move(module, root + folder)
            compile_to(module, self.compiler, ["-shared", "-fPIC", "-DOTHER"], "other.cc")
            command = [*command, root]
        elif self.way == "loader":
            command = [loader_of(command[0]), *command]
        live = self.way in ("deleted", "chroot", "run")
        status, _, err = (execute(under_run("it.mprof", command)) if live else execute(command, env=preloaded("it.mprof")))
        check(status == 0, f"{self.name}: exit status {status}: {err}")
        if self.way == "replaced":
            time.sleep(0.01)
            compile_to(module, self.compiler, [*self.flags, "-O0"], "made.cc", "program.cc")
        return "it.mprof"


def loader_of(program):
    with open(program, "rb") as f:
        data = f.read()
    start = data.index(b"/lib64/ld-linux")
    return data[start:data.index(b"\0", start)].decode()


NO_ID, WITH_ID = "-Wl,--build-id=none", "-Wl,--build-id=sha1"


def all_builds():
    builds = [
        Build("gcc", "g++", ["-O2", "-g", WITH_ID]),
        Build("gcc without a build id", "g++", ["-O2", "-g", NO_ID], way="run"),
        Build("gcc, DWARF 4, at a fixed address", "g++", ["-O1", "-gdwarf-4", "-no-pie", "-fno-pie", NO_ID]),
        Build("clang", "clang++", ["-O2", "-g", WITH_ID], way="run"),
        Build("clang without a build id", "clang++", ["-O2", "-g", NO_ID]),
        Build("dlclosed, gcc without a build id", "g++", ["-O2", "-g", NO_ID], library=True),
        Build("dlclosed, clang", "clang++", ["-O2", "-g", WITH_ID], library=True),
        Build("deleted", "g++", ["-O2", "-g", NO_ID], way="deleted"),
        Build("replaced", "g++", ["-O2", "-g", WITH_ID], way="replaced", named=False),
        Build("replaced, without a build id", "clang++", ["-O2", "-g", NO_ID], way="replaced", named=False),
        Build("through the loader", "clang++", ["-O2", "-g", NO_ID], way="loader"),
    ]
    if os.geteuid() == 0:
        builds.append(Build("behind chroot", "g++", ["-O2", "-g", NO_ID], library=True, way="chroot"))
    return [b for b in builds if shutil.which(b.compiler)]


def compare_all(sites, seed):
    """Returns lines that say how many frames were compared."""
    lines, top = [], os.getcwd()
    for number, build in enumerate(all_builds()):
        folder = os.path.join(top, f"build{number}")
        os.mkdir(folder)
        os.chdir(folder)
        make_source(os.path.join(folder, "made.cc"), sites, seed + number)
        for name, text in (("program.cc", PROGRAM), ("host.cc", HOST), ("other.cc", 'extern "C" void run_all(int) {}\n')):
            with open(name, "w", encoding="utf-8") as f:
                f.write(text)
        module, command = build.make(folder)
        shutil.copy2(module, "pristine")
        status, _, err = execute(command, env=preloaded("reference.mprof"))
        check(status == 0, f"{build.name}: exit status {status}: {err}")
        expected, frames = expected_names("pristine", "reference.mprof.spool", module)
        recording = build.record(folder, module, command)
        compare(build.name, recording, module, expected, sites, build.named)
        lines.append(f"{build.name}: {frames} places in {sites} stacks {'have their names' if build.named else 'have no name, and say why'}")
    os.chdir(top)
    return lines
