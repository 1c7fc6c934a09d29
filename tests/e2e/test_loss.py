#!/usr/bin/python3
"""What finds no room is counted: totals are those of a recording with room for all, every view tells what was lost,
the program notices nothing; with room again, recording goes on."""
# TIMEOUT 180
import contextlib
import json
import os
import re
import resource
import subprocess

from common import (MPROF, PROGRAMS, check, copy_sparse, execute, leaks, mprof, preloaded, reader, report, run_case,
                    under_run)

LOSSY = os.path.join(PROGRAMS, "lossy")
THREADS, ROUNDS = 3, 40000
COMMAND = [LOSSY, str(THREADS), str(ROUNDS)]
EXACT = ("allocations", "frees", "allocated_bytes")
SMALL = 4 << 20


def forks(got):
    return [c for c in got["children"] if c["kind"] == "fork"]


def compare(what, want, got):
    """Totals of two recordings, the children's too; the second has lost something."""
    check(want["quality"]["lost"] == 0, f"there is no room for the whole: {want['quality']}")
    check(got["quality"]["lost"] > 1000, f"{what}: only {got['quality']['lost']} events were lost")
    check(len(forks(want)) == len(forks(got)) == 1, f"{what}: children {got['children']}")
    for a, b in ((want, got), (forks(want)[0], forks(got)[0])):
        for key in EXACT:
            check(a["totals"][key] == b["totals"][key], f"{what}: {key} {b['totals'][key]}, not {a['totals'][key]}")


def check_whole(got):
    """What the source says, and the vectors of the threads."""
    totals = got["totals"]
    check(totals["allocations"] == THREADS * (2 * ROUNDS + 1), f"the program: {totals}")
    child = forks(got)[0]["totals"]
    check([child[k] for k in EXACT] == [2 * ROUNDS, 2 * ROUNDS, 140 * ROUNDS], f"the child: {child}")


def check_sums(what, got):
    """Functions have what was recorded: the rest is what was lost."""
    quality, totals = got["quality"], got["totals"]
    for key, lost in (("allocations", "lost_allocations"), ("allocated_bytes", "lost_bytes")):
        recorded = sum(f["self"][key] for f in got["functions"])
        check(recorded + quality[lost] == totals[key],
              f"{what}: {recorded} {key} of functions and {quality[lost]} lost are not {totals[key]}")
    check(quality["lost"] >= quality["lost_allocations"] + quality["lost_frees"], f"{what}: {quality}")
    check(0 < quality["lost_since_s"] <= got["duration_s"], f"{what}: lost since {quality['lost_since_s']}")


def check_views(name, got):
    lost = f"{got['quality']['lost']:,} events lost since"
    allocations = f"{got['quality']['lost_allocations']:,} allocations of"
    for command in (["report", name], ["leaks", name], ["peak", name], ["plot", "-o", name + ".svg", name],
                    ["plot", name]):
        status, out, err = execute([MPROF, *command])
        check(status == 0, f"{command}: {err}")
        if command[1] == "-o":
            with open(name + ".svg", encoding="utf-8") as f:
                out = f.read()
        for text in (lost, allocations):
            flat = " ".join((out if command[0] != "peak" else err).split())
            check(text in flat, f"{command} does not say '{text}': {out}{err}")
        check("(about)" in out or "(at least)" in out, f"{command} gives no bound: {out}")
        if command[0] == "report":
            check("\n(without what was lost: each about so much" in out, f"functions have no bound: {out}")
        if command[0] == "plot":
            peak = next(line for line in out.splitlines() if " at " in line and "peak " in line)
            check("(about)" in peak or "(at least)" in peak, f"the peak has no bound: {peak}")
            check("own peaks of functions (about):" in out, f"{command}: functions have no bound: {out}")
    # Of several recordings the foot says whose loss it is.
    execute([MPROF, "run", "-q", "-o", "whole.mprof", "--", os.path.join(PROGRAMS, "single")])
    for order in ([name, "whole.mprof"], ["whole.mprof", name]):
        mprof("plot", "-o", "both.svg", *order)
        with open("both.svg", encoding="utf-8") as f:
            out = f.read()
        check(f"{name}: {lost}" in out, f"two recordings: {out[-3000:]}")
        check(re.search(r"peak [^<]*\((about|at least)\)", out), "two recordings: the peak has no bound")
    for key in ("lost", "lost_allocations", "lost_bytes", "lost_frees"):
        check(leaks(name)["quality"][key] == got["quality"][key], f"leaks --json: {key}")


def check_reader(name, got):
    """The second reader counts the same."""
    processes = reader(name)["processes"]
    for theirs, ours in zip(processes, (got, forks(got)[0])):
        for key in (*EXACT, "lost"):
            want = ours["quality"][key] if key == "lost" else ours["totals"][key]
            check(theirs[key] == want, f"{name}: second reader: {key} {theirs[key]}, not {want}")


def limited(name, plain, whole, what, **options):
    """Records with too little room, both checked against the plain run and the whole recording."""
    env = {**preloaded(name), **options.pop("env", {})}
    done = execute(COMMAND, env=env, **options)
    check(done == plain, f"{what}: {done}, plain {plain}")
    copy_sparse(name + ".spool", name + ".copy")
    got = report(name)
    compare(what, whole, got)
    check_sums(what, got)
    check_reader(name + ".copy", got)
    return got


def small_limits(plain, whole):
    got = limited("limit.mprof", plain, whole, "MPROF_LIMIT", env={"MPROF_LIMIT": "4"})
    check_views("limit.mprof", got)
    limited("fsize.mprof", plain, whole, "RLIMIT_FSIZE",
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, SMALL)))
    status, out, err = execute(under_run("run.mprof", COMMAND), env={**os.environ, "MPROF_LIMIT": "4"})
    check((status, out) == plain[:2], f"run: {status} {out} {err}")
    compare("run", whole, report("run.mprof"))
    check_sums("run", report("run.mprof"))
    status, out, err = execute([MPROF, "run", "-o", "loud.mprof", "--", *COMMAND],
                               env={**os.environ, "MPROF_LIMIT": "4"})
    quality = json.loads(mprof("report", "--tree", "--json", "loud.mprof"))["quality"]
    for text in (f"{quality['lost']:,} events: {quality['lost_allocations']:,} allocations of", "(about)"):
        check(text in err, f"run does not say '{text}': {err}")


def too_many_children():
    """The table of processes is full: what the rest of them do is counted together."""
    status, out, err = execute([LOSSY, "forks", "1100"], env={**preloaded("forks.mprof"), "MPROF_LIMIT": "16"})
    check((status, out, err) == (0, "", ""), f"1,100 children: {status} {out} {err}")
    got = report("forks.mprof")
    placed = [c for c in forks(got) if c["totals"]["allocations"]]
    quality = got["quality"]
    check(0 < quality["unplaced_children"] == 1100 - len(placed), f"{len(placed)} children, {quality}")
    check(quality["unplaced_events"] == 2 * quality["unplaced_children"], f"events of the others: {quality}")
    text = f"{quality['unplaced_children']} children without a place in the spool"
    check(text in " ".join(mprof("report", "forks.mprof").split()), f"report does not say '{text}'")


@contextlib.contextmanager
def small_disk(size):
    """A folder with little room; None where it cannot be made."""
    os.makedirs("disk", exist_ok=True)
    mounted = os.getuid() == 0 and execute(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", "disk"])[0] == 0
    try:
        yield "disk" if mounted else None
    finally:
        if mounted:
            execute(["umount", "-l", "disk"])


def full_disk(plain, whole):
    """The disk is full in the middle, then there is room again."""
    with small_disk("6m") as disk:
        if not disk:
            return False
        with open("disk/other", "wb") as f:
            f.write(bytes(3 << 20 | 1 << 19))
        name = "disk/full.mprof"
        child = subprocess.Popen([*COMMAND, "wait"], env={**preloaded(name), "MPROF_LIMIT": "64"},
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        check(child.stdout.readline() == b"waiting\n", "the program on the full disk does not get on")
        os.unlink("disk/other")
        out, err = child.communicate(b"\n")
        check((child.returncode, out, err) == (plain[0], b"", b""), f"full disk: {child.returncode} {out} {err}")
        copy_sparse(name + ".spool", "full.mprof.spool")
    got = report("full.mprof")
    got["totals"]["allocations"] -= 1000
    got["totals"]["frees"] -= 1000
    got["totals"]["allocated_bytes"] -= 24000
    compare("full disk", whole, got)
    second = [f for f in got["functions"] if f["name"] == "second"]
    check(second and second[0]["self"]["allocations"] == 1000, f"what came behind the loss: {second}")
    return True


def run_on_full_disk(plain, whole):
    """The collector has no room either: the program's status passes, the spool stays and is read later."""
    with small_disk("2m") as disk:
        status, out, err = execute([MPROF, "run", "-o", "disk/run.mprof", "--", *COMMAND],
                                   env={**os.environ, "MPROF_LIMIT": "64"})
        check((status, out) == plain[:2], f"run on a full disk: {status} {out} {err}")
        compare("run on a full disk", whole, report("disk/run.mprof"))
        check(not os.path.exists("disk/run.mprof.part"), "a part is left")


def main():
    plain = execute(COMMAND)
    check(plain == (0, "", ""), f"plain: {plain}")
    check(execute(COMMAND, env=preloaded("whole.mprof")) == plain, "recorded whole, it differs")
    whole = report("whole.mprof")
    check_whole(whole)
    mprof("report", "whole.mprof")
    small_limits(plain, whole)
    too_many_children()
    if full_disk(plain, whole):
        run_on_full_disk(plain, whole)
    else:
        print("without a full disk: it takes the right to mount")


run_case(main)
