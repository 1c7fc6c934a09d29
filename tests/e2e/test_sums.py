#!/usr/bin/python3
"""What a family's sums count: threads and processes once, whatever they became; processes whose resident set nobody has
seen, by number; a line of plot -M ends where its process did, in a window, too."""
# TIMEOUT 120
import json
import re
import subprocess

from common import MPROF, check, execute, mprof, run_case

CHILD = r"""
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    void *volatile held = malloc(5 << 20);
    memset(held, 1, 5 << 20);
    usleep(1000 * (unsigned)atoi(argv[1]));
    if (argc > 2)
        raise(SIGKILL);
    return 0;
}
"""


def line(text, begin):
    return next((row for row in text.splitlines() if row.startswith(begin)), "")


def threads():
    """A shell forks a child, which execs: two processes, two threads. One that execs itself is one of each."""
    execute([MPROF, "run", "-q", "-o", "two.mprof", "--", "bash", "-c", "./child 1; true"])
    text = mprof("report", "--tree", "two.mprof")
    check("2 processes together" in text, f"two: {text}")
    check(line(text, "  threads").split()[1:] == ["2"], f"two: {line(text, '  threads')}")
    execute([MPROF, "run", "-q", "-o", "one.mprof", "--", "bash", "-c", "exec ./child 1"])
    text = mprof("report", "--tree", "one.mprof")
    check("one process alone" in text and line(text, "  threads") == "", f"one: {text}")


def unmeasured():
    """Killed at once, without samples: no figure at all. Their number stands wherever the sum does."""
    command = ["bash", "-c", "./child 1 k; ./child 1 k; ./child 1; true"]
    status, _, err = execute([MPROF, "run", "-T", "0", "-o", "killed.mprof", "--", *command])
    words = "(the largest process alone; 2 processes have none)"
    check(status == 0 and words in err, f"run: {err}")
    check(words in mprof("report", "--tree", "killed.mprof"), mprof("report", "--tree", "killed.mprof"))
    check("\tthe largest process alone; 2 processes have none\n" in mprof("peak", "--tree", "killed.mprof"), "peak")
    gaps = json.loads(mprof("report", "--tree", "--json", "killed.mprof"))["gaps"]
    check((gaps["unsampled_processes"], gaps["unmeasured_processes"]) == (4, 2), f"{gaps}")
    check("one process alone" not in mprof("report", "--tree", "killed.mprof"), "report of several")
    # With samples of the shell: those without one are said beside the line.
    command = ["bash", "-c", "./child 0 k; ./child 0 k; sleep 0.3; true"]
    execute([MPROF, "run", "-q", "-T", "0.05", "-o", "sampled.mprof", "--", *command])
    got = json.loads(mprof("report", "--tree", "--json", "sampled.mprof"))
    unsampled = got["gaps"]["unsampled_processes"]
    mprof("plot", "-C", "-o", "sampled.svg", "sampled.mprof")
    with open("sampled.svg", encoding="utf-8") as f:
        drawn = f.read()
    check("RSS samples" in drawn and (f"without {unsampled} process" in drawn) == (unsampled > 0), f"plot: {unsampled}")


def ends_of_lines(name):
    """For each curve of a picture, how far right it goes: of those with steps."""
    with open(name, encoding="utf-8") as f:
        curves = re.findall(r"<path stroke='[^']*'\s+d='([^']*)'", f.read())
    points = [[float(x) for x in re.findall(r"[ML]([\d.]+),", curve)] for curve in curves]
    return sorted({round(p[-1]) for p in points if len(p) > 2})


def windows():
    """The child ends at some 0.4 s, the shell at 1.2 s. The axes are 756 points wide, from 88.2 on."""
    execute([MPROF, "run", "-q", "-o", "ended.mprof", "--", "bash", "-c", "./child 300; sleep 0.8; true"])
    got = json.loads(mprof("report", "--tree", "--json", "ended.mprof"))["processes"]
    child = next(p for p in got if p["kind"] == "became" and "child" in p["command"])
    window = child["end_s"] + 0.3
    mprof("plot", "-M", "-w", f"0,{window}", "-o", "window.svg", "ended.mprof")
    wanted = 88.2 + 756 * child["end_s"] / window
    ends = ends_of_lines("window.svg")
    check(any(abs(end - wanted) <= 2 for end in ends), f"the child's line ends at none of {ends}, not at {wanted}")


def main():
    subprocess.run(["gcc", "-O1", "-o", "child", "-x", "c", "-"], input=CHILD.encode(), check=True)
    threads()
    unmeasured()
    windows()


run_case(main)
