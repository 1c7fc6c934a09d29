"""capture_file.py - the outside of a capture: header, blocks, tail and index, and the numbers that payloads consist of;
a part of the second reader of captures (capture_reader.py)."""
import ctypes
import struct

HEADER = struct.Struct("<8sII16s16sQiiQQQIIQ")
HEADER_FIELDS = ("magic version features id boot_id tree pid parent_pid start_time parent_start_time epoch_ns start_kind "
                 "tick_ns checksum").split()
BLOCK = struct.Struct("<4sHHIIIIQ")
TAIL = struct.Struct("<8sQQQQ")
HEADER_MAGIC, BLOCK_MARK, TAIL_MAGIC = b"cmprof\x1a\n", b"pBlk", b"cmpend\x1a\n"
VERSIONS = (1, 2)
BLOCKS_NAMED, MAPPINGS_OLD = 1, 2  # feature bits
KNOWN_FEATURES = BLOCKS_NAMED | MAPPINGS_OLD
COMPRESSED = 1
PAYLOAD_LIMIT = 256 << 20
MASK = (1 << 64) - 1

(HEAD, STRINGS, FUNCTIONS, FRAMES, LOCATIONS, STACKS, CLASSES, PROCESSES, CHECKPOINT, EVENTS, POSITIONS, SAMPLES, LIVE,
 SUMMARY, INDEX, SELFCHECK, THREADS, LOST, BOUNDS, MODULES, MAPPED, FAILED, OBJECTS, FAMILY) = range(1, 25)


class Damaged(Exception):
    """The file breaks a rule of the format."""


def require(holds, text):
    """What a rule of the format says."""
    if not holds:
        raise Damaged(text)


def fnv(*parts):
    """The checksum of some bytes."""
    value = 0xCBF29CE484222325
    for part in parts:
        for byte in part:
            value = (value ^ byte) * 0x100000001B3 & MASK
    return value


def unzstd(stored, size):
    """What one zstd frame holds. Python 3.11 cannot do that, so the library that mprof-c links does it."""
    library = ctypes.CDLL("libzstd.so.1")
    for name in ("ZSTD_decompress", "ZSTD_findFrameCompressedSize"):
        getattr(library, name).restype = ctypes.c_size_t
    library.ZSTD_getFrameContentSize.restype = ctypes.c_uint64
    count = ctypes.c_size_t(len(stored))
    require(library.ZSTD_findFrameCompressedSize(stored, count) == len(stored), "stored bytes are not one zstd frame")
    require(library.ZSTD_getFrameContentSize(stored, count) == size, "a zstd frame says another size than its block")
    payload = ctypes.create_string_buffer(size or 1)
    require(library.ZSTD_decompress(payload, ctypes.c_size_t(size), stored, count) == size, "a zstd frame is damaged")
    return payload.raw[:size]


class Block:
    """One block of the file: its head, and its payload once that is asked for."""

    def __init__(self, data, offset):
        head = data[offset:offset + BLOCK.size]
        require(len(head) == BLOCK.size, "the file ends in the head of a block")
        mark, self.type, self.flags, self.process, self.raw_bytes, stored, reserved, checksum = BLOCK.unpack(head)
        self.offset, self.end = offset, offset + BLOCK.size + stored
        require(mark == BLOCK_MARK, f"no block begins at {offset}")
        require(reserved == 0 and stored <= self.raw_bytes <= PAYLOAD_LIMIT, f"head of the block at {offset}")
        require(self.end <= len(data), f"the file ends in the block at {offset}")
        self.stored = data[offset + BLOCK.size:self.end]
        require(fnv(head[:24], self.stored) == checksum, f"checksum of the block at {offset}")

    def payload(self):
        """The bytes that it stands for."""
        if self.flags & COMPRESSED:
            return unzstd(self.stored, self.raw_bytes)
        require(len(self.stored) == self.raw_bytes, f"sizes of the block at {self.offset}")
        return self.stored


def read_header(data):
    """The header's fields by name."""
    require(len(data) >= HEADER.size, "shorter than its header")
    header = dict(zip(HEADER_FIELDS, HEADER.unpack_from(data)))
    require(header["magic"] == HEADER_MAGIC, "not a capture")
    require(header["checksum"] == fnv(data[:HEADER.size - 8]), "checksum of the header")
    require(header["version"] in VERSIONS and not header["features"] & ~KNOWN_FEATURES, "of a later version")
    return header


def read_tail(data):
    """(offset of the index, offset of the last PROCESSES), None where the file has lost its end."""
    tail = data[-TAIL.size:]
    if len(tail) < TAIL.size or not tail.startswith(TAIL_MAGIC):
        return None
    _, index, processes, size, checksum = TAIL.unpack(tail)
    return (index, processes) if checksum == fnv(tail[:-8]) and size == len(data) else None


def read_blocks(data, tail):
    """All blocks, the INDEX too. Of a cut file those before the first that is not whole."""
    blocks, at = [], HEADER.size
    end = len(data) - TAIL.size if tail else len(data)
    while at < end:
        try:
            block = Block(data[:end], at)
        except Damaged:
            if tail:
                raise
            break
        blocks.append(block)
        at = block.end
    if tail:
        require(blocks and blocks[-1].type == INDEX and blocks[-1].offset == tail[0], "the tail names another index")
        last = max((b.offset for b in blocks if b.type == PROCESSES), default=0)
        require(tail[1] == last, "the tail names another list of processes")
    return blocks


class Numbers:
    """Reads the numbers of a payload; `texts` is the string table."""

    def __init__(self, payload, texts=()):
        self.payload, self.at, self.texts = payload, 0, texts

    def take(self, count):
        """That many bytes."""
        require(count <= len(self.payload) - self.at, "a payload ends early")
        self.at += count
        return self.payload[self.at - count:self.at]

    def number(self):
        """A plain number."""
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                require(value <= MASK, "a number of more than 64 bits")
                return value

    def signed(self):
        """A number with a sign."""
        value = self.number()
        return value >> 1 ^ -(value & 1)

    def text(self):
        """A text by its index."""
        return self.text_of(self.number())

    def text_of(self, index):
        """The text of an index that was read."""
        require(index < len(self.texts), f"there is no text {index}")
        return self.texts[index]

    def fields(self, names):
        """A record of plain numbers, by name."""
        return {name: self.number() for name in names.split()}

    def rest(self, read):
        """What `read` gives until the payload ends."""
        values = []
        while self.at < len(self.payload):
            values.append(read())
        return values

    def end(self):
        """Nothing is left over."""
        require(self.at == len(self.payload), f"{len(self.payload) - self.at} bytes behind the last number")

    def column(self, count, way, others):
        """The values of one column; `others` has, for each record, the value that this one is near."""
        before, highest, values = 0, -1, []
        for i in range(count):
            if way == "plain":
                value = self.number()
            elif way == "difference":
                value = before = before + self.signed() & MASK
            elif way == "near":
                value = others[i] + self.signed() & MASK
            else:  # new, text
                value = highest + 1 - self.signed() & MASK
                highest = max(highest, value)
            values.append(self.text_of(value) if way == "text" else value)
        return values

    def records(self, count, columns, beside=None):
        """An array of records. `columns` names them as the document does: "stack:difference last:near=first". Its
        records are put beside those in `beside`, which `near` may name, too."""
        require(count <= len(self.payload), "more records than bytes")
        records = beside if beside is not None else [{} for _ in range(count)]
        require(len(records) == count, f"{count} records beside {len(records)}")
        for column in columns.split():
            name, way = column.split(":")
            way, _, other = way.partition("=")
            for record, value in zip(records, self.column(count, way, [r[other] for r in records] if other else None)):
                record[name] = value
        return records
