#!/usr/bin/python3
"""Each frame's module, offset and build id are those of addr2line and readelf; without lines two calls in one
function are two rows; who could bring missing names is said at the foot."""
import os
import re
import shutil
import subprocess

from common import MPROF, TESTS, check, execute, leaks, mprof, preloaded, report, run_case, under_run

SOURCE = """#include <stdlib.h>
static void *volatile kept;
static inline __attribute__((always_inline)) void *inlined(size_t n)
{
    void *p = malloc(n);
    __asm__ volatile("" : "+r"(p));
    return p;
}
__attribute__((noinline)) void work(size_t n)
{
    kept = inlined(n);
    kept = inlined(n);
}
int main(void)
{
    kept = malloc(2002);
    work(3003);
    kept = malloc(2002);
    kept = 0;
    return 0;
}
"""


def build(name, *flags):
    status, _, err = execute(["gcc", "-O1", "-Wl,--build-id=sha1", *flags, "-o", name, os.path.abspath("app.c")])
    check(status == 0, f"gcc {flags}: {err}")


def record(name, env=None):
    """Returns the recording's name."""
    status, _, err = execute(under_run(name + ".mprof", ["./" + name]), env=env)
    check(status == 0, f"{name}: {err}")
    return name + ".mprof"


def build_id(path):
    found = re.search(r"Build ID: ([0-9a-f]+)", execute(["readelf", "-n", path])[1])
    return found[1] if found else ""


def symbols(path):
    """name -> address"""
    return {words[2]: int(words[0], 16) for words in (line.split() for line in execute(["nm", path])[1].split("\n"))
            if len(words) == 3}


def addr2line(path, offset):
    """[(function, file, line)], the innermost first; "" and 0 where it is not known."""
    lines = execute(["addr2line", "-f", "-i", "-e", path, offset])[1].strip().split("\n")
    frames = []
    for function, place in zip(lines[::2], lines[1::2]):
        file, line = place.split(" ")[0].rsplit(":", 1)
        frames.append((function, "" if file == "??" else file, int(line) if line.isdigit() else 0))
    return frames


def check_stack(what, stack, app):
    """The frames of the program are, place by place, what addr2line says of their offsets."""
    mine = [f for f in stack if f["module"] == app]
    check(mine, f"{what}: no frame in {app}")
    at = 0
    while at < len(mine):
        wanted = addr2line(app, mine[at]["offset"])
        got = [(f["function"], f["file"], f["line"]) for f in mine[at:at + len(wanted)]]
        check(got == wanted, f"{what}: {mine[at]['offset']} is {got}, says addr2line {wanted}")
        check(len({f["offset"] for f in mine[at:at + len(wanted)]}) == 1, f"{what}: inlined frames have offsets of their own")
        at += len(wanted)


def check_build_ids(what, places):
    for place in places:
        if place["module"].startswith("/"):
            wanted = build_id(place["module"])
            check(place["build_id"] == wanted, f"{what}: build id {place['build_id']} of {place['module']}, not {wanted}")


def check_recording(name, app):
    found = leaks(name)["leaks"]
    check([(e["bytes"], e["blocks"]) for e in found] == [(3003, 1)] * 2 + [(2002, 1)] * 2, f"{name}: leaks {found}")
    for entry in found:
        check_stack(f"{name}, {entry['bytes']} bytes", entry["stack"], app)
        check_build_ids(name, entry["stack"])
    functions = report(name)["functions"]
    check_build_ids(name, functions)
    known = symbols(app)
    for function in functions:
        if function["module"] == app and function["name"] in ("main", "work", "_start"):
            check(function["offset"] == hex(known[function["name"]]), f"{name}: {function['name']} begins at {function['offset']}")
    return found


def check_lines(name, found):
    """With -g: whole paths in JSON, short ones in the text."""
    files = {f["file"] for e in found for f in e["stack"] if f["function"] in ("main", "work", "inlined")}
    check(files == {os.path.abspath("app.c")}, f"{name}: sources {files}")
    text = mprof("leaks", name)
    check("  app.c:5\n" in text and "main  app.c:16\n" in text and "main+0x" not in text, f"{name}: leaks as text: {text}")
    inlined = [f for f in report(name)["functions"] if f["name"] == "inlined"]
    check(inlined and inlined[0]["offset"] is None and inlined[0]["build_id"], f"{name}: {inlined}")


def check_sites(name, app, found):
    """Without: rows of one function are told apart by the place in it, from where the symbol begins."""
    known, text = symbols(app), mprof("leaks", name)
    for entry, function in ((found[0], "work"), (found[1], "work"), (found[2], "main"), (found[3], "main")):
        frame = next(f for f in entry["stack"] if f["function"] == function)
        check(frame["line"] == 0 and frame["file"] == "", f"{name}: {frame}")
        site = f"    {function}+{int(frame['offset'], 16) - known[function]:#x}  plain\n"
        check(text.count(site) >= 1, f"{name}: no {site!r} in {text}")
    check(len(set(re.findall(r"^    work\+0x\S+", text, re.M))) == 2, f"{name}: {text}")
    check(len(set(re.findall(r"^    main\+0x\S+", text, re.M))) == 3, f"{name}: {text}")
    check(len(leaks_of_tree(name)) == 4, f"{name}: --tree merges rows")


def leaks_of_tree(name):
    text = mprof("leaks", "--tree", name)
    return re.findall(r"^[^ ].* in 1 block, allocated", text, re.M)


def check_option(name, app):
    """--addresses, and what addr2line makes of a line of it."""
    for command in ("leaks", "report"):
        text = mprof(command, "--addresses", name)
        lines = re.findall(rf"^        {re.escape(app)} (0x[0-9a-f]+)$", text, re.M)
        check(lines, f"{command} --addresses: {text}")
        names = {addr2line(app, offset)[-1][0] for offset in lines}
        check({"main", "work"} <= names, f"{command} --addresses: {names}")
        check(f"\n  {build_id(app)}  {app}\n" in text, f"{command} --addresses: no build id in {text}")
        check(app + " 0x" not in mprof(command, name), f"{command} prints addresses")
        status, out, err = execute([MPROF, command, "--json", "--addresses", name])
        check(status == 2 and not out and err.count("\n") == 1 and "--addresses" in err, f"{command}: {status}, {err}")


def check_peak(name, app):
    text = mprof("peak", "--json", "--func", "work", name)
    check(f'"offset": "{symbols(app)["work"]:#x}"' in text and f'"build_id": "{build_id(app)}"' in text, f"peak: {text}")


def check_foot():
    """A program without names: how to get them, and that this is true."""
    build("whole", "-g")
    shutil.copy("whole", "stripped")
    subprocess.run(["strip", "stripped"], check=True)
    cache = os.path.abspath("cache")
    env = {**os.environ, "DEBUGINFOD_CACHE_PATH": cache}
    name, identity = record("stripped", env), build_id("stripped")
    for command in ("report", "leaks"):
        text = mprof(command, name)
        check(text.count(f"debuginfod-find debuginfo {identity}\n") == 1, f"{command}: no build id at the foot: {text}")
        check(max(map(len, text.split("\n"))) <= 80, f"{command}: wide lines: {text}")
    os.makedirs(os.path.join(cache, identity))
    subprocess.run(["objcopy", "--only-keep-debug", "whole", os.path.join(cache, identity, "debuginfo")], check=True)
    os.unlink(name)
    name = record("stripped", env)
    check("main  app.c:16\n" in mprof("leaks", name), f"what was fetched is not read: {mprof('leaks', name)}")
    check(identity not in mprof("report", name), "the foot names what is there")
    check("compile it with -g" not in mprof("report", "lines.mprof"), "the foot names what has all names")


def check_version_1():
    name = "old.mprof"
    shutil.copy(os.path.join(TESTS, "data", "inlines.v1.capture"), name)
    found = [f for e in leaks(name)["leaks"] for f in e["stack"]] + report(name)["functions"]
    check(found and all(f["offset"] is None and f["build_id"] == "" for f in found), f"{name}: {found}")
    for command in ("leaks", "report"):
        text = mprof(command, "--addresses", name)
        check(text == mprof(command, name) and "debug symbols" not in text, f"{command} of version 1: {text}")


def main():
    with open("app.c", "w", encoding="utf-8") as f:
        f.write(SOURCE)
    build("lines", "-g")
    build("plain", "-g0")
    build("fixed", "-g", "-no-pie", "-fno-pie")
    for program in ("lines", "plain", "fixed"):
        app = os.path.abspath(program)
        found = check_recording(record(program), app)
        if program == "plain":
            check_sites("plain.mprof", app, found)
        else:
            check_lines(program + ".mprof", found)
        check_option(program + ".mprof", app)
        check_peak(program + ".mprof", app)
    execute(["./plain"], env=preloaded("spool.mprof"))
    check_sites("spool.mprof", os.path.abspath("plain"), check_recording("spool.mprof", os.path.abspath("plain")))
    check_foot()
    check_version_1()


run_case(main)
