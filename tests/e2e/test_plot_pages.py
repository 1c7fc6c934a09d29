#!/usr/bin/python3
"""What plot draws of a program with long names has room on the page, in PNG and in SVG, whole and in windows; and its
lines are steps in time."""
# TIMEOUT 90
import json
import os
import re
import struct
import subprocess
import sys
import zlib

sys.path.insert(0, os.path.join(os.environ["TESTS"], "e2e"))
from common import MPROF, check, execute, run_case, under_run

# A chain of functions, the outermost last; each holds some heap, and some of them map memory.
SOURCE = r"""
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#define HOLD(name, next, heap, map) \
    __attribute__((noinline)) static void name(void) { \
        char *p = malloc(heap); memset(p, 1, heap); \
        if (map) mmap(0, map, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); \
        usleep(20000); next; usleep(20000); free(p); }
HOLD(INNERMOST_OF_ALL_WITH_WIDE_MM, , 30000, 32768)
HOLD(HUMMING_WOMEN_MAKE_WWW, INNERMOST_OF_ALL_WITH_WIDE_MM(), 20000, 0)
HOLD(allocate_what_is_needed_now, HUMMING_WOMEN_MAKE_WWW(), 10000, 16384)
HOLD(MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM, allocate_what_is_needed_now(), 5000, 0)
HOLD(WIDE_NAMES_WITH_MANY_AWKWARD_LETTERS, MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM(), 5000, 8192)
HOLD(main_work, WIDE_NAMES_WITH_MANY_AWKWARD_LETTERS(), 90000, 0)
int main(void) { main_work(); return 0; }
"""
# gnuplot is started with an environment of its own, so that the place stands in the script.
FAKE = """#!/bin/sh
tee "%s" | PATH=${PATH#*:} exec gnuplot "$@"
"""
EDGE = 4  # pixels that stay blank at either side


def unfilter(kind, line, before, step):
    """A row of a PNG as its pixels; see the PNG specification, 9.2."""
    for i in range(len(line)):
        left = line[i - step] if i >= step else 0
        up, corner = before[i], before[i - step] if i >= step else 0
        guess = left + up - corner
        nearest = min((left, up, corner), key=lambda v: abs(guess - v))
        line[i] = (line[i] + (0, left, up, (left + up) // 2, nearest)[kind]) & 0xff
    return line


def rows_of_png(name):
    """Rows of pixels, each a tuple of channels."""
    with open(name, "rb") as f:
        data = f.read()
    at, packed, head = 8, b"", None
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        head = struct.unpack(">IIBBBBB", body) if kind == b"IHDR" else head
        packed += body if kind == b"IDAT" else b""
        at += size + 12
    width, height, depth, colour = head[:4]
    check(depth == 8 and colour in (2, 6), f"{name}: depth {depth}, colour type {colour}")
    step = 3 if colour == 2 else 4
    raw, before = zlib.decompress(packed), bytes(width * step)
    for y in range(height):
        begin = y * (width * step + 1)
        before = unfilter(raw[begin], bytearray(raw[begin + 1:begin + 1 + width * step]), before, step)
        yield [tuple(before[x:x + 3]) for x in range(0, width * step, step)]


def check_edges(name):
    for y, row in enumerate(rows_of_png(name)):
        for x in (*range(EDGE), *range(len(row) - EDGE, len(row))):
            check(row[x] == (255, 255, 255), f"{name}: something is drawn at {x},{y}, at the page's edge")


def words_of_svg(name):
    with open(name, encoding="utf-8") as f:
        return re.sub(r"<[^>]*>", "\n", f.read())


def mprof(*arguments):
    status, out, err = execute([MPROF, *arguments])
    check(status == 0, f"{arguments}: {err}")
    return out


def plot(*arguments):
    return mprof("plot", *arguments)


def check_pages(*arguments):
    """The picture has all that the text has, and nothing at its edges."""
    plot("-o", "x.png", *arguments)
    plot("-o", "x.svg", *arguments)
    check_edges("x.png")
    text = plot(*arguments)
    drawn, legend = text.split("time (in seconds)")
    for letter in re.findall(r"^ \[(\w)\] ", legend, re.M):
        check(f"[{letter}" in drawn or f"{letter}]" in drawn, f"plot {arguments}: [{letter}] is not in the plot:\n{text}")
    rows = [len(re.findall("activation", words)) for words in (words_of_svg("x.svg"), text)]
    check(rows[0] == rows[1], f"plot {arguments}: {rows[0]} functions in the SVG, not {rows[1]}:\n{text}")


def check_steps(script):
    """In every line each point is at the time or at the level of the one before, and not before it."""
    for name, block in re.findall(r"^\$(line\d+|mapped) << EOD\n(.*?)^EOD", script, re.M | re.S):
        points = [tuple(map(float, line.split())) for line in block.splitlines()]
        check(len(points) > 1, f"{name} has {len(points)} points")
        for (x, y), (u, v) in zip(points, points[1:]):
            check(u >= x and (u == x or v == y), f"{name}: from {x},{y} to {u},{v} is no step")


def script_of(*arguments):
    """What gnuplot is told."""
    os.makedirs("fake", exist_ok=True)
    with open("fake/gnuplot", "w", encoding="utf-8") as f:
        f.write(FAKE % os.path.abspath("script"))
    os.chmod("fake/gnuplot", 0o755)
    environment = {**os.environ, "PATH": os.path.abspath("fake") + ":" + os.environ["PATH"]}
    status, _, err = execute([MPROF, "plot", "-o", "y.png", *arguments], env=environment)
    check(status == 0, f"plot {arguments}: {err}")
    with open("script", encoding="utf-8") as f:
        return f.read()


def check_names_in_window():
    """A legend names who has a line in the window, and what it reaches there; so does the text."""
    processes = json.loads(mprof("report", "--json", "--tree", "tree.mprof"))["processes"]
    children = [p for p in processes if p["command"] == "./long"]
    check(len(children) == 2, f"the tree has {len(children)} children")
    for child in children:
        begin = child["begin_s"]
        window = f"{begin + 0.05:.3f},{begin + 0.15:.3f}"
        plot("-M", "-w", window, "-o", "x.svg", "tree.mprof")
        for words in (words_of_svg("x.svg"), plot("-M", "-w", window, "tree.mprof")):
            named = [c["pid"] for c in children if f"child {c['pid']} " in words]
            check(named == [child["pid"]], f"-M -w {window} names {named}, not {child['pid']}:\n{words}")
            check("here" in words, f"-M -w {window} does not say what is reached there:\n{words}")


def main():
    with open("long.c", "w", encoding="utf-8") as f:
        f.write(SOURCE)
    subprocess.run(["gcc", "-g", "-O0", "-o", "long", "long.c"], check=True)
    execute(under_run("long.mprof", ["./long"]))
    execute(under_run("tree.mprof", ["sh", "-c", "./long; ./long; :"]))
    for arguments in (("long.mprof",), ("-s", "long.mprof"), ("--heap", "long.mprof"), ("-w", "0.05,0.15", "long.mprof")):
        check_pages(*arguments)
    check_names_in_window()
    for arguments in (("long.mprof",), ("-w", "0.05,0.15", "long.mprof"), ("-CM", "tree.mprof"),
                      ("-CM", "-w", "0.05,0.15", "tree.mprof"), ("long.mprof", "tree.mprof")):
        check_steps(script_of(*arguments))


run_case(main)
