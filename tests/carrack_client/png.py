"""Reads PNG files, as far as the tests need it: 8 bits a channel or less, not interlaced."""
import struct
import zlib

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def _chunks(data):
    assert data[:8] == b'\x89PNG\r\n\x1a\n'
    at = 8
    while at < len(data):
        n, kind = struct.unpack('>I4s', data[at:at + 8])
        yield kind, data[at + 8:at + 8 + n]
        assert zlib.crc32(data[at + 4:at + 8 + n]) == struct.unpack('>I', data[at + 8 + n:at + 12 + n])[0]
        at += 12 + n


def _lines(raw, n_lines, width, step):
    before = bytearray(width)
    for y in range(n_lines):
        kind, line = raw[y * (width + 1)], bytearray(raw[y * (width + 1) + 1:(y + 1) * (width + 1)])
        for i in range(width if kind else 0):
            a, b, c = (line[i - step] if i >= step else 0), before[i], (before[i - step] if i >= step else 0)
            if kind == 4:
                p = a + b - c
                near = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line[i] = (line[i] + (0, a, b, (a + b) // 2, near if kind == 4 else 0)[kind]) & 255
        yield line
        before = line


def pixels(data):
    """(width, height, a list of lines, each a list of (red, green, blue, alpha))"""
    parts, body = {}, b''
    for kind, content in _chunks(data):
        body += content if kind == b'IDAT' else b''
        parts[kind] = content
    width, height, bits, colour, _, _, interlaced = struct.unpack('>IIBBBBB', parts[b'IHDR'])
    assert not interlaced and bits <= 8
    channels = CHANNELS[colour]
    n = (width * channels * bits + 7) // 8
    palette, trans = parts.get(b'PLTE', b''), parts.get(b'tRNS', b'')
    clear = struct.unpack(f'>{len(trans) // 2}H', trans) if colour in (0, 2) and trans else None
    look_up = [(*palette[3 * i:3 * i + 3], trans[i] if i < len(trans) else 255) for i in range(len(palette) // 3)]
    lines = []
    for line in _lines(zlib.decompress(body), height, n, max(1, channels * bits // 8)):
        if bits < 8:
            line = [line[x * bits // 8] >> (8 - bits - x * bits % 8) & ((1 << bits) - 1) for x in range(width)]
            if colour == 0:
                line = [v * 255 // ((1 << bits) - 1) for v in line]
        if colour == 3:
            lines.append([look_up[v] for v in line])
        elif colour in (0, 4):
            lines.append([(line[i], line[i], line[i], line[i + 1] if colour == 4 else 255) for i in range(0, len(line), channels)])
        else:
            lines.append([(*line[i:i + 3], line[i + 3] if colour == 6 else 0 if clear == tuple(line[i:i + 3]) else 255)
                          for i in range(0, len(line), channels)])
    return width, height, lines
