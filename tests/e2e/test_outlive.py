#!/usr/bin/python3
"""A daemon that outlives `run` goes on into its spool, which stays, is read meanwhile, and is complete in the end."""
import os
import time

from common import MPROF, PROGRAMS, check, execute, report, run_case

CHURN = 200000


def until(what, seconds, is_so):
    """Waits for something; that it takes long is a failure of the machine, not of ours."""
    for _ in range(seconds * 20):
        if is_so():
            return
        time.sleep(0.05)
    check(False, f"{what}: not so after {seconds} s")


def is_there(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def daemon_of(got):
    """The one child that churns; daemon(3)'s first process is the root itself."""
    found = [c for c in got["children"] if c["kind"] == "fork" and c["totals"]["allocations"] >= CHURN]
    check(len(found) == 1, f"children: {got['children']}")
    return found[0]


def check_daemon(way, status):
    os.mkdir(way)
    os.chdir(way)
    got, out, err = execute([MPROF, "run", "-o", "d.mprof", PROGRAMS + "/outlive", way])
    check(got == status and out == "", f"{way}: status {got}, output {out}")
    check("still runs and goes on recording" in err, f"{way}: {err}")
    check(os.path.exists("d.mprof.spool") and not os.path.exists("d.mprof"), f"{way}: {os.listdir('.')}")

    # While it runs: a snapshot, and the spool is left alone. With "twice" all of the first part is known to be there.
    until(f"{way}: the first part", 60,
          lambda: any(c["totals"]["frees"] >= CHURN for c in report("d.mprof")["children"]))
    now = report("d.mprof")
    check(now["running"] and daemon_of(now)["totals"]["allocations"] == CHURN, f"{way}: {now['children']}")
    check(os.path.exists("d.mprof.spool") and not os.path.exists("d.mprof"), f"{way}: {os.listdir('.')}")

    with open("go", "w", encoding="utf-8"):
        pass
    until(f"{way}: the second part", 60, lambda: os.path.exists("gone"))
    until(f"{way}: the daemon's end", 30, lambda: not is_there(daemon_of(now)["pid"]))
    full = report("d.mprof")
    check(not full["running"] and full["totals"]["allocations"] == 10, f"{way}: {full['totals']}")
    child = daemon_of(full)
    for key, want in {"allocations": 2 * CHURN + 7, "frees": 2 * CHURN, "live_at_end_blocks": 7,
                      "live_at_end_bytes": 7000, "peak_bytes": 7000}.items():
        check(child["totals"][key] == want, f"{way}: {key} of the daemon is {child['totals'][key]}, not {want}")
    for key in ("lost", "unmatched_frees", "implied_frees"):
        check(child["quality"][key] == 0, f"{way}: {key} of the daemon is {child['quality'][key]}")
    check(child["quality"]["inherited"] == 10, f"{way}: inherited {child['quality']['inherited']}")
    check(os.path.exists("d.mprof") and not os.path.exists("d.mprof.spool"), f"{way}: {os.listdir('.')}")
    os.chdir("..")


def main():
    check_daemon("twice", 3)
    check_daemon("daemon", 0)


run_case(main)
