#!/usr/bin/python3
"""The moment at which a process leaves without destructors is in the recording: its memory counts until then, and nobody
else's end is taken for it."""
import json
import os

from common import PROGRAMS, check, execute, mprof, preloaded, run_case, under_run

LEAVING = os.path.join(PROGRAMS, "leaving")
MIB = 1 << 20


def check_family(how, name, parent_exit):
    got = json.loads(mprof("report", "--tree", "--json", name))
    peak = got["totals"]["peak_bytes"]
    check(48 * MIB <= peak < 49 * MIB, f"{how}: the highest sum is {peak / MIB:.3f} MiB, not 48")
    parent, *all_children = got["processes"]
    children = [c for c in all_children if c["totals"]["allocations"]]
    check(parent["exit"] == parent_exit, f"{how}: the parent's end is {parent['exit']}")
    check(len(children) == 5 and len(all_children) == 6, f"{how}: {len(children)} of {len(all_children)} children")
    check(got["gaps"]["unended_processes"] == (parent_exit is None), f"{how}: {got['gaps']}")
    for child in all_children:  # the sixth was forked by its number
        check(child["exit"] == {"code": None}, f"{how}: a child's end is {child['exit']}")
    for child in children:
        lived = child["end_s"] - child["begin_s"]
        check(0.2 <= lived, f"{how}: a child lived for {lived} s")
        check(parent_exit is None or child["end_s"] <= parent["end_s"] + 0.1, f"{how}: a child ends after its parent")
        check(child["totals"]["rss_high_water_bytes"] > 0, f"{how}: nobody has read a child's high-water mark")


def killed_child():
    """Of a child that is killed nobody knows how long it held its memory: the sum says so."""
    status, out, err = execute([LEAVING, "child"], env=preloaded("child.mprof"))
    check((status, out, err) == (10, "", ""), f"a killed child: {status} {out}{err}")
    gaps = json.loads(mprof("report", "--tree", "--json", "child.mprof"))["gaps"]
    check(gaps["unended_processes"] == 1, f"a killed child: {gaps}")
    peak = mprof("peak", "--tree", "child.mprof").splitlines()[0]
    check(peak.endswith("(at least)"), f"a killed child: {peak}")
    text = mprof("report", "--tree", "child.mprof")
    check("1 process whose end nobody saw" in text, text)
    check("(at least)" not in mprof("peak", "child.mprof"), "the parent's own peak is known")


def main():
    plain = execute([LEAVING])
    check(plain[0] == 10, f"without recording: {plain}")
    for how, command, more, options in (
            ("preload", [LEAVING], [], {"env": preloaded("preload.mprof")}),
            ("killed", [LEAVING, "parent"], [], {"env": preloaded("killed.mprof")}),
            ("run", under_run("run.mprof", [LEAVING]), [], {})):
        status, out, err = execute(command + more, **options)
        want = -9 if how == "killed" else 10
        check((status, out, err) == (want, "", ""), f"{how}: {status} {out}{err}")
        check_family(how, how + ".mprof", {"preload": {"code": None}, "killed": None, "run": {"code": 10}}[how])
    killed_child()


run_case(main)
