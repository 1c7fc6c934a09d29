#!/usr/bin/python3
"""Activations: begin, end and number of those of tests/programs/brackets.c, which says them itself; the brackets of plot."""
import os
from xml.etree import ElementTree

from common import LIB, MPROF, PROGRAMS, check, execute, mprof, preloaded, report, run_case, under_run

PROGRAM = os.path.join(PROGRAMS, "brackets")
DELAYED = os.path.join(os.path.dirname(LIB), "delays", "libmprof.so")
SLACK = 0.002  # s: the two clocks are read one after the other
THREADS = {"work": 2, "serve": 4}  # serials; all else is the first thread's


def truths(out, frees):
    """What the program says: {function: (count, (begin, begin), (end, end))}, times in seconds since 1970."""
    said = {}
    for line in out.splitlines():
        name, *numbers = line.split()
        count, *times = [int(n) for n in numbers[5 * frees:5 * frees + 5]]
        said[name] = count, tuple(t / 1e9 for t in times[:2]), tuple(t / 1e9 for t in times[2:])
    return said


def check_time(what, start, between, got):
    low, high = (t - start for t in between)
    check(low - SLACK <= got <= high + SLACK, f"{what} at {got:.6f} s, not within {low:.6f} and {high:.6f} s")


def check_activations(how, out, frees, got):
    said = truths(out, frees)
    check(len(said) == 12, f"{how}: {len(said)} lines")
    for name, (count, begin, end) in said.items():
        function, = (f for f in got["functions"] if f["name"] == name)
        check(function["activations"] == count, f"{how}: {function['activations']} activations of {name}, not {count}")
        activation = function["activation"] or function["mapped_activation"]
        check_time(f"{how}: {name} begins", got["start"], begin, activation["begin_s"])
        check_time(f"{how}: {name} ends", got["start"], end, activation["end_s"])
        check(activation["thread"] == THREADS.get(name, 0), f"{how}: {name} in thread {activation['thread']}")


def record(how, command, frees, name, **options):
    status, out, err = execute(command, **options)
    check((status, err) == (0, ""), f"{how}: status {status}, {err}")
    check_activations(how, out, frees, report(name))


def words(*arguments):
    """The texts in a picture."""
    mprof("plot", "-t", "", "-o", "x.svg", *arguments)
    texts = (e for e in ElementTree.parse("x.svg").iter() if e.tag.endswith("text"))
    return "\n".join("".join(e.itertext()) for e in texts)


def main():
    record("run", under_run("run.mprof", [PROGRAM]), False, "run.mprof")
    record("run --free-stacks", [MPROF, "run", "-q", "--free-stacks", "-o", "frees.mprof", PROGRAM], True, "frees.mprof")
    record("preload", [PROGRAM], False, "preload.mprof", env=preloaded("preload.mprof"))
    record("MPROF_FREE_STACKS=1", [PROGRAM], True, "free2.mprof",
           env={**preloaded("free2.mprof"), "MPROF_FREE_STACKS": "1"})

    # It loses the processor before each time that it reads; samples tell the rate of its clock.
    record("standing still", [PROGRAM], False, "still.mprof",
           env={**preloaded("still.mprof"), "LD_PRELOAD": DELAYED, "MPROF_DELAYS": "busy=300000:20000"})

    # The wrapper has no bracket, nor has what never held a hundredth of the peak, nor what is skipped.
    picture = words("run.mprof")
    for name, is_there in (("wrapped", True), ("xmalloc", False), ("fill", False), ("only activation", True)):
        check((name in picture) == is_there, f"{name} is{'' if not is_there else ' not'} in the picture:\n{picture}")
    picture = words("--skip", "wrapped", "run.mprof")
    check("wrapped" not in picture and "main" in picture, f"--skip wrapped:\n{picture}")
    status, out, err = execute([MPROF, "plot", "--skip", "wrapped", "--skip", "no such", "-o", "x.svg", "run.mprof"])
    check((status, out) == (1, "") and "no function 'no such'" in err, f"--skip of nothing: {status} {out}{err}")
    text = mprof("plot", "run.mprof")
    check("[a] " in text and "the only activation" in text, f"the legend in text:\n{text}")


run_case(main)
