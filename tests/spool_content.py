"""spool_content.py - "Content" of doc/format.md: what tells two objects apart that have no build id; a part of the second
reader of spools (spool_reader.py)."""
import itertools
import struct

PAGE = 4096
MASK = (1 << 64) - 1


def content_hash(at, first, bias):
    """"Content" of doc/format.md; at(address, count) gives bytes of the object, b"" where there are none."""
    state = 0xCBF29CE484222325

    def add(data):
        nonlocal state
        for i in range(0, len(data), 8):
            state = (state ^ int.from_bytes(data[i:i + 8], "little")) * 0x9E3779B97F4A7C15 & MASK
            state ^= state >> 32

    def add_range(address, count):
        add(count.to_bytes(8, "little"))
        add(at(address, min(count, PAGE)))
        if count > PAGE:
            tail = min(count - PAGE, PAGE)
            add(at(address + count - tail, tail))

    elf = at(first, 64)
    if elf[:5] != b"\x7fELF\2":
        return 0
    headers_at, = struct.unpack_from("<Q", elf, 32)
    entry, count = struct.unpack_from("<HH", elf, 54)
    headers = at(first + headers_at, entry * count)
    add(elf[:40])
    add(headers)
    parts = {}
    for i in range(count):
        kind, _, _, address, _, _, size, _ = struct.unpack_from("<IIQQQQQQ", headers, 56 * i)
        parts[kind] = address, size
    add_range(*parts.get(0x6474E550, (0, 0)))
    address, size = parts.get(2, (0, 0))
    dynamic = struct.iter_unpack("<QQ", at(address, min(size, PAGE)))
    names = dict(itertools.takewhile(lambda entry: entry[0], dynamic))
    address = names.get(5, 0)
    add_range(address - bias if address >= bias else address, names.get(10, 0))
    return state or 1


def content_of_file(path):
    """The same of a file."""
    with open(path, "rb") as f:
        data = f.read()
    headers, = struct.unpack_from("<Q", data, 32)
    entry, count = struct.unpack_from("<HH", data, 54)
    loaded = [h for h in (struct.unpack_from("<IIQQQQQQ", data, headers + i * entry) for i in range(count)) if h[0] == 1]

    def at(address, wanted):
        for _, _, offset, begin, _, size, _, _ in loaded:
            if begin <= address and address + wanted <= begin + size:
                return data[offset + address - begin:][:wanted]
        return b""

    return content_hash(at, next((h[3] for h in loaded if h[2] == 0), 0), 0)
