"""What the cases written in Python share: the tools' places, recording, reading back, complaints."""
import difflib
import json
import os
import re
import subprocess
import sys

MPROF, LIB, PROGRAMS, TESTS = (os.environ[k] for k in ("MPROF", "LIB", "PROGRAMS", "TESTS"))
QUALITY = ("lost", "unmatched_frees", "implied_frees")


class Failed(Exception):
    """The case has failed; the text says why."""


def check(condition, text):
    if not condition:
        raise Failed(text)


def skip(reason):
    print(reason)
    sys.exit(77)


def execute(command, **options):
    """Runs a command to its end; returns (status, stdout, stderr) as text."""
    options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **options)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def preloaded(name):
    """The environment that makes a program record itself as `name`."""
    return {**os.environ, "LD_PRELOAD": LIB, "MPROF_OUTPUT": os.path.abspath(name)}


def under_run(name, command):
    """The command line that records `command` as `name` with a live collector."""
    return [MPROF, "run", "-q", "-o", name, "--", *command]


def check_same(what, plain, recorded):
    """(status, stdout, stderr) of a plain and of a recorded run: what differs is shown."""
    for part, want, got in zip(("exit status", "standard output", "standard error"), plain, recorded):
        lines = difflib.unified_diff(str(want).splitlines(), str(got).splitlines(), "plain", "recorded", n=0)
        check(want == got, f"{what}: {part} is not as in a plain run:\n" + "\n".join([*lines][:30]))


def recorded_both_ways(command, name, status, **options):
    """Runs a command plain, with the library preloaded, and under run: exit status, output and standard
    error must be the same. Yields (how, recording, report) of each recorded run, in which no event may be lost
    and no free unmatched."""
    plain = execute(command, **options)
    check(plain[0] == status, f"{command}: exit status {plain[0]} without recording, not {status}: {plain}")
    for how in ("preload", "run"):
        recording = f"{name}-{how}.mprof"
        recorded = (execute(command, env=preloaded(recording), **options) if how == "preload"
                    else execute(under_run(recording, command), **options))
        check_same(f"{command} ({how})", plain, recorded)
        got = report(recording)
        for key in QUALITY:
            check(got["quality"][key] == 0, f"{command} ({how}): {key} is {got['quality'][key]}")
        yield how, recording, got


class Differences:
    """Collects what is not as expected, so that all of it is shown at once."""

    def __init__(self):
        self.lines = []

    def compare(self, what, want, got):
        if want != got:
            self.lines.append(f"{what}: expected {want}, got {got}")

    def finish(self, what=""):
        check(not self.lines, "\n".join([*([what] if what else []), *self.lines]))


def function_self(got, name, key):
    """A figure of the functions of that name by themselves, 0 where there is none."""
    return sum(f["self"][key] for f in got["functions"] if f["name"] == name)


def mprof(*arguments, status=0):
    """A command of mprof-c; its standard output."""
    got, out, err = execute([MPROF, *arguments])
    check(got == status, f"mprof-c {' '.join(arguments)}: exit status {got}, not {status}\n{err}")
    return out


def report(name):
    return json.loads(mprof("report", "--json", name))


def leaks(name):
    return json.loads(mprof("leaks", "--json", name))


def reader(spool):
    """The second reader's view of a spool."""
    status, out, err = execute([os.path.join(TESTS, "spool_reader.py"), spool])
    check(status == 0, f"the second reader: {err}")
    return json.loads(out)


def copy_sparse(source, target):
    """Copies a spool, which is as large as the disk and nearly all hole."""
    status, _, err = execute(["cp", "--sparse=always", source, target])
    check(status == 0, err)


def valgrind_totals(command):
    """(allocations, frees, bytes) of valgrind's "total heap usage"."""
    _, _, err = execute(["valgrind", "--run-libc-freeres=no", "--run-cxx-freeres=no",
                         "--trace-children=no", *command])
    found = re.findall(r"^==\d+== *total heap usage: ([\d,]+) allocs, ([\d,]+) frees, ([\d,]+) bytes",
                       err, re.M)
    check(found, f"valgrind says no total:\n{err}")
    return tuple(int(n.replace(",", "")) for n in found[-1])


def run_case(main):
    """Runs a case's main; a failure becomes its text and exit status 1."""
    try:
        main()
    except Failed as e:
        print(e)
        sys.exit(1)
