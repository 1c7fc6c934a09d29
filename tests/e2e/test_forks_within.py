#!/usr/bin/python3
"""A handler forks within a fork, within a handler within a hook, or where memory of ours goes: each process has what it
did, and what it had from its parent, and keeps its own memory. A recorder sends the signals at these places."""
# TIMEOUT 300
import os
import signal

from common import LIB, MPROF, PROGRAMS, check, execute, report, run_case

WITHIN = os.path.join(PROGRAMS, "trap_within")
BUILD = os.path.join(os.path.dirname(LIB), "delays")
ROUNDS, KEPT, BLOCKS, WINDOW_BLOCKS = 20, 20, 50, 2000000
LEVELS = (signal.SIGUSR1.value, signal.SIGUSR2.value, 34, 35)
MAKERS = (("fork", "fork"), ("fork", "raw"), ("raw", "raw"), ("number", "number"))
# Where the signal comes: the FORK is written, and the kernel has not copied; it has, and the child does not know. Then
# how many children a round has: the handler's, and the child of each process that goes on in the fork.
PLACES = {"announced": 3, "forked": 2}


def recorded(how, name, points, *words):
    env = {**os.environ, "MPROF_DELAYS": points}
    if how == "preload":
        env.update(LD_PRELOAD=os.path.join(BUILD, "libmprof.so"), MPROF_OUTPUT=os.path.abspath(name))
        return execute([WITHIN, *words], env=env)
    return execute([os.path.join(BUILD, "mprof-c"), "run", "-q", "-o", name, "--", WITHIN, *words], env=env)


def family(process):
    return [process] + [p for c in process.get("children", []) for p in family(c)]


def check_process(who, process, frees):
    check(process["totals"]["frees"] in frees, f"{who}: {process['totals']['frees']} frees, not {frees}")
    for key in ("lost", "unmatched_frees", "implied_frees"):
        check(process["quality"][key] == 0, f"{who}: {key} is {process['quality'][key]}")


def check_way(words, points, first_frees, frees, count):
    """frees: what each child may have; count: how many of them there may be."""
    for how in ("preload", "run"):
        who, name = f"{' '.join(words)} ({how}, {points})", f"{'-'.join(words)}-{points[:5]}-{how}.mprof"
        done = recorded(how, name, points, *words)
        check(done == (0, "", ""), f"{who}: {done}")
        got = report(name)
        check(not got["cut"], f"{who}: it is cut")
        check_process(who, got, (first_frees,))
        children = family(got)[1:]
        check(len(children) in count, f"{who}: {len(children)} children, not {count}")
        for i, child in enumerate(children, 1):
            check_process(f"{who}: child {i}", child, frees)


def main():
    for makers in MAKERS:
        words = ("forks", *makers)
        check(execute([WITHIN, *words]) == (0, "", ""), f"{words}: without recording")
        for place, children in PLACES.items():
            check_way(words, f"{place}=1000000:!{LEVELS[0]}", ROUNDS * KEPT + BLOCKS, (KEPT + BLOCKS,),
                      (ROUNDS * children,))
        for place in ("busy", "timed", "committed"):  # what was interrupted may be a free, and the child's
            check_way(("cramped", *makers), f"{place}=1000000:!{LEVELS[0]}", 2 * ROUNDS + BLOCKS, (BLOCKS, BLOCKS + 1),
                      range(2 * ROUNDS, 100 * ROUNDS))
    points = "busy=1000000:!{},timed=1000000:!{},encoded=1000000:!{},committed=1000000:!{}".format(*LEVELS)
    for level in range(1, 3):
        # Main's own block and those of the handlers that return.
        frees = 1 + ROUNDS * (1 + KEPT + level) + BLOCKS
        check_way(("nested", str(LEVELS[level])), points, frees, (KEPT + BLOCKS + 1 + level,), (ROUNDS,))
    # Another thread stands still where a window has just gone; while it is collected, hardly one does.
    check_way(("window",), "gone=1000000:30000", WINDOW_BLOCKS + BLOCKS, (BLOCKS,), range(1, 10000))


run_case(main)
