"""capture_payloads.py - what the payloads of a capture hold, all but the events; a part of the second reader of
captures (capture_reader.py)."""
from capture_file import CLASSES, FRAMES, FUNCTIONS, LOCATIONS, MASK, OBJECTS, STACKS, STRINGS, Numbers, require

TABLES = {
    FUNCTIONS: "name:text module:text file:text line:difference flags:plain",
    FRAMES: "function:new line:difference file:text",
    LOCATIONS: "first_frame:difference frame_count:plain flags:plain",
    STACKS: "up:plain location:plain",
    CLASSES: "stack:new size:plain",
    OBJECTS: "path:text build_id:text",
}
ALLOCATION_FUNCTION = 8
END_EXEC = 3
# Entry 0 of a table is nothing.
NOTHING = {
    FUNCTIONS: {"module": "", "flags": 0},
    LOCATIONS: {"frame_count": 0, "flags": 2, "object": 0, "distance": 0},
    STACKS: {"parent": 0, "location": 0},
    CLASSES: {"stack": 0, "size": 0},
    OBJECTS: {"path": "", "build_id": ""},
}
LOCATIONS_2 = " object:new offset:difference distance:plain"

TOTALS = ("allocations frees allocated_bytes peak_bytes peak_time live_at_end_bytes live_at_end_blocks temporary "
          "mapped_peak_bytes mapped_peak_time mapped_at_end_bytes maps unmaps rss_peak_bytes")
TOTALS_2 = " failed_allocations rss_high_water_bytes"
QUALITY = ("lost lost_bytes unmatched_frees implied_frees inherited inherited_at_end_bytes truncated_stacks "
           "unresolved_locations")
MAPPED_TOTALS = ("memory_peak_bytes memory_peak_time mapped_at_memory_peak_bytes reserved_peak_bytes "
                 "reserved_at_end_bytes file_peak_bytes file_at_end_bytes")
LOST = ("allocations frees bytes others maps mapped_bytes since children child_events")

FIGURES = ("allocations allocated_bytes own_peak_bytes own_peak_time at_peak_bytes live_at_end_bytes live_at_end_blocks "
           "temporary").split()
MEMORY_FIGURES = "own_peak_bytes own_peak_time at_peak_bytes".split()
STACK_LEAKS = "stack:difference blocks:plain bytes:difference first_time:plain last_time:near=first_time"
TIMELINE = "begin:difference highest:difference highest_time:near=begin lowest:near=highest last:near=highest"
TIMELINE_2 = " first:near=highest lowest_time:near=highest_time last_time:near=highest_time"
RESIDENT = "time:difference bytes:difference"
THREADS = "serial:difference threads:plain tid:difference name:text begin:difference end:near=begin "
FAILED = ("stack:difference count:plain bytes:plain largest_bytes:near=bytes first_time:plain "
          "last_time:near=first_time")
LIVE = "address:difference tick:difference class:plain"
CHECKPOINT = "class:difference blocks:plain"
CHECKPOINT_BY_STACK = "stack:difference blocks:plain bytes:plain"
POSITIONS = "stream:difference chunk_index:plain chunk_sequence:plain bytes:plain"


def figures(series=""):
    """Columns of all figures of a function."""
    return " ".join(f"{series}self_{f}:plain {series}inclusive_{f}:near={series}self_{f}" for f in FIGURES)


def activation(series=""):
    """Columns of the activation that holds a function's own peak."""
    peak = f"{series}inclusive_own_peak_time"
    return (f" {series}valid:plain {series}thread:plain {series}begin:near={peak} {series}end:near={peak} "
            f"{series}heap_begin:plain {series}heap_end:near={series}heap_begin")


def read_memory(numbers, records, part):
    """Heap and mapped memory together, one record after the other; each figure is near the heap's."""
    for record in records:
        for figure in MEMORY_FIGURES:
            record[f"memory_{part}_{figure}"] = record[f"{part}_{figure}"] + numbers.signed() & MASK


def timeline(numbers, version):
    """A line of steps in buckets."""
    return numbers.records(numbers.number(), TIMELINE + (TIMELINE_2 if version > 1 else ""))


def check_line(line, peak, peak_time, last):
    """A timeline is in order, and comes to the peak and to the last level that the totals know."""
    ends = [bucket["begin"] for bucket in line[1:]]
    for bucket, end in zip(line, [*ends, MASK]):
        times = [bucket[key] for key in ("highest_time", "lowest_time", "last_time") if key in bucket]
        levels = [bucket[key] for key in ("last", "first") if key in bucket]
        require(all(bucket["begin"] <= t <= end for t in times), f"times of the bucket of {bucket['begin']}")
        require(all(bucket["lowest"] <= level <= bucket["highest"] for level in levels), "levels of a bucket")
    highest = max(line, key=lambda bucket: bucket["highest"], default={"highest": 0, "highest_time": 0})
    when = highest["highest_time"] if peak else 0
    require((highest["highest"], when) == (peak, peak_time), "a timeline has another peak")
    require((line[-1]["last"] if line else 0) == last, "a timeline ends at another level")


def check_parts(line, totals):
    """What of memory's highest levels was mapped; of the highest of all the totals know it, too."""
    require(all(bucket["mapped"] <= bucket["highest"] for bucket in line), "more is mapped than there is memory")
    highest = max(line, key=lambda bucket: bucket["highest"], default={"mapped": 0})
    require(highest["mapped"] == totals["mapped_at_memory_peak_bytes"], "another part of memory's peak is mapped")


class Tables:
    """What the tables of a file hold so far."""

    def __init__(self, version):
        self.version = version
        self.texts = []
        self.entries = {kind: [] for kind in TABLES}

    def take(self, kind, payload):
        """Appends a block."""
        numbers = Numbers(payload, self.texts)
        first, count = numbers.number(), numbers.number()
        table = self.texts if kind == STRINGS else self.entries[kind]
        require(first == len(table), f"a table of type {kind} goes on at {first}, not {len(table)}")
        if kind == STRINGS:
            self.take_texts(numbers, count)
            return
        columns = TABLES[kind] + (LOCATIONS_2 if kind == LOCATIONS and self.version > 1 else "")
        records = numbers.records(count, columns)
        numbers.end()
        for record in records:
            self.check(kind, record, len(table))
            table.append(record)

    def take_texts(self, numbers, count):
        texts = numbers.take(len(numbers.payload) - numbers.at).split(b"\0")
        require(texts.pop() == b"" and len(texts) == count, f"not {count} texts, each with its NUL")
        self.texts += [t.decode("utf-8", "surrogateescape") for t in texts]
        require(self.texts[0] == "", "text 0 is not empty")

    def check(self, kind, record, index):
        """An entry refers only to entries that come before it in the file."""
        if kind == FRAMES:
            self.entry(FUNCTIONS, record["function"])
        elif kind == LOCATIONS:
            if record["frame_count"]:
                self.entry(FRAMES, record["first_frame"] + record["frame_count"] - 1)
            flags = [self.function(f["function"])["flags"] & ALLOCATION_FUNCTION for f in self.frames_at(record)]
            require((record["flags"] & 1) == (bool(flags) and all(flags)), f"flags of location {index}")
            if self.version > 1:
                self.entry(OBJECTS, record["object"])
                require(record["distance"] <= record["offset"] + 1, "a function begins below its object")
        elif kind == STACKS:
            require(record["up"] <= index and (record["up"] or not index), f"the parent of stack {index}")
            record["parent"] = index - record.pop("up")
            self.entry(LOCATIONS, record["location"])
        elif kind == CLASSES:
            self.entry(STACKS, record["stack"])
        for key, value in NOTHING.get(kind, {}).items() if index == 0 else ():
            require(record.get(key, value) == value, f"entry 0 of the table of type {kind} is something")

    def entry(self, kind, index):
        """An entry of a table."""
        require(index < len(self.entries[kind]), f"there is no entry {index} in the table of type {kind}")
        return self.entries[kind][index]

    def function(self, index):
        """A function as people know it."""
        return self.entry(FUNCTIONS, index)

    def locations(self, stack):
        """The locations of a stack, the innermost first."""
        while stack:
            entry = self.entry(STACKS, stack)
            yield self.entry(LOCATIONS, entry["location"])
            stack = entry["parent"]

    def frames_at(self, location):
        """The frames of a location, the innermost inlined one first."""
        first = location["first_frame"]
        return self.entries[FRAMES][first:first + location["frame_count"]]

    def frames(self, stack):
        """The frames of a stack, the innermost first, each with its function's name and its place."""
        for location in self.locations(stack):
            for frame in self.frames_at(location):
                function = self.function(frame["function"])
                found = {"function": function["name"], "module": function["module"], "file": frame["file"],
                         "line": frame["line"], "flags": function["flags"]}
                if location.get("object"):
                    found.update(self.entry(OBJECTS, location["object"]), offset=location["offset"])
                yield found

    def functions_of(self, stack):
        """What an allocation on a stack counts for: the function itself, then all others on it, each once. Those are
        left out that do nothing but allocate; function 0 stands for none."""
        found = [frame["function"] for location in self.locations(stack) for frame in self.frames_at(location)]
        at = 0
        while at < len(found) and self.function(found[at])["flags"] & ALLOCATION_FUNCTION:
            at += 1
        return list(dict.fromkeys(found[at:])) or [0]

    def places(self):
        """Of functions the build id of their object and, unless they were inlined everywhere, where they begin in it."""
        found = {}
        for location in self.entries[LOCATIONS] if self.version > 1 else []:
            for frame in self.frames_at(location):
                place = found.setdefault(frame["function"], {})
                place["build_id"] = self.entry(OBJECTS, location["object"])["build_id"]
            if location["distance"] and location["frame_count"]:
                place.setdefault("offset", location["offset"] + 1 - location["distance"])
        return found

    def size(self, block_class):
        """The bytes of a block."""
        return self.entry(CLASSES, block_class)["size"]

    def stack(self, block_class):
        """Who allocated a block."""
        return self.entry(CLASSES, block_class)["stack"]


def read_head(numbers):
    """Who was recorded."""
    head = {key: numbers.text() for key in ("executable", "folder", "host")}
    head["command"] = [numbers.text() for _ in range(numbers.number())]
    return head


def read_identity(numbers):
    """What PROCESSES and SUMMARY begin with."""
    return {"serial": numbers.number(), "parent": numbers.number(), "pid": numbers.signed(),
            "parent_pid": numbers.signed(), "start_time": numbers.number()}


def read_processes(numbers):
    """The list of processes."""
    return [read_identity(numbers) for _ in range(numbers.number())]


def read_summary(numbers, version):
    """All figures of a process."""
    process = read_identity(numbers)
    process.update(numbers.fields("begin end thread_count"))
    process["end_kind"], process["end_value"], process["exec_path"] = numbers.number(), numbers.signed(), numbers.text()
    process["totals"] = numbers.fields(TOTALS + (TOTALS_2 if version > 1 else ""))
    process["quality"] = numbers.fields(QUALITY)
    columns = "function:difference " + figures() + activation() + (" activations:plain" if version > 1 else "")
    process["functions"] = numbers.records(numbers.number(), columns)
    process["leaks"] = numbers.records(numbers.number(), STACK_LEAKS)
    process["timeline"] = timeline(numbers, version)
    process["mapped_timeline"] = timeline(numbers, version)
    process["resident"] = numbers.records(numbers.number(), RESIDENT)
    return process


def read_mapped(numbers, version, process):
    """Mapped memory: its figures are put beside the heap's in the process's functions and threads."""
    process["totals"].update(numbers.fields(MAPPED_TOTALS))
    functions, threads = process["functions"], process["threads"]
    numbers.records(numbers.number(), figures("mapped_") + activation("mapped_"), functions)
    read_memory(numbers, functions, "self")
    read_memory(numbers, functions, "inclusive")
    at_peak = "mapped_self_at_memory_peak:plain "
    numbers.records(len(functions), activation("memory_") + " " + at_peak +
                    "mapped_inclusive_at_memory_peak:near=mapped_self_at_memory_peak", functions)
    numbers.records(numbers.number(), " ".join(f"mapped_self_{f}:plain" for f in FIGURES), threads)
    read_memory(numbers, threads, "self")
    numbers.records(len(threads), at_peak, threads)
    process["mapped_leaks"] = numbers.records(numbers.number(), STACK_LEAKS)
    line = process["memory_timeline"] = timeline(numbers, version)
    check_parts(numbers.records(len(line), "mapped:difference", line), process["totals"])


def read_threads(numbers):
    """What each thread allocated."""
    threads = numbers.records(numbers.number(), THREADS + " ".join(f"self_{f}:plain" for f in FIGURES))
    for thread in threads:
        thread["tid"] -= MASK + 1 if thread["tid"] >> 63 else 0
    return threads


def read_modules(numbers):
    """Of which modules something is missing."""
    return numbers.records(numbers.number(), "module:text all_names:plain reason:text")


def read_selfcheck(numbers):
    """Stacks that libunwind sees otherwise."""
    check = numbers.fields("compared differing")
    check["stacks"] = numbers.records(numbers.number(), "time:difference ours:text libunwind:text")
    return check
