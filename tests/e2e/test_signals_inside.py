#!/usr/bin/python3
"""Handlers that fork or jump away while a hook opens a chunk or a thread begins: parent and children record all they do,
as the program is built, and with a recorder that stands still in these places."""
# TIMEOUT 700
import os
import signal

from chunks import TAKEN, chunks
from common import LIB, MPROF, PROGRAMS, TESTS, check, execute, reader, report, run_case

INSIDE = os.path.join(PROGRAMS, "trap_inside")
FORKS, BLOCKS = 12, 50
WARM, TURNS, CHILD_TURNS, LATE_TURNS, PAIR_TURNS = 10000, 40000, 15000, 20000, 1000
# way: (frees of the first process, of each child, maps of the first process, of each child; None: chance). What was
# interrupted may be the child's event, too.
WAYS = {
    "chunks": (BLOCKS, (BLOCKS,), (WARM + TURNS,), (CHILD_TURNS, CHILD_TURNS + 1)),
    "late": (BLOCKS, (BLOCKS,), (LATE_TURNS,), (0, 1)),
    "begins": (BLOCKS, (2 * BLOCKS,), None, (2 * PAIR_TURNS, 2 * PAIR_TURNS + 1)),
    "nested": (BLOCKS + 2 * FORKS, (2 * BLOCKS, 2 * BLOCKS + 1), None, (2 * PAIR_TURNS, 2 * PAIR_TURNS + 1)),
    "jumps": (BLOCKS * (FORKS + 1), (), None, None),
}
# Where it stands still: nowhere, where places have no owner yet, and where states have none.
STILL = (
    None,
    "claimed=700000:500,placed=700000:500,held=700000:500,laid out=300000:300,marked=300000:300",
    "slot laid out=300000:300,window laid out=1000000:4000,numbered=1000000:1000,begun=1000000:2000",
)
INSIDE_EVENTS = "busy=5000:1000,timed=5000:1000,committed=5000:1000"
EACH_EVENT, EACH_TURNS = f"busy=1000000:!{signal.SIGUSR1.value}", 240
# Blocks that are made, moved and freed, and where a signal comes in each event.
STRUCK = (("blocks", 150, ("busy",)), ("blocks", 150, ("timed",)), ("raw", 150, ("busy",)), ("raw", 150, ("timed",)),
          ("again", 20, ("busy", "timed")))


def recorded(way, how, still, name, **more):
    """Runs it, recorded by preload or under run."""
    folder = os.path.join(os.path.dirname(LIB), "delays" if still else "")
    library, command = os.path.join(folder, "libmprof.so"), os.path.join(folder, os.path.basename(MPROF))
    env = {**os.environ, "MPROF_DELAYS": still or "", **more}
    if how == "preload":
        return execute([INSIDE, way], env={**env, "LD_PRELOAD": library, "MPROF_OUTPUT": os.path.abspath(name)})
    return execute([command, "run", "-q", "-o", name, "--", INSIDE, way], env=env)


def check_process(who, process, frees):
    check(process["totals"]["frees"] in frees, f"{who}: {process['totals']['frees']} frees, not {frees}")
    for key in ("lost", "unmatched_frees", "implied_frees"):
        check(process["quality"][key] == 0, f"{who}: {key} is {process['quality'][key]}")


def check_maps(who, spool, first, each):
    for process in reader(spool)["processes"]:
        wanted = each if process["serial"] else first
        check(not wanted or process["maps"] in wanted,
              f"{who}: process {process['serial']} has {process['maps']} mappings, not {wanted}")


def check_births(who, spool):
    """No other thread had an event during a fork, so no child's memory shows more of its parent than the FORK."""
    status, out, err = execute([os.path.join(TESTS, "spool_reader.py"), "--events", spool])
    check(status == 0, f"{who}: the second reader: {err}")
    check(" label 0x10003 " not in out, f"{who}: a child was born later than its fork")


def check_way(way, how, still):
    frees, child_frees, maps, child_maps = WAYS[way]
    name = f"{way}-{how}-{STILL.index(still) if still in STILL else 'inside'}.mprof"
    who = f"{way} ({how}, {still})"
    done = recorded(way, how, still, name)
    check(done == (0, "", ""), f"{who}: {done}")
    if how == "preload":
        check_maps(who, name + ".spool", maps, child_maps)
        if way == "begins":
            check_births(who, name + ".spool")
        taken = sum(state == TAKEN for _, _, state, _ in chunks(name))
        check(taken == 0, f"{who}: {taken} slots are taken by nobody")
    got = report(name)
    check(not got["cut"], f"{who}: it is cut")
    check_process(who, got, (frees,))
    children = [c for c in got["children"] if c["kind"] == "fork"]
    wanted = FORKS if child_frees else 0
    check(len(children) == wanted, f"{who}: {len(children)} children, not {wanted}")
    for i, child in enumerate(children, 1):
        check_process(f"{who}: child {i}", child, child_frees)


def check_each_event():
    """A fork in each event, so also in those that find their chunk full: the child's own goes into a chunk of its own."""
    for how in ("preload", "run"):
        name = f"each-{how}.mprof"
        done = recorded("each", how, EACH_EVENT, name)
        check(done == (0, "", ""), f"each ({how}): {done}")
        got = report(name)
        check(not got["cut"], f"each ({how}): it is cut")
        check_process(f"each ({how})", got, (BLOCKS,))
        children = [c for c in got["children"] if c["kind"] == "fork"]
        check(len(children) >= 3 * EACH_TURNS, f"each ({how}): only {len(children)} children")
        for i, child in enumerate(children, 1):
            check_process(f"each ({how}): child {i}", child, (BLOCKS,))


def check_each_event_of_blocks():
    """What a hook was about to record at the fork is in the child, too: its own where the time came behind the FORK, else
    inherited. A free that it lacked would be an implied one, as its own blocks come to the same places."""
    for way, turns, points in STRUCK:
        for how in ("preload", "run"):
            name, who = f"{way}-{'-'.join(points)}-{how}.mprof", f"{way} ({how}, {points})"
            done = recorded(way, how, ",".join(f"{p}=1000000:!{signal.SIGUSR1.value}" for p in points), name)
            check(done == (0, "", ""), f"{who}: {done}")
            got = report(name)
            check_process(who, got, (BLOCKS + 2 * turns + 1,))
            children = [c for c in got["children"] if c["kind"] == "fork"]
            check(len(children) >= 3 * turns, f"{who}: only {len(children)} children")
            for i, child in enumerate(children, 1):
                check_process(f"{who}: child {i}", child, (BLOCKS + 1, BLOCKS + 2, BLOCKS + 3))
                live = child["totals"]["live_at_end_blocks"]
                check(live == 0, f"{who}: child {i} leaves {live} blocks")


def check_no_children():
    """Children that are not recorded do not touch the spool, not even where they finish their parent's event."""
    for i, still in enumerate((None, INSIDE_EVENTS)):
        name = f"alone{i}.mprof"
        done = recorded("late", "preload", still, name, MPROF_CHILDREN="0")
        check(done == (0, "", ""), f"no children ({still}): {done}")
        check_maps(f"no children ({still})", name + ".spool", (LATE_TURNS,), None)
        got = report(name)
        check(got["children"] == [] and not got["cut"], f"no children ({still}): {got['children']}")
        check_process(f"no children ({still})", got, (BLOCKS,))


def main():
    for way in WAYS:
        check(execute([INSIDE, way]) == (0, "", ""), f"{way}: without recording")
        for how in ("preload", "run"):
            for still in STILL:
                check_way(way, how, still)
    check_way("late", "preload", INSIDE_EVENTS)
    check_way("late", "run", INSIDE_EVENTS)
    check_each_event()
    check_each_event_of_blocks()
    check_no_children()


run_case(main)
