#!/usr/bin/python3
"""A spool that is being written is read as a snapshot: it stays, and later readings see more."""
# TIMEOUT 60
import os
import signal

from common import check, report, run_case
from counted import Counter, check_complete


def main():
    counter = Counter("preload", "live.mprof")
    before = counter.counted()
    first = report("live.mprof")
    check(first["running"] is True, "the first reading does not say that the program runs")
    check(os.path.exists("live.mprof.spool") and not os.path.exists("live.mprof"), "a living spool was collected")
    events = first["totals"]["allocations"] + first["totals"]["frees"]
    check(events >= before, f"{events} events in the snapshot, {before} were counted before it")
    second = report("live.mprof")
    check(second["totals"]["allocations"] > first["totals"]["allocations"], "the second reading saw no more")
    check(second["quality"]["unmatched_frees"] == 0 and second["quality"]["implied_frees"] == 0, "matching")
    os.kill(counter.pid, signal.SIGKILL)
    counter.child.wait()
    got = check_complete(counter)
    check(got["running"] is False, "the dead program is said to run")
    check(os.path.exists("live.mprof") and not os.path.exists("live.mprof.spool"), "the dead spool was not collected")


run_case(main)
