#!/usr/bin/python3
"""The resident set: the kernel's high-water mark misses nothing and is one process's own; samples go on over an exec; a
program that still runs has both."""
# TIMEOUT 120
import json
import os
import signal
import subprocess
import time

from common import MPROF, check, execute, mprof, preloaded, report, run_case, under_run

MIB = 1 << 20
# Touches N MiB for a moment between two samples, and says what the kernel says of it at its end.
TALL = r"""
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
static void touch(size_t mib)
{
    char *p = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(p, 1, mib << 20);
    munmap(p, mib << 20);
}
static void say(void)
{
    char line[256];
    FILE *f = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, f))
        if (strncmp(line, "VmHWM:", 6) == 0)
            printf("%d %ld\n", (int)getpid(), atol(line + 6));
    fclose(f);
    fflush(stdout);
}
int main(int argc, char **argv)
{
    char how = argc > 2 ? argv[2][0] : 'e';
    free(malloc(100));
    if (how == 'f' && fork() == 0) { /* the child is tall, the parent is not */
        touch((size_t)atoi(argv[1]));
        say();
        exit(0);
    }
    if (how == 'f') {
        int status;
        wait(&status);
        free(malloc(100));
        say();
        return 0;
    }
    touch((size_t)atoi(argv[1]));
    say();
    if (how == 'k')
        raise(SIGKILL);
    if (how == 's')
        sleep(60);
    return 0;
}
"""


def marks(out):
    """What each process said, by its pid, in bytes."""
    return {int(pid): int(kib) << 10 for pid, kib in (line.split() for line in out.splitlines())}


def check_mark(what, totals, want, least):
    got = totals["rss_high_water_bytes"]
    check(want >= least, f"{what}: the program itself says {want}")
    check(want <= got <= want + MIB, f"{what}: the high-water mark is {got}, the kernel said {want}")


def ends():
    for way in ("run", "preload"):
        name = f"{way}.mprof"
        command = ["./tall", "64"]
        status, out, err = (execute([MPROF, "run", "-o", name, "--", *command]) if way == "run"
                            else execute(command, env=preloaded(name)))
        check(status == 0, f"{way}: {err}")
        want = list(marks(out).values())[0]
        got = report(name)
        check_mark(way, got["totals"], want, 64 * MIB)
        shown = f"{got['totals']['rss_high_water_bytes'] / MIB:.2f} MiB (the kernel's high-water mark)"
        check(shown in mprof("report", name), f"{way}: report:\n{mprof('report', name)}")
        check(way == "preload" or shown in err, f"run says: {err}")
        shown = [line.split("\t")[0].strip() for line in mprof("peak", name).splitlines()[1:]]
        check(shown == ["mapped", "RSS"], f"{way}: {mprof('peak', name)}")
        check("\n  RSS\t6" in mprof("peak", name), f"{way}: {mprof('peak', name)}")
    # Without any sample, too.
    status, out, _ = execute([MPROF, "run", "-q", "-T", "0", "-o", "none.mprof", "--", "./tall", "64"])
    got = report("none.mprof")["totals"]
    check(got["rss_peak_bytes"] == 0, f"-T 0: {got}")
    check_mark("-T 0", got, list(marks(out).values())[0], 64 * MIB)


def killed():
    status, out, err = execute([MPROF, "run", "-o", "killed.mprof", "--", "./tall", "64", "k"])
    check(status == -signal.SIGKILL, f"killed: {status} {err}")
    check_mark("killed", report("killed.mprof")["totals"], list(marks(out).values())[0], 64 * MIB)


def forked():
    """Each process has its own mark. By memory the parent only starts the child, so run and report show both together
    and then the child: what stands beside its memory is its own mark."""
    for way in ("run", "preload"):
        name = f"forked-{way}.mprof"
        command = ["./tall", "64", "f"]
        status, out, err = (execute([MPROF, "run", "-o", name, "--", *command]) if way == "run"
                            else execute(command, env=preloaded(name)))
        check(status == 0, f"{name}: {err}")
        said, got = marks(out), report(name)
        check_mark(f"{name}: parent", got["totals"], said[got["pid"]], MIB)
        check(said[got["pid"]] < 32 * MIB, f"{name}: {said}")
        child = got["children"][0]
        check_mark(f"{name}: child", child["totals"], said[child["pid"]], 64 * MIB)
        own, childs = (f"{one['totals']['rss_high_water_bytes'] / MIB:.2f} MiB" for one in (got, child))
        biggest = " ".join(mprof("report", name).split("The biggest:")[1].split())
        check(f"process {child['pid']}, forked by {got['pid']}" in biggest, f"{name}: {biggest}")
        check(f"RSS peak {childs} (the kernel's high-water mark)" in biggest, f"{name}: {childs}: {biggest}")
        check(way == "preload" or f"its peak RSS {childs} (the kernel's" in err, f"{name}: {childs}: {err}")
        check(f" {own} (the kernel's" in mprof("report", "--pid", str(got["pid"]), name), f"{name}: the parent alone")


def replaced():
    """The samples of the image before the exec end there, and the next one has its own."""
    execute(["sh", "-c", "true"])
    script = 'x=$(echo); sleep 0.4; exec ./tall 64 s'
    run = subprocess.Popen([MPROF, "run", "-q", "-T", "0.02", "-t", "1.5", "-o", "exec.mprof", "--", "sh", "-c", script],
                           stdout=subprocess.DEVNULL)
    run.wait()
    first, second = report("exec.mprof"), None
    for name in sorted(os.listdir(".")):
        if name.startswith("exec.mprof.") and not name.endswith(".spool"):
            got = report(name)
            second = got if got["pid"] == first["pid"] else second
    check(second is not None and second["command"][0] == "./tall", f"exec: {os.listdir('.')}")
    check(0 < first["totals"]["rss_peak_bytes"] < 32 * MIB, f"exec: before: {first['totals']}")
    check(first["totals"]["rss_high_water_bytes"] < 32 * MIB, f"exec: before: {first['totals']}")
    check(first["duration_s"] < 1.2, f"exec: the first image goes on for {first['duration_s']} s")
    check(second["totals"]["rss_peak_bytes"] > 0, f"exec: after: {second['totals']}")
    check(second["totals"]["rss_high_water_bytes"] >= 64 * MIB, f"exec: after: {second['totals']}")
    mprof("plot", "-C", "-o", "exec.svg", "exec.mprof")
    with open("exec.svg", encoding="utf-8") as f:
        check("RSS samples" in f.read(), "exec: plot -C has no line of the resident set")


def exec_of_a_child():
    """What is seen of a child once it has become another program is never given to the image that forked it. The child
    waits before its exec, so that it is watched; the sampler looks every few milliseconds, the collector learns of the
    exec much later."""
    os.mkfifo("fifo")
    holder = "/usr/bin/python3 -c 'import time; x = bytearray(64 << 20); time.sleep(0.4)'"
    for turn, command in enumerate(["./tall 64"] * 5 + [f"(read -t 0.3 x <>fifo; exec {holder})"] * 3):
        name = f"turn{turn}.mprof"
        execute([MPROF, "run", "-q", "-T", "0.005", "-o", name, "--", "bash", "-c", command + "; true"])
        children = report(name)["children"]
        forked = [child["totals"] for child in children if child["kind"] == "fork"]
        check(forked and any(child["kind"] == "exec" for child in children), f"{name}: {children}")
        for totals in forked:
            check(max(totals["rss_peak_bytes"], totals["rss_high_water_bytes"]) < 32 * MIB, f"{name}: {totals}")


def alive():
    """A view of a program that runs under run has its samples so far, and the mark of this moment."""
    run = subprocess.Popen(under_run("alive.mprof", ["./tall", "64", "s"])[:3] +
                           ["-T", "0.02", "-o", "alive.mprof", "--", "./tall", "64", "s"], stdout=subprocess.DEVNULL)
    try:
        time.sleep(2.5)
        got = report("alive.mprof")
        check(got["running"], f"alive: {got['exit']}")
        check(got["totals"]["rss_high_water_bytes"] >= 64 * MIB, f"alive: {got['totals']}")
        check(got["totals"]["rss_peak_bytes"] > 0, f"alive: {got['totals']}")
        text = mprof("report", "alive.mprof")
        check("(the kernel's high-water mark)" in text, f"alive:\n{text}")
        mprof("plot", "-o", "alive.svg", "alive.mprof")
        with open("alive.svg", encoding="utf-8") as f:
            drawn = f.read()
        check("RSS samples" in drawn and "RSS high-water mark" in drawn, "alive: plot has no resident set")
        # More than a few samples are a line without marks.
        check("href='#gpPt6'" not in drawn, "alive: the samples that run has taken so far are not there")
    finally:
        run.send_signal(signal.SIGTERM)
        run.wait()
    plain = subprocess.Popen(["./tall", "64", "s"], env=preloaded("preload-alive.mprof"), stdout=subprocess.DEVNULL)
    try:
        time.sleep(0.7)
        got = report("preload-alive.mprof")
        check(got["running"] and got["totals"]["rss_high_water_bytes"] >= 64 * MIB, f"alive by preload: {got}")
    finally:
        plain.kill()
        plain.wait()


def main():
    subprocess.run(["gcc", "-O1", "-o", "tall", "-x", "c", "-"], input=TALL.encode(), check=True)
    ends()
    killed()
    forked()
    replaced()
    exec_of_a_child()
    alive()


run_case(main)
