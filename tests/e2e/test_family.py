#!/usr/bin/python3
"""A tree of processes as one: --tree, --pid, plot -C and -M, list; figures against those of each process alone."""
# TIMEOUT 120
import json
import os
import subprocess

from common import MPROF, PROGRAMS, check, execute, mprof, preloaded, report, run_case, under_run

MIB = 1 << 20
ADDED = ("allocations", "frees", "allocated_bytes", "live_at_end_bytes", "live_at_end_blocks", "temporary")
PYTHON = """
import multiprocessing, time
def work(n):
    held = [bytearray(n * 1000) for _ in range(100)]
    time.sleep(0.1)
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    children = [multiprocessing.Process(target=work, args=(n,)) for n in (5, 10, 20)]
    for c in children: c.start()
    for c in children: c.join()
"""


def tree(name, *more):
    return json.loads(mprof("report", "--json", "--tree", *more, name))


def functions(of):
    return {(f["module"], f["name"], f["file"], f["line"]): f for f in of["functions"]}


def alone(processes):
    """The report of each process of a tree by itself: by --pid, or where it became another program by its
    recording; a forked one that did so can be seen in the tree alone."""
    last = {p["pid"]: i for i, p in enumerate(processes)}
    for i, process in enumerate(processes):
        if last[process["pid"]] == i:
            yield process, json.loads(mprof("report", "--json", "--pid", str(process["pid"]), processes[0]["recording"]))
        elif process["kind"] != "fork":
            yield process, report(process["recording"])
        else:
            yield process, None


def check_sums(name):
    """Every figure of the tree is the sum of those of its processes, function by function."""
    whole = tree(name)
    reports = list(alone(whole["processes"]))
    for process, one in reports:
        for key in ADDED if one else ():
            check(process["totals"][key] == one["totals"][key],
                  f"{name}: process {process['pid']}: {key} is {process['totals'][key]} in the tree, "
                  f"{one['totals'][key]} alone")
    for key in ADDED:
        total = sum(p["totals"][key] for p in whole["processes"])
        check(whole["totals"][key] == total, f"{name}: {key} of the tree is {whole['totals'][key]}, not {total}")
    if all(one or process["totals"]["allocations"] == 0 for process, one in reports):
        check_functions(name, whole, [one for _, one in reports if one])
    else:
        check(name == "shell.mprof", f"{name}: its functions cannot be compared")
    highest = max(p["totals"]["peak_bytes"] for p in whole["processes"])
    every = sum(p["totals"]["peak_bytes"] for p in whole["processes"])
    check(highest <= whole["totals"]["peak_bytes"] <= every, f"{name}: peak {whole['totals']['peak_bytes']}")
    check_memory(name, whole)
    return whole


def check_memory(name, whole):
    """Memory is heap and mapped memory together: the whole tree's lies between that of one and that of all processes,
    and so do its parts when it was highest."""
    for totals in (one["totals"] for one in whole["processes"]):
        memory, mapped = totals["memory_peak_bytes"], totals["mapped_at_memory_peak_bytes"]
        check(max(totals["peak_bytes"], totals["mapped_peak_bytes"]) <= memory, f"{name}: {totals}")
        check(memory - totals["peak_bytes"] <= mapped <= totals["mapped_peak_bytes"], f"{name}: {totals}")
    totals = whole["totals"]
    own = [one["totals"]["memory_peak_bytes"] for one in whole["processes"]]
    check(max(own) <= totals["memory_peak_bytes"] <= sum(own), f"{name}: memory of {own}: {totals}")
    most = min(totals["memory_peak_bytes"], sum(one["totals"]["mapped_peak_bytes"] for one in whole["processes"]))
    check(totals["mapped_at_memory_peak_bytes"] <= most, f"{name}: {totals}")


def check_functions(name, whole, reports):
    parts = [functions(one) for one in reports]
    for identity, f in functions(whole).items():
        mine = [p[identity] for p in parts if identity in p]
        for kind in ("self", "inclusive"):
            for key in ("allocations", "allocated_bytes", "live_at_end_bytes", "live_at_end_blocks", "temporary"):
                check(f[kind][key] == sum(m[kind][key] for m in mine), f"{name}: {identity} {kind} {key}")
            check(f[kind]["own_peak_bytes"] == max(m[kind]["own_peak_bytes"] for m in mine),
                  f"{name}: {identity} {kind} own peak")
    check(set(functions(whole)) == set().union(*parts), f"{name}: other functions than the processes have")


def check_known(name):
    """The victim whose figures are known."""
    whole = check_sums(name)
    totals = whole["totals"]
    for key, want in {"peak_bytes": 6 * MIB + 300, "allocations": 6, "frees": 3, "live_at_end_bytes": 300,
                      "live_at_end_blocks": 3}.items():
        check(totals[key] == want, f"{name}: {key} of the tree is {totals[key]}, not {want}")
    processes = whole["processes"]
    kinds = [p["kind"] for p in processes]
    check(kinds == ["first", "fork", "fork", "became"], f"{name}: {kinds}")
    root, forked, before, started = processes
    check(before["pid"] == started["pid"], f"{name}: exec changed the pid")
    check([p["starter"] for p in processes] == [None, root["pid"], root["pid"], root["pid"]], f"{name}: starters")
    check(root["begin_s"] == 0 and forked["begin_s"] > 0 and started["end_s"] <= root["end_s"], f"{name}: times {root} {forked} {started}")
    check(started["command"].endswith(" 2"), f"{name}: command {started['command']}")

    found = json.loads(mprof("leaks", "--json", "--tree", name))
    check(len(found["leaks"]) == 1, f"{name}: {len(found['leaks'])} stacks of leaks, as one should be in both")
    check((found["leaks"][0]["bytes"], found["leaks"][0]["blocks"]) == (300, 3), f"{name}: leaks {found['leaks']}")
    check([p["pid"] for p in found["processes"]] == [p["pid"] for p in processes], f"{name}: processes of leaks")
    found = json.loads(mprof("leaks", "--json", "--pid", str(forked["pid"]), name))
    check(found["live_at_end_bytes"] == 100 and found["pid"] == forked["pid"], f"{name}: leaks of the forked one")
    peak = json.loads(mprof("peak", "--json", "--tree", "--func", "hold", name))["recordings"][0]
    check(peak["peak_bytes"] == 6 * MIB + 300, f"{name}: peak --tree: {peak}")
    check(peak["functions"][0]["own_peak_bytes"] == 3 * MIB, f"{name}: peak --tree --func hold: {peak}")
    check(mprof("peak", "--pid", str(forked["pid"]), name).split()[1] == "2.000", f"{name}: peak --pid")
    text = mprof("report", "--pid", str(forked["pid"]), name)
    check(f"forked by {root['pid']}" in text, f"{name}: report of the forked one:\n{text}")
    text = mprof("report", name)
    for p in (root, forked, started):
        check(f" {p['pid']} family" in text, f"{name}: {p['pid']} is not in the report:\n{text}")

    # A child's recording is the tree below it; what is not in a tree is refused with the pids that are.
    below = tree(started["recording"])
    check([p["pid"] for p in below["processes"]] == [started["pid"]], f"{name}: tree of the child")
    for target, pid, known in ((name, 1, root["pid"]), (started["recording"], forked["pid"], started["pid"])):
        status, out, err = execute([MPROF, "report", "--pid", str(pid), target])
        check(status == 1 and out == "" and err.count("\n") == 1 and str(known) in err, f"{status} {out} {err}")
    status, out, err = execute([MPROF, "leaks", "--pid", str(root["pid"]), "--tree", name])
    check(status == 2 and out == "" and err.count("\n") == 1, f"--pid and --tree: {status} {err}")
    return processes


def svg(*arguments):
    mprof("plot", "-o", "x.svg", *arguments)
    with open("x.svg", encoding="utf-8") as f:
        return f.read()


def check_plots(name, processes):
    root, forked, _, started = processes
    picture = svg("-C", name)
    check("6.00 MiB" in picture and "3 processes together" in picture, f"{name}: plot -C")
    picture = svg("-M", name)
    for text in (f"{root['pid']} family", f"child {forked['pid']} family", f"child {started['pid']} family",
                 "start at", "3.00 MiB"):
        check(text in picture, f"{name}: plot -M has no {text}")
    check("together" not in picture, f"{name}: plot -M sums")
    picture = svg("-CM", name)
    check("all 3 together" in picture and f"child {forked['pid']}" in picture, f"{name}: plot -CM")
    check("6.00 MiB" in svg("-C", "-w", f"0,{root['end_s']}", name), f"{name}: plot -C -w")
    svg("-CM", "-w", f"{started['begin_s']},{root['end_s']}", name)
    check(svg("-C", name, name).count("6.00 MiB") >= 2, f"{name}: two trees in a plot")
    status, _, err = execute([MPROF, "plot", "-M", "-o", "x.svg", name, name])
    check(status == 2 and err.count("\n") == 1, f"plot -M of two: {status} {err}")
    check("3 processes" not in svg(name), f"{name}: plot sums unasked")
    text = mprof("plot", "-CM", name)
    check(f"child {forked['pid']} family" in text, f"{name}: plot -CM in text:\n{text}")


def check_unreadable(name):
    """Where nothing of the tree can be opened once more, as few files may be open, there is no picture."""
    for how in ("-C", "-M", "-CM"):
        for window in ([], ["-w", "0,1"]):
            status, out, err = execute(["sh", "-c", 'ulimit -n 4; exec "$@"', "sh", MPROF, "plot", how, *window,
                                        "-o", "none.svg", name])
            check(status == 1 and out == "" and "Too many open files" in err, f"plot {how} {window}: {status} {out} {err}")
            check("gnuplot" not in err, f"plot {how} {window}: {err}")


def check_list():
    os.mkdir("listed")
    os.chdir("listed")
    subprocess.run([MPROF, "run", "-q", PROGRAMS + "/family"], check=True, stdout=subprocess.DEVNULL)
    line = mprof("list")
    check(line.startswith("0 mprofile_") and line.endswith("  family  +2\n"), line)
    lines = mprof("list", "--all").splitlines()
    forked = [line for line in lines if " forked by " in line]
    below = [line for line in lines if line.startswith("    mprofile_")]
    check(len(lines) == 3 and len(forked) == 1 and len(below) == 1, "list:\n" + "\n".join(lines))
    check(lines[0].startswith("0 mprofile_") and lines[0].endswith("  family"), lines[0])
    check(below[0].endswith("  family 2"), below[0])
    root = json.loads(mprof("list", "--json"))["recordings"][0]
    check(root["starter"] is None and len(root["forked"]) == 2 and root["command"].endswith("/family"), str(root))
    check(root["children"][0]["starter"] == root["pid"], str(root))
    check(forked[0].strip().startswith(f"{root['forked'][0]['pid']} forked by {root['pid']}"), forked[0])
    for name in os.listdir("."):
        os.unlink(name)

    # The same of spools, which nobody has collected: list reads their heads and leaves them alone.
    environment = preloaded("")
    del environment["MPROF_OUTPUT"]
    subprocess.run([PROGRAMS + "/family"], check=True, stdout=subprocess.DEVNULL, env=environment)
    lines = mprof("list", "--all").splitlines()
    check(len(lines) == 3 and lines[0].endswith("  family"), "list of spools:\n" + "\n".join(lines))
    check(sum(line.endswith("  family 2") for line in lines) == 1, "list of spools:\n" + "\n".join(lines))
    check(all(name.endswith(".spool") for name in os.listdir(".")), f"list collected: {os.listdir('.')}")
    os.chdir("..")


def main():
    program = PROGRAMS + "/family"
    subprocess.run([program], env=preloaded("pre.mprof"), check=True, stdout=subprocess.DEVNULL)
    subprocess.run(under_run("run.mprof", [program]), check=True, stdout=subprocess.DEVNULL)
    check_known("pre.mprof")
    check_plots("run.mprof", check_known("run.mprof"))
    check_unreadable("run.mprof")
    check_list()

    # Real ones: a shell with programs at work in the background, and Python's multiprocessing.
    script = ('sqlite3 :memory: "with recursive n(i) as (select 1 union all select i+1 from n where i<20000) '
              'select sum(length(printf(\'%d\', i))) from n;" & (head -c 3000000 /dev/urandom | xz -0 -T1 | wc -c); wait')
    subprocess.run(under_run("shell.mprof", ["bash", "-c", script]), check=True, stdout=subprocess.DEVNULL)
    whole = check_sums("shell.mprof")
    commands = {p["command"].split()[0] for p in whole["processes"]}
    check({"bash", "sqlite3", "xz", "head", "wc"} <= commands, f"shell: {commands}")
    with open("work.py", "w", encoding="utf-8") as f:
        f.write(PYTHON)
    subprocess.run(under_run("python.mprof", ["/usr/bin/python3", "work.py"]), check=True,
                   env={**os.environ, "PYTHONMALLOC": "malloc"})
    whole = check_sums("python.mprof")
    peaks = sorted(p["totals"]["peak_bytes"] for p in whole["processes"] if p["kind"] == "fork")
    check(len(peaks) == 3 and all(p >= n * 100000 for p, n in zip(peaks, (5, 10, 20))), f"python: {peaks}")
    for process in whole["processes"]:
        check(process["quality"]["unmatched_frees"] == 0 and process["quality"]["lost"] == 0, f"python: {process}")


run_case(main)
