#!/usr/bin/python3
"""A recording that lost its end never shows figures of nothing: they are whole, of the events that are left, or said to
be missing."""
# TIMEOUT 120
import json
import os

from common import MPROF, PROGRAMS, check, execute, mprof, run_case


def check_cut(data, whole, fraction):
    with open("cut.mprof", "wb") as f:
        f.write(data[:int(len(data) * fraction)])
    status, out, err = execute([MPROF, "report", "--json", "cut.mprof"])
    if status != 0:
        return "unreadable"
    got, text = json.loads(out), mprof("report", "cut.mprof")
    leaks, peak = mprof("leaks", "cut.mprof"), mprof("peak", "cut.mprof")
    kind, what = got["figures"], f"{fraction:.2f}: {text}"
    check(got["cut"] and "is cut" in err, f"{what}: {err}")
    if kind == "whole":
        check(got["totals"]["allocations"] == whole["totals"]["allocations"], what)
        check("figures  " not in text, what)
    elif kind == "of events":
        check("  figures       of the events up to " in text and "figures: of the events" in leaks, what)
        check("figures are of the events" in peak, peak)
    else:
        check("  figures       missing: the file ends before them" in text, what)
        check("\n  peak " not in text and "allocated" not in text and "0.000 s" not in text, what)
        check("figures: missing" in leaks and "live at" not in leaks, leaks)
        check("figures are missing" in peak and "0 B" not in peak, peak)
    return kind


def main():
    execute([MPROF, "run", "-q", "-o", "whole.mprof", "--", os.path.join(PROGRAMS, "lossy"), "2", "20000"])
    whole = json.loads(mprof("report", "--json", "whole.mprof"))
    check(whole["figures"] == "whole" and not whole["cut"], f"{whole['figures']}")
    check("figures  " not in mprof("report", "whole.mprof"), "report of a whole one")
    with open("whole.mprof", "rb") as f:
        data = f.read()
    kinds = {check_cut(data, whole, percent / 100) for percent in range(1, 100, 3)}
    check({"whole", "missing"} <= kinds, f"all cuts were {kinds}")


run_case(main)
