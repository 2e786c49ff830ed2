#!/usr/bin/env python3
"""Writes a C file that holds other files: an array of struct embedded_file.

    embed_files.py OUTPUT HEADER ARRAY FILE...

HEADER declares `struct embedded_file {name, data, len}`, ARRAY and ARRAY_n. Each file is named by its last part.
"""

import pathlib
import sys


def array(index, data):
    lines = [", ".join(str(b) for b in data[i:i + 24]) for i in range(0, len(data), 24)]
    return "static const unsigned char file_%d[] = {\n%s\n};\n" % (index, ",\n".join(lines))


def main(output, header, name, *files):
    paths = [pathlib.Path(f) for f in files]
    data = [p.read_bytes() for p in paths]
    text = ['/* Made by scripts/embed_files.py. */\n#include "%s"\n' % header]
    text += [array(i, d) for i, d in enumerate(data)]
    rows = ['\t{"%s", file_%d, %d},' % (p.name, i, len(d)) for i, (p, d) in enumerate(zip(paths, data))]
    text.append("const struct embedded_file %s[] = {\n%s\n};" % (name, "\n".join(rows)))
    text.append("const size_t %s_n = %d;\n" % (name, len(paths)))
    pathlib.Path(output).write_text("\n".join(text))


if __name__ == "__main__":
    main(*sys.argv[1:])
