#!/usr/bin/python3
"""Threads that ended inside a hook leave their streams busy. The collector of a running program goes on all the same:
it gives space back, and the spool does not grow with the program, although no thread begins any more."""
# TIMEOUT 120
import os
import signal
import subprocess
import time

from chunks import COPY, chunks
from common import PROGRAMS, check, report, run_case, under_run

NAME = "left.mprof"
USED_AGAIN = 40  # times, of all slots together: of a window the ended threads may have left two, or thirty


def begin():
    """A running program, and the pid that it has said."""
    child = subprocess.Popen(under_run(NAME, [os.path.join(PROGRAMS, "left_busy")]), stdout=subprocess.PIPE)
    ready = child.stdout.readline().split()
    check(len(ready) == 2 and ready[0] == b"ready", f"it did not begin: {ready}")
    return child, int(ready[1])


def wait_until_recycled():
    """Until slots have been used again and again."""
    for _ in range(1200):
        found = chunks(NAME)
        if sum(sequence - 1 for sequence, flags, _, _ in found if sequence and not flags & COPY) >= USED_AGAIN:
            return
        time.sleep(0.05)
    check(False, f"nothing was given back: {sorted(set(found))}")


def main():
    child, pid = begin()
    try:
        wait_until_recycled()
    finally:
        os.kill(pid, signal.SIGKILL)
        child.wait()
    got = report(NAME)
    for key in ("lost", "unmatched_frees", "implied_frees"):
        check(got["quality"][key] == 0, f"{key} is {got['quality'][key]}")
    check(got["totals"]["frees"] > 100000, f"{got['totals']}")


run_case(main)
