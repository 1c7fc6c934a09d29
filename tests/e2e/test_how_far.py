#!/usr/bin/python3
"""A view of a program that still runs says how far its data goes, not when the view was ready: collecting takes a while. A
child that has ended meanwhile is not drawn as alive."""
# TIMEOUT 120
import subprocess
import time

from common import check, preloaded, report, run_case

MUCH = r"""
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
    if (fork() == 0) {
        for (int i = 0; i < 1000; i++)
            free(malloc(10));
        raise(SIGKILL); /* its end is nowhere noted */
    }
    wait(NULL);
    for (int i = 0; i < 3000000; i++)
        free(malloc((size_t)(i % 1000)));
    puts("ready");
    fflush(stdout);
    sleep(60);
    return 0;
}
"""


def main():
    subprocess.run(["gcc", "-O0", "-o", "much", "-x", "c", "-"], input=MUCH.encode(), check=True)
    begin = time.monotonic()
    child = subprocess.Popen(["./much"], env=preloaded("much.mprof"), stdout=subprocess.PIPE)
    try:
        child.stdout.readline()
        asked = time.monotonic() - begin
        got = report("much.mprof")
        took = time.monotonic() - begin - asked
        check(got["running"], f"it does not run: {got['exit']}")
        check(took > 0.3, f"the view took only {took} s: this shows nothing")
        check(got["duration_s"] < asked + took / 3,
              f"asked after {asked} s, ready {took} s later, and the data goes to {got['duration_s']} s")
        check(got["duration_s"] > asked - 1, f"asked after {asked} s, and the data goes to {got['duration_s']} s only")
        forked = [p for p in got["children"] if p["kind"] == "fork"][0]
        check(forked["totals"]["allocations"] == 1000, f"{forked}")
    finally:
        child.kill()
        child.wait()


run_case(main)
