"""suites.py - suites of other projects that serve as hosts: how each is built, and its programs.

A suite is a function that gets a folder, makes what is not there yet, and returns its hosts. Nothing of the sources is
in this project.
"""
import collections
import glob
import os
import re
import subprocess

from sources import call, once, source

# A program to run: its name in the suite, the command, where it runs, what is added to the environment, and the command
# that all of it is started by (mprof-c run, too), [] none.
Host = collections.namedtuple("Host", "name command folder env starter", defaults=[[]])

# For what refuses to be run by root.
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []

JOBS = f"-j{os.cpu_count()}"


def base(path):
    return os.path.splitext(os.path.basename(path))[0]


# ---- bash ----

def bash_tools(place, tests):
    """Programs that the tests use."""
    for tool in ("recho", "zecho", "printenv", "xcase"):
        call("gcc", "-w", "-DHAVE_STRING_H", "-DHAVE_STDLIB_H", "-include", "unistd.h", "-include", "stdlib.h",
             f"-I{place}", f"-I{place}/include", "-o", os.path.join(tests, tool),
             os.path.join(place, "support", tool + ".c"))


def bash(folder):
    """Each of bash's own tests, run by the installed bash."""
    place = source(folder, "bash")
    tests = os.path.join(place, "tests")
    once(place, "tools", lambda: bash_tools(place, tests))
    env = {"THIS_SH": "/bin/bash", "PATH": f".:{os.environ['PATH']}", "LC_ALL": "C"}
    names = {os.path.basename(p) for p in glob.glob(os.path.join(tests, "run-*"))}
    # Each writes what the tests print to a file of its own, and prints how that differs from what is expected.
    return [Host(n, ["/bin/bash", "-c", f"BASH_TSTOUT=$(mktemp) /bin/sh ./{n}; s=$?; rm -f $BASH_TSTOUT; exit $s"],
                 tests, env) for n in sorted(names - {"run-all", "run-minimal", "run-gprof"})]


# ---- Lua ----

def lua(folder):
    """The programs that come with Lua 5.1; Debian has no newer suite of Lua's."""
    tests = os.path.join(source(folder, "lua5.1"), "test")
    endless = ("echo", "readonly", "luac", "trace-globals", "table", "xd")  # read their input, or need arguments
    return [Host(base(p), ["lua5.1", p], tests, {}) for p in sorted(glob.glob(os.path.join(tests, "*.lua")))
            if base(p) not in endless]


# ---- libuv ----

def libuv(folder):
    """Each test of libuv's own runner."""
    place = source(folder, "libuv1")
    built = os.path.join(place, "built")

    def make():
        call("cmake", "-S", place, "-B", built, "-DBUILD_TESTING=ON", "-DLIBUV_BUILD_BENCH=OFF")
        call("make", "-C", built, JOBS, "uv_run_tests")
        os.chmod(built, 0o777)  # tests write there, as nobody

    once(place, "tests", make)
    runner = os.path.join(built, "uv_run_tests")
    names = [line.strip() for line in call(*AS_NOBODY, runner, "--list", cwd=place).splitlines()]
    return [Host(n, [runner, n], built, {}, AS_NOBODY) for n in names if re.fullmatch(r"\w+", n)]


# ---- redis ----

# Tests that need clusters of servers, or modules.
REDIS_LEFT_OUT = ("cluster", "moduleapi", "printver")
REDIS_PORT = 21111


def apart(place, name):
    """A folder of links to what lies in redis', with a tests/tmp of its own: each run removes whatever it finds there,
    also the folders of servers of another one, which then cannot save and do not end."""
    folder = os.path.join(place, "hosts", name.replace("/", "-"))
    os.makedirs(os.path.join(folder, "tests", "tmp"), exist_ok=True)
    for part, own in (("", ("tests", "hosts")), ("tests", ("tmp",))):
        for entry in os.listdir(os.path.join(place, part)):
            link = os.path.join(folder, part, entry)
            if entry not in own and not os.path.lexists(link):
                os.symlink(os.path.join(place, part, entry), link)
    return folder


def redis(folder):
    """Each file of redis' suite, with servers and a folder of its own."""
    place = source(folder, "redis")
    tests = os.path.join(place, "tests")
    # As the package does not: its allocator is libc's, not jemalloc, which would bypass malloc.
    once(place, "server", lambda: call("make", "-C", "src", JOBS, "MALLOC=libc", "all", cwd=place))
    files = [p for part in ("unit", "integration")
             for p in glob.glob(os.path.join(tests, part, "**", "*.tcl"), recursive=True)]
    units = [os.path.relpath(p, tests)[:-4] for p in files]
    units = sorted(u for u in units if not any(left in u for left in REDIS_LEFT_OUT))
    return [Host(u, ["tclsh", "tests/test_helper.tcl", "--single", u, "--clients", "1", "--baseport",
                     str(REDIS_PORT + 100 * i), "--portcount", "100"], apart(place, u), {})
            for i, u in enumerate(units)]


# ---- valgrind ----

VALGRIND_TOOLS = ("memcheck", "none", "helgrind", "drd", "massif", "dhat")


def compile_alone(sources, built, *flags):
    """Compiles each file on its own; (name, path) of those that are whole programs."""
    os.makedirs(built, exist_ok=True)
    made = []
    for path in sources:
        to = os.path.join(built, base(path))
        if not os.path.exists(to):
            subprocess.run(["g++" if path.endswith(".cpp") else "gcc", "-w", "-g", "-O0", "-pthread", *flags, "-o", to,
                            path, "-lm", "-ldl", "-lrt"], capture_output=True, check=False)
        if os.path.exists(to):
            made.append((base(path), to))
    return made


def valgrind_tool(place, tool):
    tests = os.path.join(place, tool, "tests")
    sources = sorted(glob.glob(os.path.join(tests, "*.c")) + glob.glob(os.path.join(tests, "*.cpp")))
    made = compile_alone(sources, os.path.join(place, "built", tool), f"-I{place}", f"-I{place}/include",
                         f"-I{place}/{tool}", f"-I{place}/coregrind", "-DVGA_amd64=1", "-DVGO_linux=1",
                         "-DVGP_amd64_linux=1")
    return [Host(f"{tool}/{name}", [path], tests, {}) for name, path in made]


def valgrind(folder):
    """The programs of valgrind's tests that are one file, run without valgrind."""
    place = source(folder, "valgrind")
    with open(os.path.join(place, "config.h"), "a", encoding="utf-8"):
        pass
    return [host for tool in VALGRIND_TOOLS for host in valgrind_tool(place, tool)]


# ---- glibc ----

GLIBC_FOLDERS = ("malloc", "nptl", "dlfcn", "elf", "posix")
GLIBC_LIBRARIES = ("", "math", "elf", "dlfcn", "nss", "nis", "rt", "resolv", "mathvec", "support", "nptl", "malloc")


def build_glibc(place, built):
    os.makedirs(built, exist_ok=True)
    call(os.path.join(place, "configure"), "--prefix=/usr", "--disable-werror", "--disable-crypt", cwd=built)
    call("make", JOBS, cwd=built)
    for part in GLIBC_FOLDERS:
        # The tests are built, not run. Some need what a machine does not have.
        subprocess.run(["make", JOBS, "-k", "check", "run-built-tests=no", f"subdirs={part}"], cwd=built,
                       capture_output=True, check=False)


def glibc_env(built, name):
    """Variables that glibc's makefiles give to the variants of a test."""
    env = {"TIMEOUTFACTOR": "5", "LC_ALL": "C"}
    debug = os.path.join(built, "malloc", "libc_malloc_debug.so")
    if name.endswith("-malloc-check"):
        env.update(MALLOC_CHECK_="3", LD_PRELOAD=debug)
    elif name.endswith("-mcheck"):
        env.update(LD_PRELOAD=debug)
    elif name.endswith(("-malloc-hugetlb1", "-malloc-hugetlb2")):
        env.update(GLIBC_TUNABLES=f"glibc.malloc.hugetlb={name[-1]}")
    return env


def glibc_programs(built, part):
    for path in sorted(glob.glob(os.path.join(built, part, "*tst-*")) + glob.glob(os.path.join(built, part, "bug*"))):
        if os.path.isfile(path) and os.access(path, os.X_OK) and "." not in os.path.basename(path):
            yield path


def glibc(folder):
    """glibc's own tests, with the glibc that they were built with, started through its ld.so."""
    place = source(folder, "glibc")
    built = os.path.join(folder, "glibc-built")
    once(folder, "glibc", lambda: build_glibc(place, built))
    path = ":".join(os.path.join(built, part).rstrip("/") for part in GLIBC_LIBRARIES)
    start = [os.path.join(built, "elf", "ld-linux-x86-64.so.2"), "--library-path", path]
    return [Host(f"{part}/{base(p)}", start + [p], os.path.join(place, part), glibc_env(built, base(p)))
            for part in GLIBC_FOLDERS for p in glibc_programs(built, part)]


# ---- Python ----

# Modules of Python's suite that matter here: allocation, threads, processes, libraries in C.
PYTHON_TESTS = ("test_ctypes test_threading test_subprocess test_multiprocessing_fork test_mmap test_gc test_capi"
                " test_signal test_fork1 test_os test_posix test_socket test_ssl test_sqlite3 test_zlib test_json"
                " test_re test_list test_dict test_memoryview test_tracemalloc test_faulthandler test_asyncio"
                " test_concurrent_futures test_resource test_pty test_select test_pickle test_decimal").split()


def python(folder):
    """Modules of Python's own suite, with the allocator that asks malloc for every object."""
    return [Host(t, ["/usr/bin/python3", "-m", "test", t], folder, {"PYTHONMALLOC": "malloc"}) for t in PYTHON_TESTS]


# Suites whose programs use the same ports and files: one runs at a time.
ONE_AT_A_TIME = ("libuv", "bash")

SUITES = {"bash": bash, "lua": lua, "libuv": libuv, "redis": redis, "valgrind": valgrind, "glibc": glibc,
          "python": python}
