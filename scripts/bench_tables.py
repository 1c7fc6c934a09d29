"""What scripts/bench prints of its samples (bench_measure.py says what those hold).

A round is {mode: sample}. All figures are medians over rounds of what one round gave, so that what the
machine does besides weighs on both sides of a difference alike.
"""
import statistics

from bench_measure import HEAPTRACK_MODES, LOSSES, OTHER, OUR_MODES, OUR_WAYS

TITLES = {"plain": "plain", "preload": "preload", "run": "run", "raw": "heaptrack raw", "full": "heaptrack full",
          OTHER + "preload": "the other build's preload", OTHER + "run": "the other build's run"}
NONE = "-"


class Problems:
    """What must not be: the reason for exit status 1."""

    def __init__(self):
        self.lines, self.shown = [], 0

    def add(self, line):
        if line not in self.lines:
            self.lines.append(line)

    def show(self):
        """Prints those that are new, below the table of what they are about."""
        for line in self.lines[self.shown:]:
            print(f"  !! {line}")
        self.shown = len(self.lines)

    def judge(self, name, rounds):
        """Looks whether recordings are whole and the program was what it is without us."""
        for found in rounds:
            plain = found["plain"]
            for mode, sample in found.items():
                who = f"{name}, {TITLES[mode]}: "
                if sample["status"] != expected_status(plain["status"], mode):
                    self.add(f"{who}exit status {sample['status']}, alone {plain['status']}")
                if mode not in OUR_MODES:
                    continue
                if not sample["recordings"]:
                    self.add(f"{who}nothing was recorded")
                    continue
                for key in LOSSES:
                    if sample[key]:
                        self.add(f"{who}{sample[key]:,} {key.replace('_', ' ')}")
                if sample["events"] < 2 * sample.get("operations", 0):
                    self.add(f"{who}{sample['events']:,} events of at least {2 * sample['operations']:,}")


def expected_status(plain, mode):
    """heaptrack is a shell script: a death by signal becomes a number."""
    return 128 - plain if plain < 0 and mode in HEAPTRACK_MODES else plain


def median(values):
    """The median of what there is."""
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def number(value, digits=2):
    return NONE if value is None else f"{value:,.{digits}f}"


def spread(values, digits=2):
    """Median (lowest .. highest)."""
    values = [v for v in values if v is not None]
    if not values:
        return NONE
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f} .. {max(values):,.{digits}f})"


def quotient(a, b):
    """None where there is nothing to divide, or by."""
    return a / b if a is not None and b is not None and b > 0 else None


def get(found, mode, key):
    return found[mode].get(key) if mode in found else None


def column(rounds, mode, key):
    return [get(found, mode, key) for found in rounds]


def added(rounds, mode, keys=("seconds",)):
    """What a mode has more of the keys' sum than the plain run has of the first, in each round."""
    values = []
    for found in rounds:
        ours = [get(found, mode, k) for k in keys]
        values.append(None if None in ours else sum(ours) - found["plain"][keys[0]])
    return values


def events_of(rounds):
    """Events of the program in each round; those under run where there is no plain preload."""
    return [get(f, "preload", "events") or get(f, "run", "events") for f in rounds]


def against_other(rounds, mode, values):
    """The ratio of what `values` gives for a mode of ours and for the same mode of the other build."""
    other = OTHER + mode
    return str(Ratio(values(rounds, mode), values(rounds, other))) if other in rounds[0] else NONE


class Ratio:
    """The ratio of two medians, and in which range those of the single rounds lie."""

    def __init__(self, ours, theirs):
        self.value = quotient(median(ours), median(theirs))
        self.rounds = [quotient(a, b) for a, b in zip(ours, theirs)]

    def __str__(self):
        values = [v for v in self.rounds if v is not None]
        if self.value is None or not values:
            return NONE
        return f"{self.value:.2f} ({min(values):.2f} .. {max(values):.2f})"


def print_rows(head, rows):
    """The first column to the left, the others to the right; none that is empty."""
    used = [i for i in range(len(head)) if i == 0 or any(row[i] not in ("", NONE) for row in rows)]
    head, rows = [head[i] for i in used], [[row[i] for i in used] for row in rows]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        cells = [row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]
        print("  " + "  ".join(cells).rstrip())


def rss_added(rounds, mode):
    """MiB, or a dash where the plain program is smaller than this script, which hides it."""
    if any(f["plain"]["rss_kib"] <= f["plain"]["rss_floor_kib"] for f in rounds):
        return NONE
    values = added(rounds, mode, ("rss_kib",))
    return number(median(values) / 1024, 1) if values else NONE


def program_table(title, rounds, nothing, modes, problems):
    """`nothing` are the same rounds of /bin/true: what a mode costs before and behind the events."""
    events = events_of(rounds)
    print(f"\n{title}: {number(median(events), 0)} events")
    raw, raw_less = added(rounds, "raw"), less(added(rounds, "raw"), added(nothing, "raw"))
    rows = [("plain", spread(column(rounds, "plain", "seconds")), "", "", "", "", "", "", "")]
    for mode in modes[1:]:
        more, start_up = added(rounds, mode), added(nothing, mode)
        rows.append((TITLES[mode], spread(column(rounds, mode, "seconds")),
                     spread(nanoseconds(more, events), 0), against_other(rounds, mode, added),
                     number(Ratio(more, raw).value),
                     number(median(start_up) * 1e3, 0), number(Ratio(less(more, start_up), raw_less).value),
                     number(median(nanoseconds(added(rounds, mode, ("cpu_seconds",)), events)), 0),
                     rss_added(rounds, mode)))
    print_rows(("", "wall s", "added ns an event", "/ the other's", "/ raw", "start-up ms", "/ raw less it", "CPU ns", "RSS + MiB"),
               rows)
    if all(recordings_of(rounds, m) in (None, 1) for m in modes):
        answer_lines(rounds, modes)  # else the first report is of one of many
    size_lines(rounds, events)
    collector_lines(rounds)
    if median(column(nothing, "preload", "collect_seconds")) is not None:
        names = [s * 1e3 for s in column(nothing, "preload", "collect_seconds")]
        print(f"    (no figure without names is to be had; /bin/true's few events take {spread(names, 0)} ms)")
    whole_lines(rounds, modes)
    problems.show()


def less(values, others):
    return [None if None in (v, o) else v - o for v, o in zip(values, others)]


def nanoseconds(seconds, events):
    """Of each event."""
    return [quotient(s and s * 1e9, e) for s, e in zip(seconds, events)]


def recordings_of(rounds, mode):
    return median(column(rounds, mode, "recordings"))


def whole_lines(rounds, modes):
    """What was recorded, and that it is all there."""
    ours = [m for m in OUR_MODES if m in modes]
    for mode in ours:
        count = recordings_of(rounds, mode)
        if count > 1:
            print(f"  {TITLES[mode]}: {count:.0f} recordings, of programs that it started, too; heaptrack has only the first")
    if ours:
        losses = (f"{key.replace('_', ' ')} {max(get(f, m, key) or 0 for f in rounds for m in ours)}" for key in LOSSES)
        print(f"  whole: {', '.join(losses)}")


def answer(rounds, mode):
    """Seconds to the end of the first report beyond the plain run."""
    return added(rounds, mode, ("seconds", "report_seconds"))


def answer_lines(rounds, modes):
    print("  time to answer (program and report), s")
    theirs = answer(rounds, "full")
    rows = []
    for mode in modes:
        if mode == "raw":
            continue
        reports = column(rounds, mode, "report_seconds") if mode != "plain" else [0] * len(rounds)
        whole = [None if r is None else s + r for s, r in zip(column(rounds, mode, "seconds"), reports)]
        beyond = answer(rounds, mode) if mode != "plain" else [None]
        against = str(Ratio(beyond, theirs)) if mode in OUR_MODES else ""
        rows.append(("  " + TITLES[mode], spread(whole), "" if mode == "plain" else spread(beyond), against))
    print_rows(("", "in all", "beyond plain", "/ heaptrack full"), rows)


def size_lines(rounds, events):
    def each(key, mode="preload"):
        return median([quotient(b, e) for b, e in zip(column(rounds, mode, key), events)])

    if each("spool_used") is not None:
        print(f"  spool: {number(each('spool_committed'), 1)} bytes an event, {number(each('spool_used'), 1)} with "
              f"the chunks' heads and ends, {number(each('spool_bytes'), 1)} on disk")
    for mode in OUR_MODES:
        size, theirs = median(column(rounds, mode, "capture_bytes")), median(column(rounds, "full", "capture_bytes"))
        if size is not None:
            line = f"  capture of {TITLES[mode]}: {number(size, 0)} bytes, {number(each('capture_bytes', mode), 3)} an event"
            if theirs and recordings_of(rounds, mode) == 1:
                line += f"; heaptrack's {number(theirs, 0)} bytes: {size / theirs:.2f}"
            print(line)


def collector_rates(rounds, key, mode="preload"):
    """Million events a second."""
    return [quotient(e and e / 1e6, s)
            for e, s in zip(column(rounds, mode, "events"), column(rounds, mode, key))]


def collector_seconds(rounds, mode):
    return column(rounds, mode, "collect_cpu_seconds")


def collector_lines(rounds, whose=""):
    for mode in ("preload", OTHER + "preload"):
        rates = collector_rates(rounds, "collect_seconds", mode)
        if median(rates) is not None:
            print(f"  {whose}{'the other ' if mode.startswith(OTHER) else ''}collector alone on one processor: "
                  f"{spread(rates)} M events/s, by its processor time "
                  f"{number(median(collector_rates(rounds, 'collect_cpu_seconds', mode)))}; names included")
    if OTHER + "preload" in rounds[0]:
        print(f"  {whose}collector's processor time / the other's: "
              f"{against_other(rounds, 'preload', collector_seconds)}")


def rates(rounds, mode):
    return column(rounds, mode, "operations_per_second")


def share_of_plain(loops, threads, mode):
    """How our throughput grows with threads, as a share of how the plain program's does."""
    ours = Ratio(rates(loops[threads], mode), rates(loops[1], mode))
    plain = Ratio(rates(loops[threads], "plain"), rates(loops[1], "plain"))
    both = Ratio(ours.rounds, plain.rounds)
    both.value = quotient(ours.value, plain.value)
    return both


def loops_table(title, loops, modes, problems):
    """`loops` are the rounds by the number of threads."""
    print(f"\n{title}; M times a second, all threads together")
    rows = []
    for threads, rounds in loops.items():
        for mode in modes:
            rows.append((f"{threads} {TITLES[mode]}", spread([v and v / 1e6 for v in rates(rounds, mode)]),
                         against_other(rounds, mode, rates), str(Ratio(rates(rounds, mode), rates(rounds, "raw"))),
                         number(Ratio(rates(rounds, mode), rates(loops[1], mode)).value),
                         str(share_of_plain(loops, threads, mode))))
    print_rows(("threads", "M operations/s", "/ the other's", "/ heaptrack raw's", "/ one thread's",
                "as a share of plain's"), rows)
    for threads, rounds in loops.items():
        collector_lines(rounds, f"{threads} thread{'s' if threads > 1 else ''}, ")
    problems.show()


def memory_added(few, many, mode, threads):
    """KiB added to one thread's process, and for each further thread, in each round."""
    fixed = added(few, mode, ("peak_rss_kib",))
    more = added(many, mode, ("peak_rss_kib",))
    return fixed, [None if None in (m, f) else (m - f) / (threads - 1) for m, f in zip(more, fixed)]


def memory_table(few, kinds, modes, threads, problems):
    """kinds: of threads, by title: the rounds of one such thread, and of so many."""
    print(f"\nmemory: added to the program's own peak resident set, KiB; {threads} threads alive, less one")
    rows = []
    for mode in modes[1:]:
        more = (spread(memory_added(one, several, mode, threads)[1], 1) for one, several in kinds.values())
        rows.append((TITLES[mode], spread(added(few, mode, ("peak_rss_kib",)), 0), *more))
    print_rows(("", "fixed (one thread)", *kinds), rows)
    problems.show()


def summary_table(samples, modes, threads_of, many_threads):
    """The figures that the project's aims are about, all of this one run. threads_of: the workloads that were measured
    with several numbers of threads, each with these."""
    rows = []
    for name, rounds in samples.items():
        if "-" not in name and ":" not in name:
            rows += program_summary(name, rounds)
    for name, loops in threads_of.items():
        rows += loops_summary(name, loops, modes)
    rows += memory_summary(samples, modes, many_threads)
    rows = [row for row in rows if row[1] != NONE]
    if rows:
        print("\nsummary")
        print_rows(("", "median (rounds)"), rows)


def program_summary(name, rounds):
    rows = []
    for mode in OUR_WAYS:
        rows.append((f"{name}, {mode}: added wall time / heaptrack raw's",
                     str(Ratio(added(rounds, mode), added(rounds, "raw")))))
        rows.append((f"{name}, {mode}: added wall time / the other build's", against_other(rounds, mode, added)))
        rows.append((f"{name}, {mode}: time to answer beyond plain / heaptrack's",
                     str(Ratio(answer(rounds, mode), answer(rounds, "full")))))
        if recordings_of(rounds, mode) == 1:
            sizes = Ratio(column(rounds, mode, "capture_bytes"), column(rounds, "full", "capture_bytes"))
            rows.append((f"{name}, {mode}: capture / heaptrack's file", str(sizes)))
    rows.append((f"{name}: collector alone, M events/s", spread(collector_rates(rounds, "collect_seconds"))))
    rows.append((f"{name}: collector's processor time / the other's",
                 against_other(rounds, "preload", collector_seconds)))
    return rows


def loops_summary(name, loops, modes):
    rows = []
    for mode in [m for m in OUR_WAYS if m in modes]:
        rows.append((f"{name}, two threads, {mode}: throughput / heaptrack raw's",
                     str(Ratio(rates(loops[2], mode), rates(loops[2], "raw")))))
        rows.append((f"{name}, two threads, {mode}: throughput / the other build's",
                     against_other(loops[2], mode, rates)))
        rows.append((f"{name}, two threads / one, {mode}: share of plain's", str(share_of_plain(loops, 2, mode))))
    return rows


def memory_summary(samples, modes, many_threads):
    if "memory-1" not in samples or "preload" not in modes:
        return []
    fixed, _ = memory_added(samples["memory-1"], samples["memory-little"], "preload", many_threads)
    rows = [("added RSS, fixed, KiB", spread(fixed, 0))]
    for which in ("little", "much"):
        values = memory_added(samples["memory-1"], samples[f"memory-{which}"], "preload", many_threads)[1]
        rows.append((f"added RSS, a thread that allocates {which}, KiB", spread(values, 1)))
    values = memory_added(samples["stacks-1"], samples["stacks-several"], "preload", many_threads)[1]
    return [*rows, ("added RSS, a thread of 4,096 stacks, KiB", spread(values, 1))]
