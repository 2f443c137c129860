"""A reader of the TIFF pages that nucreg writes, independent of libtiff."""

import struct
import zlib

import numpy as np

NAMES = {"width": 256, "height": 257, "bits": 258, "compression": 259, "strips": 273,
         "samples": 277, "rows_per_strip": 278, "strip_bytes": 279, "predictor": 317,
         "format": 339}
DEFLATE, HORIZONTAL, UNSIGNED = 8, 2, 1


def read_tags(data):
    assert data[:4] == b"II*\0", "not a little-endian TIFF"
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    tags = {}
    for i in range(count):
        tag, kind, number, value = struct.unpack_from("<HHII", data, at + 2 + 12 * i)
        code = {3: "H", 4: "I"}.get(kind)
        if code:
            size = struct.calcsize(code) * number
            start = value if size > 4 else at + 2 + 12 * i + 8
            tags[tag] = struct.unpack_from(f"<{number}{code}", data, start)
    assert struct.unpack_from("<I", data, at + 2 + 12 * count) == (0,), "more than one page"
    return {name: tags[tag] for name, tag in NAMES.items()}


def read_page(path):
    """The only page, unsigned integers, deflated, as an array."""
    data = path.read_bytes()
    tags = read_tags(data)
    one = {name: tags[name][0] for name in NAMES}
    assert (one["compression"], one["samples"], one["predictor"], one["format"]) == (
        DEFLATE, 1, HORIZONTAL, UNSIGNED), one
    rows = b"".join(zlib.decompress(data[at:at + size])
                    for at, size in zip(tags["strips"], tags["strip_bytes"]))
    pixels = np.frombuffer(rows, f"<u{one['bits'] // 8}").reshape(one["height"], one["width"])
    return np.cumsum(pixels, axis=1, dtype=pixels.dtype)
