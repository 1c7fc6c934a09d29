"""The chunk headers of a spool."""
import struct

PAGE = 4096
CHUNK = struct.Struct("<IIQ8sQIIIIQQQII")
MARK = 0x4B4E4843
COPY = 1
TAKEN = 3


def chunks(name):
    """The chunk headers of a spool, as doc/format.md has them: (sequence, flags, state, bytes)."""
    found = []
    with open(name + ".spool", "rb") as f:
        header, control = f.read(PAGE), f.read(8)
        if len(control) < 8 or not any(header[:8]):
            return found  # killed before it was laid out
        carved, = struct.unpack("<Q", control)
        at, = struct.unpack_from("<Q", header, 224)
        while at < carved:
            f.seek(at)
            data = f.read(CHUNK.size)
            if len(data) < CHUNK.size:
                break
            mark, sequence, offset, _, size, _, _, _, flags, _, _, _, _, state = CHUNK.unpack(data)
            if mark != MARK or offset != at or not size or size % PAGE:
                at += PAGE
                continue
            found.append((sequence, flags, state, size))
            at += size
    return found
