#!/usr/bin/python3
"""A capture or spool that was cut, or has wrong bytes: what can be read is shown, or one sentence."""
# TIMEOUT 240
import os
import random
import subprocess

from common import MPROF, PROGRAMS, check, execute, preloaded, run_case, under_run

COMMANDS = (["report"], ["report", "--json"], ["leaks"], ["peak"])


def show(name, what, commands=COMMANDS):
    """None may die of a signal; failure is one sentence."""
    shown = 0
    for command in commands:
        try:
            status, out, err = execute([MPROF, *command, name], timeout=20)
        except subprocess.TimeoutExpired:
            check(False, f"{what}: {command} does not end")
        check(status in (0, 1), f"{what}: {command} ended with {status}: {err}")
        if status == 1:
            check(err.count("\n") == 1 and err.startswith("mprof-c: "), f"{what}: {command} says: {err}")
        else:
            check(out or command == ["peak"], f"{what}: {command} shows nothing and says nothing")
            check(err.count("\n") <= 1, f"{what}: {command} says: {err}")
            shown += 1
    return shown


def damaged(data, suffix, what, commands=COMMANDS):
    for old in ("x.mprof", "x.mprof.spool", "x.mprof.part"):
        if os.path.exists(old):
            os.unlink(old)
    with open("x.mprof" + suffix, "wb") as f:
        f.write(data)
    return show("x.mprof", what, commands)


def lengths(size, count):
    near = [0, 1, 7, 8, 12, 100, 4095, 4096, 4097, 8192, size - 1, size - 8, size - 100]
    return sorted({n for n in near + [random.randrange(size) for _ in range(count)] if 0 <= n < size})


def contents(name, suffix):
    """The whole file, of a sparse spool as far as it holds data."""
    with open(name + suffix, "rb") as f:
        end = 0
        try:
            while True:
                start = os.lseek(f.fileno(), end, os.SEEK_DATA)
                end = os.lseek(f.fileno(), start, os.SEEK_HOLE)
        except OSError:
            pass
        f.seek(0)
        return f.read(end)


def main():
    random.seed(1)
    victim = os.path.join(PROGRAMS, "exchange")
    check(execute(under_run("whole.mprof", [victim]))[0] == 0, "recording under run")
    check(execute([os.path.join(PROGRAMS, "fork")], env=preloaded("spool.mprof"))[0] == 0, "recording")
    capture, spool = contents("whole.mprof", ""), contents("spool.mprof", ".spool")

    shown = sum(damaged(capture[:n], "", f"capture of {n} bytes", [["report"]]) for n in lengths(len(capture), 40))
    check(shown > 0, "nothing could be shown of any cut capture")
    shown = sum(damaged(spool[:n], ".spool", f"spool of {n} bytes", [["report"]]) for n in lengths(len(spool), 40))
    check(shown > 0, "nothing could be shown of any cut spool")
    damaged(capture[:len(capture) * 3 // 4], "", "three quarters of a capture")
    damaged(spool[:len(spool) * 3 // 4], ".spool", "three quarters of a spool")

    for suffix, data in (("", capture), (".spool", spool)):
        used = [i for i in range(len(data)) if data[i]]
        for i in range(60):
            wrong = bytearray(data)
            for at in random.sample(used, 1 + i % 5):
                wrong[at] = random.randrange(256)
            damaged(bytes(wrong), suffix, f"wrong bytes, case {i} of x.mprof{suffix}", [["report"], ["leaks"]])


run_case(main)
