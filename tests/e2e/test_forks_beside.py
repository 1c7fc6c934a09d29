#!/usr/bin/python3
"""A fork finds another thread in the middle of beginning, or of taking a sample, and a handler jumps out of a sample:
the child's threads have states of their own, and samples go on."""
import os

from common import LIB, PROGRAMS, check, execute, reader, report, run_case

BESIDE = os.path.join(PROGRAMS, "trap_beside")
BLOCKS, TURNS = 20000, 100


def recorded(way, still, children, **more):
    """The second reader's view of it and mprof-c's report, recorded by a library that stands still."""
    name = way + ".mprof"
    env = {**os.environ, "LD_PRELOAD": os.path.join(os.path.dirname(LIB), "delays", "libmprof.so"),
           "MPROF_OUTPUT": os.path.abspath(name), "MPROF_DELAYS": still, **more}
    done = execute([BESIDE, way], env=env)
    check(done == (0, "", ""), f"{way}: {done}")
    second = reader(name + ".spool")["processes"]
    got = report(name)
    processes = [got, *(c for c in got["children"] if c["kind"] == "fork")]
    check(len(processes) == children + 1, f"{way}: {len(processes)} processes")
    for process in processes:
        for key in ("lost", "unmatched_frees", "implied_frees"):
            check(process["quality"][key] == 0, f"{way}: {key} is {process['quality'][key]}")
    return second[1:], processes[1:], second[0]


def main():
    for child in recorded("states", "numbered=1000000:60000", 5)[1]:
        check(child["totals"]["frees"] == 2 * BLOCKS, f"states: {child['totals']}")
    for child in recorded("samples", "sampling=1000000:80000", 3, MPROF_INTERVAL="0.01")[0]:
        check(child["samples"] > 0, f"samples: {child}")
    taken = recorded("jumps", "sampling=1000000:20000", 0, MPROF_INTERVAL="0.005")[2]["samples"]
    check(taken >= TURNS / 2, f"jumps: only {taken} samples")


run_case(main)
