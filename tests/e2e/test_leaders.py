#!/usr/bin/python3
"""A program that only starts others: run, report, leaks, peak and plot show the sum of its family and the biggest
process first, and say which options show one or all; plot -M draws each, or says what it left out. Who is biggest, and
what the sum is, goes by memory, heap and mapped memory together, or by the one of both that is asked for."""
# TIMEOUT 180
import json
import os
import re
import shutil

from common import MPROF, PROGRAMS, check, execute, mprof, report, run_case, under_run

MIB = 1 << 20
FAMILY = PROGRAMS + "/family"  # 1 MiB, and children of 2 and 3 at a time: 6 MiB and 300 bytes
CHILDREN = 150
# Holds as many MiB of heap and of mapped memory as it is told, until its standard input says that another one does. With
# a word more a child of it does, which it waits for.
HOLDER = r"""
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
static void *volatile held[2];
int main(int argc, char **argv)
{
    size_t heap = (size_t)atoi(argv[argc - 2]) << 20, mapped = (size_t)atoi(argv[argc - 1]) << 20;
    char c = 0;
    if (argc > 3 && fork() != 0)
        return wait(NULL) < 0;
    if (heap)
        held[0] = memset(malloc(heap), 1, heap);
    if (mapped)
        held[1] = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return write(1, &c, 1) != 1 || read(0, &c, 1) != 1;
}
"""


def recorded(name, command):
    """Records a command; returns run's closing lines."""
    status, _, err = execute([MPROF, "run", "-o", name, "--", *command])
    check(status == 0, f"{name}: {status} {err}")
    return err


def processes(name):
    return json.loads(mprof("report", "--json", "--tree", name))["processes"]


def picture(*arguments):
    """A plot's picture, standard output and standard error."""
    status, out, err = execute([MPROF, "plot", "-o", "x.svg", *arguments])
    check(status == 0, f"plot {arguments}: {out}{err}")
    with open("x.svg", encoding="utf-8") as f:
        return f.read(), out, err


def lines_of(text):
    return re.sub(r" +", " ", text)


def bytes_as(count):
    """As the tool prints them."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024 or unit == "MiB":
            return f"{count} B" if unit == "B" else f"{count:.2f} {unit}"
        count /= 1024


def parts(totals):
    """Of a peak of memory, without what is 0; "" where there is only a heap."""
    mapped = totals["mapped_at_memory_peak_bytes"]
    heap = totals["memory_peak_bytes"] - mapped
    if mapped == 0:
        return ""
    return f"\n = {bytes_as(heap) + ' heap + ' if heap else ''}{bytes_as(mapped)} mapped\n"


def mib(line):
    """The figure of a line of peak's."""
    return float(line.split("\t")[1].split()[0])


def check_leader(name, command, least, most, programs=("family",)):
    """least, most: the sum's peak in MiB; programs: one of them is the biggest."""
    said = lines_of(recorded(name, command))
    every = processes(name)
    tree = json.loads(mprof("report", "--json", "--tree", name))
    size = len({p["pid"] for p in every})
    biggest = max(every, key=lambda p: p["totals"]["memory_peak_bytes"])
    pid, held = biggest["pid"], biggest["totals"]["memory_peak_bytes"]
    program = os.path.basename(biggest["command"].split()[0])
    check(program in programs, f"{name}: the biggest is {biggest['command']}")
    whole = tree["totals"]["memory_peak_bytes"]
    check(least * MIB <= whole <= most * MIB, f"{name}: {tree['totals']}")
    shown = f"{held / MIB:.2f} MiB"

    check(f" together {size} processes\n" in said, f"{name}: run: {said}")
    check(f" biggest {pid} {program}, peak {shown} at" in said, f"{name}: run does not name the biggest: {said}")
    total = f"{whole / MIB:.2f} MiB"
    check(f"\n peak {total} at" in said, f"{name}: run's peak is not the sum's: {said}")
    sums, own = said.split(" biggest ")
    check(parts(tree["totals"]) in sums and parts(biggest["totals"]) in own, f"{name}: run's parts: {said}")
    check(said.count(" heap + ") == bool(parts(tree["totals"])) + bool(parts(biggest["totals"])), f"{name}: {said}")
    check("with --pid N one process; with --tree, or plot -C and -M, all of them" in said, f"{name}: run: {said}")
    check("largest process" not in said.replace("the largest process alone", ""), f"{name}: run: {said}")
    check(f"{tree['totals']['allocations']:,}, " in said, f"{name}: run counts others: {said}")

    text = lines_of(mprof("report", name))
    head, below = text.split("The biggest:")
    check(f"{size} processes together" in head and f" peak {total} at" in head, f"{name}: report:\n{text}")
    check("--tree, or plot -C and -M; for one --pid N" in head, f"{name}: report:\n{text}")
    check(f"process {pid}, " in below and f" peak {shown} at" in below, f"{name}: report:\n{text}")
    check("functions, by peak" in below and "functions, by" not in head, f"{name}: report:\n{text}")
    clock = re.search(r"times are since its recording began, at ([^\n]*) of the tree\n", below)
    check((clock is not None) == (" of the tree\n" in own), f"{name}: whose clock: {said}\n{text}")
    check(parts(tree["totals"]) in head and parts(biggest["totals"]) in below, f"{name}: report's parts:\n{text}")
    for p in every:
        check(f" {p['pid']} " in below, f"{name}: {p['pid']} is not in the report:\n{text}")

    check(f"the biggest of {size} processes" in mprof("leaks", name), f"{name}: leaks")
    peak = mprof("peak", name).splitlines()
    check(peak[0].startswith(f"{name}, {size} processes together\t"), f"{name}: peak: {peak}")
    check(abs(mib(peak[0]) - whole / MIB) < 0.001, f"{name}: peak: {peak}")
    own = [line for line in peak if line.startswith(f"{name}, biggest: {pid} {program}\t")]
    check(len(own) == 1 and abs(mib(own[0]) - held / MIB) < 0.001, f"{name}: peak: {peak}")

    drawn, out, err = picture(name)
    check("only starts others" in out and err == "", f"{name}: plot says {out}{err}")
    for wanted in (f"all {size} together", f"{pid} {program}, peak {shown}", total):  # a label is cut to its end
        check(wanted in drawn, f"{name}: plot has no {wanted}")
    check("RSS" not in drawn, f"{name}: plot draws a resident set beside the sum")
    for option in ("-n", "--skip=main"):  # there are no functions
        status, _, err = execute([MPROF, "plot", option, "-o", "x.svg", name])
        check(status == 1 and option.split("=")[0] + " does nothing" in err, f"{name}: plot {option}: {status} {err}")
    drawn, _, _ = picture(name, name)
    check(drawn.count(f"all {size} together") == 2, f"{name}: plot of two does not say that a line is a sum")
    picture("-w", f"0,{tree['duration_s'] / 2}", name)
    drawn, out, _ = picture("--pid", str(pid), name)
    check("only starts" not in out and "together" not in drawn and shown in drawn, f"{name}: plot --pid")


def check_json_is_the_program(name, command):
    """Keys keep their meaning: JSON is of the program that was started."""
    got = report(name)
    check(os.path.basename(got["command"][0]) == command, f"{name}: {got['command']}")
    check(got["totals"]["peak_bytes"] < MIB, f"{name}: {got['totals']}")
    found = json.loads(mprof("peak", "--json", name))["recordings"][0]
    check(found["peak_bytes"] == got["totals"]["peak_bytes"], f"{name}: {found}")
    text = mprof("report", "--pid", str(got["pid"]), name)
    check("together" not in text and command in text.splitlines()[0], f"{name}: --pid of the leader:\n{text}")


def check_one_that_does_more(name):
    """A program that holds much itself is shown as ever."""
    said = recorded(name, [FAMILY])
    check("together" not in said and "1.00 MiB" in said, f"{name}: {said}")
    size = len({p["pid"] for p in processes(name)})
    check(f" figures of family alone, of {size} processes; --tree sums all\n" in lines_of(said), f"{name}: {size}: {said}")
    check("with --tree, or plot -C and -M, all of them" in said, f"{name}: {said}")
    check("together" not in mprof("report", name) and "together" not in mprof("peak", name), f"{name}")
    drawn, out, _ = picture(name)
    check("only starts" not in out and "together" not in drawn, f"{name}: plot")
    check(lines_of(said).count("peak RSS") == 1, f"{name}: {said}")


def check_refused():
    status, out, err = execute([MPROF, "plot", "--pid", "1", "-C", "sh.mprof"])
    check(status == 2 and out == "" and err.count("\n") == 1, f"plot --pid -C: {status} {err}")
    status, out, err = execute([MPROF, "plot", "--pid", "1", "sh.mprof"])
    check(status == 1 and out == "" and err.count("\n") == 1, f"plot --pid 1: {status} {err}")


def check_compiler():
    with open("unit.c", "w", encoding="ascii") as f:
        for i in range(4000):
            f.write(f"int f{i}(int x) {{ return x * {i} + f{i}(x - {i}); }}\n")
    # The compiler's own allocator maps most of what it holds; by the heap the assembler may be ahead of it.
    check_leader("gcc.mprof", ["gcc", "-O1", "-c", "-o", "unit.o", "unit.c"], 1, 4000, ("cc1",))
    check_json_is_the_program("gcc.mprof", "gcc")
    with open("makefile", "w", encoding="ascii") as f:
        f.write(f"all: one two\none two:\n\t{FAMILY}\n")
    if shutil.which("make"):
        check_leader("make.mprof", ["make", "-f", "makefile"], 6, 9)


def first_of(name, option):
    """report with that option: the peak of all together, that of the biggest, and what is said of it."""
    head, below = lines_of(mprof("report", option, name)).split("The biggest:")
    together, own = (re.search(r"\n peak ([^\n]* MiB) at", text)[1] for text in (head, below))
    return together, own, below


def check_mapped():
    """Two at a time: 1 MiB of heap with 20 mapped, and 9 of heap. By memory and by what is mapped the first is the
    biggest, by the heap the second."""
    with open("holder.c", "w", encoding="ascii") as f:
        f.write(HOLDER)
    status, _, err = execute(["gcc", "-O1", "-o", "holder", "holder.c"])
    check(status == 0, f"gcc: {err}")
    os.mkfifo("back")
    check_leader("mapped.mprof", ["sh", "-c", '"$0" 1 20 <back | "$0" 9 0 >back', "./holder"], 30, 31, ("holder",))
    tree = json.loads(mprof("report", "--json", "--tree", "mapped.mprof"))
    totals = tree["totals"]
    check(totals["mapped_at_memory_peak_bytes"] == totals["mapped_peak_bytes"] == 20 * MIB, f"mapped: {totals}")
    check(10 * MIB <= totals["peak_bytes"] < 11 * MIB, f"mapped: {totals}")
    last = {p["command"]: p for p in tree["processes"] if p["command"].startswith("./holder")}
    mapper, heaper = last["./holder 1 20"], last["./holder 9 0"]
    check(mapper["totals"]["memory_peak_bytes"] == 21 * MIB, f"mapped: {mapper}")
    for p in (mapper, heaper):
        at = p["totals"]["memory_peak_time_s"]
        check(p["begin_s"] <= at <= p["end_s"], f"mapped: the time of a peak is not the family's: {p}")
        check(at <= totals["memory_peak_time_s"], f"mapped: {p}, {totals}")

    said = lines_of(mprof("report", "mapped.mprof"))
    check(f"\n {mapper['pid']} holder 1 20 21.00 MiB 1.00 MiB 20.00 MiB " in said, f"mapped: processes:\n{said}")
    check(f"\n {heaper['pid']} holder 9 0 9.00 MiB 9.00 MiB 0 B " in said, f"mapped: processes:\n{said}")
    for option, who, held in (("--heap", heaper, "9.00 MiB"), ("--mapped", mapper, "20.00 MiB")):
        together, own, below = first_of("mapped.mprof", option)
        whole = totals["peak_bytes" if option == "--heap" else "mapped_peak_bytes"]
        check((together, own) == (f"{whole / MIB:.2f} MiB", held), f"report {option}: {together}, {own}")
        check(f"process {who['pid']}, " in below and " heap + " not in below, f"report {option}:\n{below}")
        peak = mprof("peak", option, "mapped.mprof")
        check(f"biggest: {who['pid']} holder\t" in peak and "\n  mapped\t" not in peak, f"peak {option}: {peak}")
        check(re.search(r"together\t.*\n  RSS\t.*\t(the largest process alone|samples, summed).*\n", peak), f"peak {option}: {peak}")


def check_mappings_alone():
    """A program that only maps is summarised as any other; in a family it is the biggest."""
    said = lines_of(recorded("maps.mprof", [PROGRAMS + "/maps"]))
    for wanted in (" allocations 0, 0 B in all\n", " peak 240.00 KiB at ", "\n = 240.00 KiB mapped\n",
                   " live at end 0 B in 0 blocks\n and 40.00 KiB mapped\n"):
        check(wanted in said, f"maps: no '{wanted}' in {said}")
    totals = report("maps.mprof")["totals"]
    check(f" mappings {totals['maps']}, {totals['unmaps']} unmapping" in said, f"maps: {totals}: {said}")
    said = lines_of(recorded("shmaps.mprof", ["sh", "-c", '"$0"; :', PROGRAMS + "/maps"]))
    check(re.search(r" biggest \d+ maps, peak 240.00 KiB at [^\n]*\n = 240.00 KiB mapped\n", said), said)
    check(" mapped, at each one's own end\n" in said, f"whose end: {said}")
    # A forked child has no recording of its own; this one has no heap either, so by the heap nobody is above the root.
    said = lines_of(recorded("forked.mprof", ["./holder", "fork", "0", "20"]))
    check(re.search(r" biggest \d+ holder, peak 20.00 MiB at [^\n]*\n = 20.00 MiB mapped\n", said), said)
    check("together" in mprof("report", "forked.mprof"), "forked: report")
    check("together" not in mprof("report", "--heap", "forked.mprof"), "forked: report --heap")
    check("mapped" not in lines_of(recorded("single.mprof", [PROGRAMS + "/single"])), "single maps nothing")


def check_many():
    """More processes than lines: the others are one, and what they sum to is said."""
    script = f'for i in $(seq {CHILDREN}); do "$0"; done; :'
    execute(under_run("many.mprof", ["sh", "-c", script, PROGRAMS + "/single"]))
    every = processes("many.mprof")
    # A child that became seq counts once.
    held = len({p["pid"] for p in every if p["totals"]["peak_bytes"] > 0})
    size = len({p["pid"] for p in every})
    check(size > CHILDREN, f"many: {size} processes")
    left = held - 100
    drawn, _, err = picture("-M", "many.mprof")
    # One after the other: the others together never held more than one of them, unless two overlap.
    words = f"{left} of {size} processes have no line of their own, together they held "
    check(words in err, f"plot -M: {err}, not '{words}'")
    check(words in drawn and f"{left} others together" in drawn, "plot -M: the picture does not say so")
    check(drawn.count("<path") > 100, f"plot -M draws {drawn.count('<path')} lines")
    root = next(p for p in every if p["starter"] is None)
    check(f">{root['pid']} sh, peak " in drawn, "plot -M: the legend does not name the program itself")
    drawn, _, err = picture("-CM", "-w", "0,1000", "many.mprof")
    check(words in err and f"all {size} together" in drawn and f"{left} others together" in drawn, f"plot -CM -w: {err}")
    listed = mprof("report", "many.mprof")
    check(f"and {size - 30} more" in listed, f"report:\n{listed}")


def check_few():
    """Those that hold nothing have no line, and that is said, too."""
    execute(under_run("few.mprof", ["sh", "-c", '"$0"; "$1"; :', FAMILY, PROGRAMS + "/empty"]))
    every = processes("few.mprof")
    last = {p["pid"]: p for p in every}
    empty = sum(1 for p in last.values() if p["totals"]["peak_bytes"] == 0)
    drawn, _, err = picture("-M", "few.mprof")
    if empty:
        check(f"{empty} process" in err and "held nothing" in err and "held nothing" in drawn, f"few: {empty}: {err}")
    else:
        check(err == "", f"few: {err}")
    for p in last.values():
        check(p["totals"]["peak_bytes"] == 0 or f"{p['pid']} " in drawn, f"few: no line for {p['pid']}")


def main():
    check_leader("sh.mprof", ["sh", "-c", '"$0"; :', FAMILY], 6, 7)
    check_json_is_the_program("sh.mprof", "sh")
    check_one_that_does_more("family.mprof")
    check_refused()
    check_compiler()
    check_mapped()
    check_mappings_alone()
    check_many()
    check_few()


run_case(main)
