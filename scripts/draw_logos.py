#!/usr/bin/env python3
"""Draws the logos: logos/logo-svg.svg and, from the same outlines, logo-32x32.png and logo-64x64.png.

A carrack under way. Her mast, the sail that the wind has filled and the stay sail below it make an R.
Needs nothing but Python; the files it writes are committed, so that a build does not run it.
"""

import pathlib
import re
import struct
import sys
import zlib

SIZE = 64  # the drawing's own units
SAMPLES = 8  # a pixel is the mean of SAMPLES x SAMPLES points

# Colour and outline (SVG path data of M, L, C, Z with absolute coordinates; even-odd rule), from back to front.
SHAPES = [
    # pennant
    ("#d9822b", "M 21 2 C 16 0.5 12 4 5.5 2.5 L 9.5 5.5 L 5.5 8.5 C 12 9.5 16 6.5 21 8 Z"),
    # mast: the stem of the R
    ("#174a85", "M 20.5 1.5 L 27 1.5 L 27 44 L 20.5 44 Z"),
    # main sail: its bowl
    ("#2f74c0", "M 27 6 C 44 3.5 56 9 56 18.5 C 56 28 44 32.5 27 30 Z"
                " M 30.5 12.8 L 30.5 23.4 C 41 24.8 48.2 22.8 48.2 18.3 C 48.2 13.7 41 11.6 30.5 12.8 Z"),
    # stay sail: its leg
    ("#2f74c0", "M 27 28 L 38.5 28 C 41.5 34.5 46.5 39.5 54 43 L 44 45 C 37 41 31.5 35.5 27 30 Z"),
    # hull with its two castles
    ("#6b4226", "M 3 32 L 16 34 L 17.5 42 C 27 45.5 38 45.5 46 42 L 48 37.5 L 62 34.5"
                " C 61 46 56 55 47.5 60 L 17 60 C 9 55 4.5 45 3 32 Z"),
    # wale: a lighter plank along her side
    ("#a8743f", "M 6.2 43.5 C 20 52 43 52 58.6 44.5 L 57.6 47.5 C 43 55 21 55 7.4 46.7 Z"),
    # sea
    ("#7fb2dd", "M 0 57 C 4 53.5 8 53.5 12 57 C 16 60 20 60 24 57 C 28 53.5 32 53.5 36 57"
                " C 40 60 44 60 48 57 C 52 53.5 56 53.5 64 57 L 64 62 C 44 64 20 64 0 62 Z"),
]


def polygons(path):
    """The outline as closed polygons, curves cut into 24 pieces."""
    words = re.findall(r"[MLCZ]|-?[\d.]+", path)
    out, at, command = [], 0, None
    while at < len(words):
        if words[at].isalpha():
            command = words[at]
            at += 1
            if command == "Z":
                continue
        count = {"M": 2, "L": 2, "C": 6}[command]
        v = [float(w) for w in words[at:at + count]]
        at += count
        if command == "M":
            out.append([(v[0], v[1])])
        elif command == "L":
            out[-1].append((v[0], v[1]))
        else:
            x0, y0 = out[-1][-1]
            for i in range(1, 25):
                t = i / 24
                a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3
                out[-1].append((a * x0 + b * v[0] + c * v[2] + d * v[4], a * y0 + b * v[1] + c * v[3] + d * v[5]))
    return out


def coverage(path, size):
    """How much of each pixel lies inside the outline, 0 to 1."""
    scale, n = SIZE / size, size * SAMPLES
    edges = []
    for p in polygons(path):
        edges += [(a, b) for a, b in zip(p, p[1:] + p[:1]) if a[1] != b[1]]
    cover = [[0] * size for _ in range(size)]
    for row in range(n):
        y = (row + 0.5) / SAMPLES * scale
        cross = sorted(a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
                       for a, b in edges if min(a[1], b[1]) <= y < max(a[1], b[1]))
        for left, right in zip(cross[::2], cross[1::2]):
            first = max(0, round(left / scale * SAMPLES))
            last = min(n, round(right / scale * SAMPLES))
            for i in range(first, last):
                cover[row // SAMPLES][i // SAMPLES] += 1
    return [[c / SAMPLES ** 2 for c in line] for line in cover]


def png(size):
    image = [[(0.0, 0.0, 0.0, 0.0)] * size for _ in range(size)]  # premultiplied
    for colour, path in SHAPES:
        rgb = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        for y, line in enumerate(coverage(path, size)):
            for x, a in enumerate(line):
                if a:
                    old = image[y][x]
                    image[y][x] = tuple(c * a + o * (1 - a) for c, o in zip(rgb + [1.0], old))
    raw = bytearray()
    for line in image:
        raw.append(0)
        for r, g, b, a in line:
            raw += bytes(round(255 * (c / a if a else 0)) for c in (r, g, b)) + bytes([round(255 * a)])

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(raw), 9)) +
            chunk(b"IEND", b""))


def svg():
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}" viewBox="0 0 {SIZE} {SIZE}">',
             "  <title>Carrack</title>"]
    lines += [f'  <path fill="{colour}" fill-rule="evenodd" d="{path}"/>' for colour, path in SHAPES]
    return "\n".join(lines + ["</svg>", ""]).encode()


def main():
    to = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent / "logos")
    (to / "logo-svg.svg").write_bytes(svg())
    for size in (32, 64):
        (to / f"logo-{size}x{size}.png").write_bytes(png(size))


if __name__ == "__main__":
    main()
