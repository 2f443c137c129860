"""The least label image: an uncompressed little-endian TIFF of one strip."""

import math
import struct

SHORT, LONG, RATIONAL = 3, 4, 5


def label_tiff(rows, bits=16, pixels_per_cm=None):
    """Bytes of an image of whole numbers, given as rows; pixels per cm along x and y."""
    height, width = len(rows), len(rows[0])
    pixels = struct.pack(f"<{width * height}{ {8: 'B', 16: 'H', 32: 'I'}[bits] }".replace(" ", ""),
                         *(value for row in rows for value in row))
    tags = [(256, LONG, width), (257, LONG, height), (258, SHORT, bits), (259, SHORT, 1),
            (262, SHORT, 1), (273, LONG, 8), (277, SHORT, 1), (278, LONG, height),
            (279, LONG, len(pixels)), (339, SHORT, 1)]
    pixels += b"\0" * (len(pixels) % 2)
    if pixels_per_cm:
        tags[-1:-1] = [(282, RATIONAL, 8 + len(pixels)), (283, RATIONAL, 16 + len(pixels)),
                       (296, SHORT, 3)]
        pixels += struct.pack("<4I", pixels_per_cm[0], 1, pixels_per_cm[1], 1)
    # Header, pixels, directory: a tag is number, type, count 1 and value.
    directory = struct.pack("<H", len(tags))
    directory += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels + directory + b"\0" * 4


def two_pages(one, other):
    """A TIFF of both, each given as rows."""
    first, second = label_tiff(one), label_tiff(other)
    begin = len(first)
    strip = struct.pack("<HHI", 273, LONG, 1)  # where the pixels of a page are
    second = second.replace(strip + struct.pack("<I", 8), strip + struct.pack("<I", begin + 8))
    directory = struct.unpack("<I", second[4:8])[0]
    return first[:-4] + struct.pack("<I", begin + directory) + second


def _spot(x, y):
    return 100 + int(3000 * math.exp(-((x % 16 - 8)**2 + (y % 16 - 8)**2) / 20))


# An image of 36 nuclei, for who needs any.
SPOTS = label_tiff([[_spot(x, y) for x in range(96)] for y in range(96)])
