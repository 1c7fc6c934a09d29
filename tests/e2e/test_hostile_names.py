#!/usr/bin/python3
"""Names are text, whatever is in them: functions, threads, programs, arguments, recordings and folders that are called
like commands of a shell or of gnuplot, like markup, or like what a terminal obeys. Nothing of them is carried out, what
is shown has no control character, JSON and SVG are what they must be, and JSON gives the names back."""
# TIMEOUT 120
import json
import os
import re
import shutil
import subprocess

from common import MPROF, PROGRAMS, check, execute, preloaded, run_case

TRAPS = [
    b"\"; system('touch pwned'); \"",
    b"`touch pwned`",
    b"x$(touch pwned)",
    b"'; system \"touch pwned\"; '",
    b"\"\nsystem('touch pwned')\n!touch pwned\n",
    b"\\\"\nset output 'pwned'\n\\",
    b"x@ARG1 {/Symbol=50 x}_{y}^{z} & ~a{.5b} %s %n",
    b"</text><script>alert(1)</script><!-- &amp; ]]>",
    b"\x1b[2J\x1b]0;pwned\x07\x9b31m\r\x08\x7f",
    b"\xe2\x80\xaecod.exe\xe2\x81\xa6 \xc2\x9b31m \xef\xbf\xbf",
    b"\xff\xfe\xc3 invalid \xed\xa0\x80",
    b"EOD\n$line0 << EOD",
]
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
ARGUMENTS = [trap[:15] for trap in TRAPS]  # they become names of threads


def lossy(name):
    """A name as JSON must have it: bytes that are no UTF-8 are replaced, each by itself."""
    return re.sub("[\udc80-\udcff]", "\ufffd", name.decode("utf-8", "surrogateescape"))


def make_program(to):
    """The victim with these names for its functions; what cannot be in a symbol's name is none."""
    renames = [f"--redefine-sym=h{i}=".encode() + trap for i, trap in enumerate(TRAPS)]
    status, _, err = execute(["objcopy", "--strip-debug", *renames, os.path.join(PROGRAMS, "hostile"), to])
    check(status == 0, f"objcopy: {err}")


def run_clean(command, status=0, lines=None):
    """Runs it, and looks at all that it says."""
    got, out, err = execute_bytes(command)
    check(status is None or got == status, f"{command}: status {got}: {err}")
    for text in (out, err):
        found = FORBIDDEN.search(text)
        check(not found, f"{command}: {found and found.group()!r} in its output: {text}")
    if lines is not None:
        check(err.count("\n") == lines, f"{command} says: {err}")
    check(not pwned(), f"{command} carried something out: {pwned()}")
    return out


def execute_bytes(command, **options):
    """As execute, but what is no UTF-8 is a failure."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, **options)
    try:
        return done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
    except UnicodeDecodeError as e:
        check(False, f"{command}: not UTF-8: {e}")
    return None


def pwned():
    return [n for _, folders, files in os.walk(".") for n in (*folders, *files) if n == "pwned"]


def check_pictures(recordings):
    for kind, options in (("svg", []), ("png", []), ("pdf", []), ("svg", ["-s", "-w", "0,1000"])):
        picture = "picture." + kind
        run_clean([MPROF, "plot", *options, "-o", picture, recordings[0]])
        check_picture(picture)
    run_clean([MPROF, "plot", "-o", "picture.svg", *recordings])
    check_picture("picture.svg")
    run_clean([MPROF, "plot", *recordings])
    for trap in TRAPS:
        run_clean([MPROF, "plot", "-o", "picture.svg", "-t", trap, recordings[0]])
        check_picture("picture.svg")
        run_clean([MPROF, "plot", "-t", trap, recordings[0]])


def check_picture(picture):
    check(os.path.getsize(picture) > 4000, f"{picture} is nearly empty")
    if picture.endswith("svg"):
        status, _, err = execute(["xmllint", "--noout", picture])
        check(status == 0, f"{picture} is no XML: {err}")
        with open(picture, encoding="utf-8") as f:
            check("<script" not in f.read(), f"{picture} has a script")
    os.unlink(picture)


def check_names(recording):
    """The texts of every view, and in JSON the names as they are."""
    for command in (["report", "-n", "100"], ["leaks", "-n", "100"], ["peak"]):
        run_clean([MPROF, *command, recording])
    report = json.loads(run_clean([MPROF, "report", "--json", recording]))
    leaks = json.loads(run_clean([MPROF, "leaks", "--json", recording]))
    functions = {f["name"] for f in report["functions"]}
    frames = {f["function"] for leak in leaks["leaks"] for f in leak["stack"]}
    for trap in TRAPS:
        name = lossy(trap).split("@")[0]  # behind it is a symbol's version
        check(name in functions, f"no function {name!r} in {functions}")
        check(name in frames, f"no frame {name!r} in {frames}")
        run_clean([MPROF, "peak", "--func", trap, recording], status=None)
    check(report["command"][1:] == [lossy(t) for t in ARGUMENTS], f"arguments: {report['command']}")


def check_errors():
    """What is not there, or is no recording, is said in one clean line."""
    for trap in TRAPS:
        for command in ("report", "leaks", "peak", "plot"):
            run_clean([MPROF, command, trap], status=1, lines=1)
        run_clean([MPROF, "plot", "-o", trap, "a.mprof"], status=2, lines=1)
        run_clean([MPROF, trap], status=2, lines=1)
        run_clean([MPROF, "report", b"--" + trap], status=2, lines=1)
        run_clean([MPROF, "run", trap], status=127, lines=1)
        with open(trap.replace(b"/", b":"), "wb") as f:
            f.write(trap * 10)
        run_clean([MPROF, "report", trap.replace(b"/", b":")], status=1, lines=1)
        os.unlink(trap.replace(b"/", b":"))


def check_files():
    """Programs, folders and recordings of these names, recorded both ways."""
    for i, trap in enumerate(TRAPS):
        name = trap.replace(b"/", b":")
        folder = b"in " + name
        os.mkdir(folder)
        program = os.path.join(folder, name)
        shutil.copy("program", program)
        recording = os.path.join(folder, name + b".mprof")
        if b"%" not in recording:
            run_clean([MPROF, "run", "-o", recording, "--", program, *ARGUMENTS])
        else:
            execute([program, *ARGUMENTS], env=preloaded(os.fsdecode(recording).replace("%", "%%")))
        run_clean([MPROF, "report", "-n", "100", recording])
        run_clean([MPROF, "leaks", recording])
        run_clean([MPROF, "peak", recording])
        json.loads(run_clean([MPROF, "report", "--json", recording]))
        run_clean([MPROF, "plot", "-o", "picture.svg", recording, "a.mprof"])
        check_picture("picture.svg")
        if i % 4 == 0:
            run_clean([MPROF, "plot", recording])
            run_clean([MPROF, "rm", "--force", recording], status=None)
        shutil.rmtree(folder)


def main():
    make_program("program")
    status, out, err = execute(["./program", *ARGUMENTS], env=preloaded("a.mprof"))
    check((status, out, err) == (0, "", ""), f"the program: {status} {out} {err}")
    check_names("a.mprof")
    shutil.copy("a.mprof", "b.mprof")
    check_pictures(["a.mprof", "b.mprof"])
    check_errors()
    check_files()
    check(not pwned(), f"carried out: {pwned()}")


run_case(main)
