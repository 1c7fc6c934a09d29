#!/usr/bin/python3
"""What the processes of a family lost is one sum, and the same in run's closing lines and in every view with --tree."""
# TIMEOUT 180
import json
import os
import re
import shutil
import subprocess

from common import (MPROF, PROGRAMS, check, copy_sparse, execute, leaks, mprof, preloaded, reader, report, run_case)

LOSSY = os.path.join(PROGRAMS, "lossy")
# Each round makes three events of at least 4 bytes (doc/format.md), so 12 bytes; the tables leave 2.4 of 4 MiB.
ROUNDS, MORE = 220000, 250000
GRANDCHILD = ["dash", "-c", f"dash -c 'MPROF_LIMIT=4 {LOSSY} alone {ROUNDS}; :'; :"]
FORKED = [LOSSY, "child", str(ROUNDS)]
TWO = ["dash", "-c", f"MPROF_LIMIT=4 {LOSSY} alone {ROUNDS}; MPROF_LIMIT=4 {LOSSY} alone {MORE}; :"]
LOST = ("lost", "lost_allocations", "lost_frees", "lost_bytes")
SUMMED = (*LOST, "unplaced_children", "unplaced_events", "unmatched_frees", "implied_frees", "inherited",
          "truncated_stacks", "unresolved_frames")


def tree(command, name):
    return json.loads(mprof(command, "--json", "--tree", name))


def names(name):
    """The recordings of a family."""
    pattern = re.escape(name) + r"(\.\d+)?(\.spool)?"
    return sorted({n.removesuffix(".spool") for n in os.listdir(".") if re.fullmatch(pattern, n)})


def each_alone(name):
    """The processes of all recordings, by the reports of these."""
    for one in names(name):
        got = report(one)
        yield got
        yield from (c for c in got["children"] if c["kind"] == "fork")


def sums(name):
    qualities = [p["quality"] for p in each_alone(name)]
    return {key: sum(q[key] for q in qualities) for key in SUMMED}


def check_rounds(name, rounds):
    """What was recorded and what was lost are the source's rounds, and only those lost."""
    everybody = list(each_alone(name))
    losers = [p for p in everybody if p["quality"]["lost"]]
    got = [p["totals"]["allocations"] for p in losers]
    check(got == [2 * n for n in rounds], f"{name}: {got} allocations of those that lost events, of {names(name)}: "
          f"{[(p['pid'], p['totals'], p['quality']) for p in everybody]}")
    return losers


def flat(text):
    return " ".join(text.split())


def picture(*arguments):
    status, _, err = execute([MPROF, "plot", *arguments, "-o", "x.svg"])
    check(status == 0, f"plot {arguments}: {err}")
    with open("x.svg", encoding="utf-8") as f:
        return f.read(), err


def check_views(name, want):
    """Every view of the tree, as text and as JSON."""
    for command in ("report", "leaks"):
        got = tree(command, name)["quality"]
        check({k: got[k] for k in want} == want, f"{command} --tree --json: {got}, not {want}")
    got = tree("peak", name)["recordings"][0]
    check({k: got["quality"][k] for k in want} == want, f"peak --tree --json: {got}, not {want}")
    check((got["lost"], got["lost_bytes"]) == (want["lost"], want["lost_bytes"]), f"peak --tree --json: {got}")
    lost = f"{want['lost']:,} events lost since"
    parts = f"({want['lost_allocations']:,} allocations of"
    for command in ("report", "leaks", "peak"):
        status, out, err = execute([MPROF, command, "--tree", name])
        text = flat(err if command == "peak" else out)
        check(status == 0 and lost in text and parts in text, f"{command} --tree: {out}{err}")
    for option in ("-C", "-M", "-CM"):
        drawn, err = picture(option, name)
        check(drawn.count(lost) == 1 and err.count(lost) == 1, f"plot {option}: {err}")


def check_times(name):
    """The first loss of all is that of the process that lost first, in the tree's time."""
    whole = tree("report", name)
    firsts = [p["quality"]["lost_since_s"] for p in whole["processes"] if p["quality"]["lost"]]
    check(whole["quality"]["lost_since_s"] == min(firsts), f"{name}: {whole['quality']}, {firsts}")
    for p in whole["processes"]:
        if p["quality"]["lost"]:
            check(p["begin_s"] < p["quality"]["lost_since_s"], f"{name}: since {p}")


def check_preloaded(name, command, rounds, env):
    done = execute(command, env={**preloaded(name), **env})
    check(done == (0, "", ""), f"{name}: {done}")
    os.makedirs("copies", exist_ok=True)  # elsewhere, or they were of the family, too
    copies = ["copies/" + spool for spool in names(name)]
    for copy in copies:
        copy_sparse(os.path.basename(copy) + ".spool", copy)
    theirs = [p for copy in copies for p in reader(copy)["processes"]]
    want = sums(name)
    check_rounds(name, rounds)
    check(want["lost"] == sum(p["lost"] for p in theirs), f"{name}: {want} lost, the second reader has {theirs}")
    check_views(name, want)
    check_times(name)


def check_run(name, command, rounds, env):
    status, out, err = execute([MPROF, "run", "-o", name, "--", *command], env={**os.environ, **env})
    check((status, out) == (0, ""), f"{name}: {status} {out} {err}")
    want = sums(name)
    losers = check_rounds(name, rounds)
    text = flat(err)
    counted = f"in {len(losers)} process{'es' if len(losers) > 1 else ''}, none counted above"
    if " together " in text:  # of a program that does nothing itself all are shown
        counted = "all of them counted above"
    for part in (f"lost {want['lost']:,} events: {want['lost_allocations']:,} allocations of",
                 f"{want['lost_frees']:,} frees,", counted):
        check(part in text, f"{name}: run does not say '{part}': {err}")
    check_views(name, want)


def everywhere(name, command, rounds, env=None):
    check_preloaded(name + "-preload.mprof", command, rounds, env or {})
    check_run(name + "-run.mprof", command, rounds, env or {})


def check_gaps(name, said, **want):
    """What a family lacks is said by every view, in words and as JSON; the rest is still summed."""
    gaps = {"cut_recordings": 0, "unreadable_recordings": 0, "unrecorded_processes": 0, **want}
    words = f"{list(want.values())[0]} {said[0]}"
    whole = tree("report", name)
    for got in (whole, tree("leaks", name), tree("peak", name)["recordings"][0]):
        check(gaps.items() <= got["gaps"].items(), f"{name}: {got['gaps']}, not {gaps}")
        lost = sum(p["quality"]["lost"] for p in whole["processes"])
        check(got["quality"]["lost"] == lost, f"{name}: {got['quality']}, not {lost}")
    for command in ("report", "leaks", "peak"):
        status, out, err = execute([MPROF, command, "--tree", name])
        check(status == 0 and said[1] in err, f"{name}: {command} does not say '{said[1]}': {err}")
        check(command == "peak" or "not whole: " + words in out, f"{name}: {command} does not say '{words}': {out}")
    for option in ("-C", "-M", "-CM") if "cut_recordings" in want else ("-C",):
        drawn, err = picture(option, name)
        check(words in drawn and said[1] in err, f"{name}: plot {option} does not say '{said}': {err}")


def damage(name, *, size=None, text=None):
    if size is not None:
        os.truncate(name, size)
    else:
        with open(name, "r+b") as f:
            f.write(text)


def incomplete():
    """A family of four recordings: dash, dash, and two programs that lose different amounts."""
    inner = f"MPROF_LIMIT=4 {LOSSY} alone {ROUNDS}; MPROF_LIMIT=4 {LOSSY} alone {MORE}; :"
    status, _, err = execute([MPROF, "run", "-q", "-o", "f.mprof", "--", "dash", "-c", f"dash -c '{inner}'; :"])
    check((status, err) == (0, ""), f"f.mprof: {status} {err}")
    whole = [p["quality"]["lost"] for p in tree("report", "f.mprof")["processes"]]
    check(whole[:2] == [0, 0] and 0 < whole[2] < whole[3], f"f.mprof: {whole}")
    check("not whole" not in mprof("report", "--tree", "f.mprof"), "f.mprof lacks nothing")
    folder = os.getcwd()
    size = os.path.getsize("f.mprof.3")
    for what, change, said, gaps in (
            ("cut", lambda: damage("f.mprof.3", size=size // 2),
             ("cut recording", "is cut, this is what can be read of it: f.mprof.3"), {"cut_recordings": 1}),
            ("cut twice", lambda: (damage("f.mprof.2", size=200), damage("f.mprof.3", size=200)), ("cut recordings",
             "2 recordings of the tree are cut"), {"cut_recordings": 2}),
            ("empty", lambda: damage("f.mprof.3", size=0), ("unreadable recording", "f.mprof.3: is empty"),
             {"unreadable_recordings": 1}),
            ("head", lambda: damage("f.mprof.2", text=bytes(64)),
             ("unreadable recording", "f.mprof.2: is damaged, or no"), {"unreadable_recordings": 1}),
            ("gone", lambda: os.unlink("f.mprof.1"), ("process without a recording", "is in no recording here"),
             {"unrecorded_processes": 1})):
        shutil.rmtree("other", ignore_errors=True)
        os.mkdir("other")
        for name in names("f.mprof"):
            shutil.copy(name, "other")
        os.chdir("other")
        change()
        print(what)
        check_gaps("f.mprof", said, **gaps)
        os.chdir(folder)


def unrecordable():
    """What a process became that cannot be recorded, and a child with the default name that could not begin."""
    subprocess.run(["gcc", "-static", "-x", "c", "-o", "static", "-"], input=b"int main(void) { return 0; }",
                   check=True)
    here = os.getcwd()
    execute([MPROF, "run", "-q", "-o", "static.mprof", "--", "bash", "-c", f"(exec {here}/static); :"])
    check_gaps("static.mprof", ("process without a recording", f"({here}/static)"), unrecorded_processes=1)
    os.mkdir("default")
    execute([MPROF, "run", "-q", "--", "dash", "-c", f"MPROF_LIMIT=1 {LOSSY} alone 10; :"], cwd="default")
    name = [n for n in os.listdir("default") if n.endswith(".mprof")][0]
    check_gaps("default/" + name, ("unreadable recording", "nothing was recorded: there is no space for a spool"),
               unreadable_recordings=1)


def refused():
    """An exec'd child that cannot begin is told as such; it is not the program that was started."""
    command = ["dash", "-c", f"MPROF_LIMIT=1 {LOSSY} alone 10; MPROF_LIMIT=1 {LOSSY} alone 10; :"]
    status, out, err = execute([MPROF, "run", "-o", "refused.mprof", "--", *command])
    check((status, out) == (0, ""), f"refused: {status} {out} {err}")
    check("mprof-c: 2 processes of the family could not be recorded: there is no space for a spool" in err
          and "nothing was recorded" not in err, f"refused: {err}")
    check(names("refused.mprof") == ["refused.mprof"], f"refused: {os.listdir('.')}")


def full_disk():
    """On a full disk not even the reason has room: an empty spool stays, and says it."""
    os.mkdir("disk")
    if os.getuid() != 0 or execute(["mount", "-t", "tmpfs", "-o", "size=9m", "tmpfs", "disk"])[0] != 0:
        print("without a full disk: it takes the right to mount")
        return
    try:
        fill = "{ cat /dev/zero >x; } 2>/dev/null; "
        command = ["sh", "-c", f"LD_PRELOAD= sh -c '{fill}'; {LOSSY} alone 10; rm x; :"]
        status, _, err = execute([MPROF, "run", "-o", "full.mprof", "--", *command], cwd="disk",
                                 env={**os.environ, "MPROF_LIMIT": "4"})
        said = "2 processes of the family could not be recorded: there is no space left in the folder"
        check(status == 0 and said in err, f"full disk: {status} {err}")  # lossy, and rm
    finally:
        execute(["umount", "-l", "disk"])


def main():
    refused()
    incomplete()
    unrecordable()
    full_disk()
    everywhere("grandchild", GRANDCHILD, [ROUNDS])
    everywhere("forked", FORKED, [ROUNDS], {"MPROF_LIMIT": "4"})
    everywhere("two", TWO, [ROUNDS, MORE])


run_case(main)
