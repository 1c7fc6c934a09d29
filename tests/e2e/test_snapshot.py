#!/usr/bin/python3
"""A spool that is being written is read as a snapshot: it stays, and later readings see more."""
# TIMEOUT 60
import os
import signal

from common import check, run_case
from counted import LONG, Counter, check_complete, snapshot


def main():
    # With rests: three busy threads write faster than one reader reads, so a reading would take longer than the one
    # before, and on a busy machine for ever.
    counter = Counter("preload", "live.mprof", seconds=LONG, pause=20000)
    counter.wait_for_events()
    first = snapshot(counter)
    check(os.path.exists("live.mprof.spool") and not os.path.exists("live.mprof"), "a living spool was collected")
    events = first["totals"]["allocations"] + first["totals"]["frees"]
    counter.wait_for_more(events)
    second = snapshot(counter)
    check(second["totals"]["allocations"] > first["totals"]["allocations"], "the second reading saw no more")
    os.kill(counter.pid, signal.SIGKILL)
    counter.child.wait()
    got = check_complete(counter)
    check(got["running"] is False, "the dead program is said to run")
    check(os.path.exists("live.mprof") and not os.path.exists("live.mprof.spool"), "the dead spool was not collected")


run_case(main)
