"""Just enough PNG to look at pictures without a package: 8 bits, grey or RGB(A), not interlaced."""

import struct
import zlib

CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}


def chunks(data):
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "not a PNG"
    at = 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        yield kind, data[at + 8:at + 8 + size]
        at += 12 + size


def read_png(path):
    """(width, height, channels, bytes)"""
    packed = b""
    for kind, body in chunks(path.read_bytes()):
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", body)
            assert depth == 8 and interlace == 0
        elif kind == b"IDAT":
            packed += body
    n = CHANNELS[colour]
    raw, stride = zlib.decompress(packed), width * n
    out, above = bytearray(), bytes(stride)
    for y in range(height):
        kind = raw[y * (stride + 1)]
        row = bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for x in range(stride):
            left = row[x - n] if x >= n else 0
            corner = above[x - n] if x >= n else 0
            row[x] = (row[x] + _predict(kind, left, above[x], corner)) & 255
        out += row
        above = row
    return width, height, n, bytes(out)


def _predict(kind, left, up, corner):
    if kind < 3:
        return (0, left, up)[kind]
    if kind == 3:
        return (left + up) // 2
    p = left + up - corner
    return min((abs(p - left), 0, left), (abs(p - up), 1, up), (abs(p - corner), 2, corner))[2]


def png(width, height, colour=2, pixels=None, claim=None):
    """A PNG; `claim` puts another size into its header than its data have."""
    n = CHANNELS[colour]
    pixels = pixels or bytes((x * 7 + y * 13) & 255 for y in range(height) for x in range(width * n))
    rows = b"".join(b"\0" + pixels[y * width * n:(y + 1) * width * n] for y in range(height))
    w, h = claim or (width, height)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in ((b"IHDR", struct.pack(">IIBBBBB", w, h, 8, colour, 0, 0, 0)),
                           (b"IDAT", zlib.compress(rows)), (b"IEND", b"")))
