#!/usr/bin/python3
"""Writes the seeds of the fuzz targets to fuzz/corpus: inputs that lead deep into the code, for the fuzzer to start from.

    fuzz/make_corpus.py [DIR]

How the bytes are read is said in fuzz_link.c, fuzz_connection.c, fuzz_wire.c and world.c. What the fuzzer has found besides is
kept in the same directories under libFuzzer's names."""
import json, struct, sys
from pathlib import Path

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / 'corpus')


def write(target, name, data):
    (OUT / target).mkdir(parents=True, exist_ok=True)
    (OUT / target / name).write_bytes(data)


# ── the link ──

def frame(kind, parts=(), seq=1, request=0, version=1, magic=0xC4):
    parts = [p.encode() if isinstance(p, str) else p for p in parts]
    head = struct.pack('<BBHIII', magic, version, kind, seq, request, len(parts))
    return head + b''.join(struct.pack('<I', len(p)) for p in parts) + b''.join(parts)


def link():
    good = frame(1, request=7) + frame(18, ['{"type":"display_data"}', '{"data":{}}', '', b'\0\1\2']) + frame(22, ['{}'] * 4, 3, 9)
    write('link', 'seed-several', b'\3\1\x40\0' + good)
    write('link', 'seed-cut', b'\1\1\1\1' + good[:-3])
    write('link', 'seed-many-parts', b'\0\0\0\0' + frame(18, [''] * 1024))
    write('link', 'seed-not-json', b'\x10\2\0\5' + frame(24, ['[1,', 'x']))
    for name, bad in {
        'magic': frame(1, magic=0xC5), 'version': frame(1, version=2),
        'too-many-parts': struct.pack('<BBHIII', 0xC4, 1, 1, 1, 0, 1025),
        'too-long': struct.pack('<BBHIIII', 0xC4, 1, 1, 1, 0, 1, 0x40000000),
        'long-together': struct.pack('<BBHIII3I', 0xC4, 1, 1, 1, 0, 3, *[0x20000000] * 3),
    }.items():
        write('link', 'seed-bad-' + name, b'\0\0\0\0' + good + bad + good)


# ── connection files ──

def connection():
    ports = dict(shell_port=1, iopub_port=2, stdin_port=3, control_port=4, hb_port=65535)
    files = {
        'tcp': dict(ports, transport='tcp', ip='127.0.0.1', key='k' * 36, signature_scheme='hmac-sha256', kernel_name='carrack'),
        'ipc': dict(ports, transport='ipc', ip='/run/user/0/kernel-é', key=''),
        'chosen': dict(ports, shell_port=0, ip='*'),
        'registration': dict(transport='tcp', ip='::1', registration_port=99, kernel_id='id', key='k', signature_scheme='hmac-sha256'),
        'scheme': dict(ports, key='k', signature_scheme='hmac-md5'),
        'curve': dict(ports, curve_publickey='rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7', curve_secretkey='x' * 40, key='k'),
        'types': dict(ports, transport=1, ip=None, key=[], hb_port='5'),
        'long': dict(ports, ip='x' * 255, kernel_id='y' * 127),
    }
    for name, value in files.items():
        write('connection', 'seed-' + name, json.dumps(value).encode())
    write('connection', 'seed-not-json', b'{"shell_port":')


# ── the kernel between a client and a session ──

MESSAGES = ['execute', 'is_complete', 'kernel_info', 'comm_info', 'history', 'complete', 'inspect', 'connect', 'interrupt', 'shutdown',
            'comm_open', 'comm_msg', 'comm_close', 'input', 'unknown', 'none']
HELLO, READY, PUBLISH, TURN, ASK, CANCEL, REPLY, EXIT, LOG, PARKED, UNDO = range(16, 27)
SHELL, CONTROL, STDIN, FRAME, BYTES, OUT_TEXT, ERR_TEXT, DIE, TIME = 0, 2, 3, 4, 7, 8, 9, 10, 11
FLUSH, HISTORY, WHERE, INTERRUPT, LADDER = range(5)
N_CONTENTS, N_HEADS, N_BODIES = 10, 13, 7


def chunk(text):
    data = text.encode() if isinstance(text, str) else text
    return (bytes([len(data)]) if len(data) < 255 else b'\xff' + struct.pack('<H', len(data))) + data


def message(channel, kind, content, ident=1, other=False, parent=False):
    how = MESSAGES.index(kind) | (0x40 if other else 0) | (0x10 if parent else 0)
    out = bytes([channel, how, ident])
    return out + (bytes([content]) if isinstance(content, int) else bytes([N_CONTENTS]) + chunk(content))


def said(kind, *parts, fd=False, lives=False):
    """A frame of the session; a part is a number in world.c's tables, or text."""
    bits = (0x40 if fd else 0) | (0x20 if lives else 0)
    which = next(bits | low for low in range(32) if (bits | low) % 5 == len(parts))
    out = bytes([FRAME, kind - 16, which])
    for i, part in enumerate(parts):
        limit = N_BODIES if i else N_HEADS
        out += bytes([part]) if isinstance(part, int) else bytes([limit]) + chunk(part)
    return out


def text(stream, what, read=True):
    return bytes([stream]) + chunk(what) + bytes([1 if read else 0])


def time(what):
    return bytes([TIME, what])


def wire():
    up = said(HELLO, 2) + said(READY, 3)
    cell = message(SHELL, 'execute', 0)
    done = said(REPLY, 8, 2)
    parked = said(PARKED, 12, fd=True, lives=True)
    seeds = {
        'cell': up + cell + text(OUT_TEXT, 'é out\n') + said(TURN) + text(ERR_TEXT, b'\xe2\x82') + said(PUBLISH, 5, 4) + done + text(OUT_TEXT, 'late'),
        'error-aborts': up + cell + message(SHELL, 'execute', 1, 2) + message(SHELL, 'complete', 9, 3) + said(REPLY, 8, 3) + done,
        'answers': up + b''.join(message(SHELL, m, 3, i) for i, m in enumerate(MESSAGES)),
        'control': up + b''.join(message(CONTROL, m, 3, i) for i, m in enumerate(MESSAGES) if m != 'shutdown'),
        'input': up + cell + said(ASK, 9) + message(STDIN, 'input', 5, parent=True) + said(ASK, 9) + message(STDIN, 'input', 5, other=True) + said(CANCEL) + done,
        'no-input': up + message(SHELL, 'execute', 2) + said(ASK, 9) + done,
        'history': up + (cell + said(PUBLISH, 5, 4) + done) * 3 + message(SHELL, 'history', 6) + message(SHELL, 'history', 7, 2) + time(HISTORY),
        'comms': up + message(SHELL, 'comm_open', 4) + said(REPLY, 1, 1) + message(SHELL, 'comm_msg', 4, 2) + said(REPLY, 1, 1) + said(PUBLISH, 6, 5) + message(SHELL, 'comm_info', 3, 4) + message(SHELL, 'comm_close', 4, 5) + said(REPLY, 1, 1) + said(PUBLISH, 7, 5),
        'death': up + cell + text(OUT_TEXT, 'before', False) + bytes([DIE, 11]) + up + message(SHELL, 'execute', 0, 2) + done,
        'death-at-start': (cell + bytes([DIE, 0])) * 4 + message(SHELL, 'is_complete', 0, 9),
        'parked': up + parked + cell + bytes([DIE, 9]) + said(READY, 1) + message(SHELL, 'execute', 0, 2) + done,
        'parked-dead': up + said(PARKED, 12, fd=True) + cell + bytes([DIE, 9]) + up,
        'parked-many': up + (said(LOG, 11, fd=True)) * 12 + parked * 3,
        'parked-pids': up + b''.join(said(PARKED, '{"pid":%d}' % pid, fd=True, lives=True) + cell + bytes([DIE, 9]) + said(READY, 1) + message(SHELL, 'execute', 0, 2) + time(INTERRUPT) + done
                                     for pid in (0, 1, -1, -7, 2**32, 2**32 - 1, 2**63 - 1)),
        'parked-pid-undo': up + said(PARKED, '{"pid":4294967295}', fd=True, lives=True) + cell + bytes([DIE, 9]) + said(READY, 1) + (parked + message(SHELL, 'execute', 0, 2) + done) * 2 + said(UNDO, 1) + time(INTERRUPT),
        'undo': up + parked + cell + said(UNDO, 1) + said(READY, 1),
        'abandon': up + cell + time(INTERRUPT) + time(WHERE) + time(WHERE) + time(INTERRUPT) + bytes([DIE, 9]),
        'shutdown': up + cell + message(SHELL, 'execute', 0, 2) + message(CONTROL, 'shutdown', 8, 3) + message(CONTROL, 'shutdown', 3, 4) + time(LADDER) + time(LADDER) + done + said(EXIT, 10) + bytes([DIE, 0]),
        'quit': up + cell + said(EXIT, 10) + bytes([DIE, 0]),
        'broken': up + cell + bytes([BYTES]) + chunk(frame(99, ['{}'])) + up,
        'not-json': up + cell + said(REPLY, 8, 6) + cell + said(PUBLISH, 4, '{"data":') + said(REPLY, 8, '{"status":"error","traceback":1}'),
        'raw-message': bytes([SHELL, 0x87]) + b''.join(map(chunk, ['id', '<IDS|MSG>', '', '{"msg_id":"1","msg_type":"execute_request"}', '{}', '{}', '{"code":"1"}'])) + up + done,
        'raw-parts': bytes([SHELL, 0x83]) + b''.join(map(chunk, ['<IDS|MSG>', '<IDS|MSG>', 'x'])),
        'odd-content': up + message(SHELL, 'history', '{"hist_access_type":"range","session":-9223372036854775808,"start":-1,"stop":-5,"output":true}') + message(SHELL, 'complete', '{"code":"aé😀","cursor_pos":99}', 2),
        'flood': up + cell + (text(OUT_TEXT, '€' * 300) + text(ERR_TEXT, b'\xff\xfe' * 200)) * 4 + time(FLUSH) + done,
    }
    for name, data in seeds.items():
        write('wire', 'seed-' + name, data)


link()
connection()
wire()
