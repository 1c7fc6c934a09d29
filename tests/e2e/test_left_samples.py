#!/usr/bin/python3
"""A daemon that outlives run keeps the samples of its resident set that run took, and its recorder goes on sampling."""
# TIMEOUT 120
import json
import os
import subprocess
import time

from common import MPROF, check, execute, mprof, report, run_case

MIB = 1 << 20
# Touches 60 MiB at once, or as its first words come (late), then allocates now and then until it is killed.
DAEMON = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
static void tall(void)
{
    char *p = mmap(NULL, 60 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(p, 1, 60 << 20);
    for (int i = 0; i < 80; i++) {
        free(malloc(100));
        usleep(10000);
    }
    munmap(p, 60 << 20);
}
int main(int argc, char **argv)
{
    FILE *f = fopen(argv[2], "w");
    if (argv[1][0] == 'f' && fork() != 0)
        return 0;
    fprintf(f, "%d\n", (int)getpid());
    fclose(f);
    if (strchr(argv[1], 'e'))
        tall();
    fclose(fopen("ready", "w"));
    while (access("late", F_OK) != 0) {
        free(malloc(100));
        usleep(10000);
    }
    if (strchr(argv[1], 'l'))
        tall();
    for (;;) {
        free(malloc(100));
        usleep(10000);
    }
}
"""


def outlived(how):
    """f: a forked child, x: an exec'd program, tall before run ends (e) or after it (l). The highest sample of its
    resident set while it still runs, and once it has been killed."""
    for old in ("late", "ready"):
        if os.path.exists(old):
            os.unlink(old)
    name, pid_file = f"{how}.mprof", f"{how}.pid"
    command = (f"./daemon {how} {pid_file} >/dev/null 2>&1 </dev/null {';' if how[0] == 'f' else '&'} "
               "until [ -e ready ]; do sleep 0.1; done; sleep 0.9")
    status, _, err = execute([MPROF, "run", "-q", "-T", "0.02", "-o", name, "--", "sh", "-c", command])
    check(status == 0 and "still run" in err, f"{how}: run: {status} {err}")
    with open(pid_file, encoding="ascii") as f:
        pid = int(f.read())
    try:
        with open("late", "w", encoding="ascii"):
            pass
        alive = highest_of(name, pid)
        os.kill(pid, 9)
        time.sleep(0.2)
        return alive, peak_of(name, pid)
    finally:
        subprocess.run(["kill", "-9", str(pid)], stderr=subprocess.DEVNULL, check=False)


def highest_of(name, pid):
    """While it runs: once it is tall, or in half a minute."""
    deadline = time.monotonic() + 30
    while True:
        highest = peak_of(name, pid)
        if highest >= 60 * MIB or time.monotonic() > deadline:
            return highest
        time.sleep(0.3)


def peak_of(name, pid):
    """Of the process, as whatever image."""
    return max(p["totals"]["rss_peak_bytes"] for p in json_processes(name) if p["pid"] == pid)


def json_processes(name):
    return json.loads(mprof("report", "--tree", "--json", name))["processes"]


def main():
    subprocess.run(["gcc", "-O0", "-o", "daemon", "-x", "c", "-"], input=DAEMON.encode(), check=True)
    for how in ("xe", "fe", "xl", "fl"):
        alive, dead = outlived(how)
        check(alive >= 60 * MIB, f"{how}: while it runs the highest sample is {alive}")
        check(dead >= 60 * MIB, f"{how}: once it has ended the highest sample is {dead}")
    left = [n for n in os.listdir(".") if n.endswith((".spool", ".part"))]
    check(left == [], f"left: {left}")
    check(report("xe.mprof")["running"] is False, "it still runs")


run_case(main)
