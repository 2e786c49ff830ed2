#!/usr/bin/python3
"""Writes the seeds of the fuzz targets to fuzz/corpus: inputs that lead deep into the code, for the fuzzer to start from.

    fuzz/make_corpus.py [DIR]

How the bytes are read is said in the targets, and for the wire in world.c. What the fuzzer has found besides is
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


# ── copies that serve, subshells: see fuzz_copies.c ──

ASKED = ['execute', 'complete', 'inspect', 'is_complete', 'comm_msg', 'comm_open', 'comm_close', 'kernel_info']
CONTROLS = ['create', 'delete', 'list', 'interrupt', 'kernel_info', 'shutdown']
BEHAVES = ['hello', 'execute', 'complete', 'silent', 'pass', 'publish', 'ask', 'exit']
MAIN, NOBODY = 100, 210


def ask(kind, subshell=MAIN, content=0, ident=1):
    return bytes([0, ASKED.index(kind), subshell, ident, content])


def control(kind, subshell=MAIN, ident=1):
    return bytes([2, CONTROLS.index(kind), subshell, ident])


def behaves(kind, copy=0):
    return bytes([16, copy, BEHAVES.index(kind)])


def copies():
    serves, parked_serves, refuses = bytes([4, 0]), bytes([6]), bytes([4, 0xe0])
    later = [bytes([13, i]) for i in range(12)]  # 10 ms, doubled each time
    make = control('create') + control('create', ident=2)
    own = make + ask('execute', 0) + serves + behaves('hello')
    cell = ask('execute', ident=9)
    look = cell + later[6] + ask('complete', content=2) + later[6] + serves + behaves('hello')
    seeds = {
        'subshell': own + behaves('publish') + behaves('execute') + ask('complete', 0, 2, 2) + behaves('complete'),
        'two-subshells': own + ask('execute', 1, ident=2) + serves + behaves('hello', 1) + behaves('execute', 1) + behaves('execute'),
        'list-delete': own + control('list', ident=3) + control('delete', 0, 4) + control('delete', NOBODY, 5) + control('list', ident=6),
        'delete-while-it-waits': make + ask('execute', 0) + ask('execute', 0, ident=2) + control('delete', 0, 3) + serves,
        'no-subshell': ask('execute', NOBODY) + ask('execute', 240, ident=2) + ask('kernel_info', 0, 4, 3),
        'look': look + behaves('complete'),
        'look-passed': look + behaves('pass') + said_in_copies(REPLY, 8, 2),
        'look-too-long': look + later[11] + ask('inspect', content=2, ident=3),
        'parked-looks': cell + later[6] + ask('inspect', content=2) + later[6] + later[6] + parked_serves + behaves('hello') + behaves('complete'),
        'refused': make + ask('execute', 0) + refuses + ask('execute', 0, ident=2) + later[10] + ask('execute', 0, ident=3) + serves,
        'few-descriptors': make + ask('execute', 0) + bytes([4, 0x83]) + serves + bytes([4, 0x81]),
        'copy-dies': own + bytes([18, 0]) + chunk(b'text') + bytes([19, 0]) + chunk(b'SIGSEGV\nC: f\nR: g()\n') + ask('execute', 0, ident=2) + serves,
        'copy-asks': own + behaves('ask') + bytes([3, 0x0d, 1, 5]) + behaves('execute'),
        'copy-leaves': own + behaves('exit') + behaves('execute') + ask('execute', 0, ident=2),
        'copy-is-broken': own + bytes([17, 0]) + chunk(frame(99, ['{}'])) + make,
        'copy-says-anything': own + b''.join(bytes([15, 0, i, 3, 4, 4, 4]) for i in range(16)),
        'session-dies': own + look + bytes([11, 11]) + bytes([12, 0]),
        'session-answers-late': own + cell + ask('comm_open', 0, 3, 3) + ask('comm_msg', 1, 3, 4) + said_in_copies(REPLY, 8, 2) + said_in_copies(REPLY, 1, 1) * 2,
        'interrupt': own + control('interrupt', ident=7) + behaves('execute'),
        'shutdown': own + look + control('shutdown', ident=7) + ask('execute', 1, ident=8),
        'many': make + b''.join(control('create', ident=i) + ask('execute', i % 20, ident=i) + serves + behaves('hello', i) for i in range(40)),
    }
    for name, data in seeds.items():
        write('copies', 'seed-' + name, data)


def said_in_copies(*args):
    return bytes([7]) + said(*args)[1:]


# ── JSON, cells ──

def json_texts():
    deep = '[' * 900 + ']' * 900
    texts = {
        'object': '{"a":"é😀\\u0000\\ud83d\\ude00","b":[1,2.5,-0.0,1e308,null,true],"":{"a":1,"a":2}}', 'numbers': '{"id":12345678901234567890,"x":1e400}',
        'not-object': '[1]', 'cut': '{"password":"secret', 'deep': '{"a":' + deep + '}', 'surrogate': '{"a":"\\ud800"}', 'key-nul': '{"a\\u0000b":1}',
    }
    for name, value in texts.items():
        write('json', 'seed-' + name, value.encode())
    write('json', 'seed-not-utf8', b'a\xff\xc3\xa9\xed\xa0\x80\xf0\x9f\x98\x80\xe2\x82')


CELLS = {
    'call': 'library(dplyr)\ndata |> filter(x > 1, .by = c(y)) %>% ggplot(aes(x, y = )) + geom_point(',
    'members': 'a$b[["c"]]@d$`e f`[[1]]$', 'packages': 'utils:::hea', 'strings': 'f("a\\"b", r"---(x]--)---", R\'[', 'raw': 'r"(',
    'function': 'f <- function(alpha, beta = 2, ...) { assign("x", 1); for (i in 1:3) g(alp); h = \\(y) y; }\nf(',
    'open': 'if (a) { b[[c(1, "', 'names': '`strange name`$x; été <- 1; étr', 'comment': 'x # comment (', 'numbers': '0x1p-2 + 1e+5L + .5 + 1i; %in% %', 'mixed': 'x[[(1]]})',
    'lines': 'x <-\r\n  1\r\n', 'nested': '(' * 300 + '[' * 300, 'empty': '',
}


def code():
    for name, text in CELLS.items():
        data = text.encode()
        for at in (len(data), len(data) // 2):
            write('code', f'seed-{name}-{at}', struct.pack('<H', at) + data)


def options():
    texts = {
        'all': '#| fig-width: 8\n#| fig-height: 3.5\n#|fig-dpi: 150\n#| fig-format: svg\n#| warning: false\n#| message: no\n#| error: true\n#| timeout: 1e3\nplot(1)\n',
        'wrong': '\n #| fig-width: [1, 2]\n#| timeout: -1\n#| error: {a: b}\n#| fig-format: gif\n', 'not-yaml': '#| fig-width: "8\n#| x\n', 'list': '#| - a\n#| - b\n', 'scalar': '#| echo\n',
        'anchors': '#| a: &x [1]\n#| b: *x\n#| fig-width: !!str 8\n#| ? c\n', 'ends': '#| error: true\r\n\r\n#| --- \r\n#| ...\r\n',
    }
    for name, text in texts.items():
        write('options', 'seed-' + name, text.encode())


# ── a session with R in it ──

OPEN, MSG, CLOSE, COMPLETE, INSPECT, IS_COMPLETE, R_JSON, OTHER = 0, 1, 4, 5, 6, 7, 8, 9
VARIABLES, ECHO, FAILS, RESTLESS, NOBODY, UI = range(6)
N_DATAS = 12


def comm(what, comm_id, target=0, data=0, buffers=0):
    out = bytes([what, comm_id, target, buffers])
    return out + (bytes([data]) if isinstance(data, int) else bytes([128]) + chunk(data) if isinstance(data, str) else bytes([N_DATAS]) + data)


def method(number, names, html=False, stats=False):
    return bytes([number + 5 * next(k for k in range(51) if ((number + 5 * k) & 0xe0) == (html * 0x40 | stats * 0x20)), len(names)]) + bytes(names)


def asked(what, text, at=None, detail=0):
    how = (0x40 if at is None else 0x80) | detail
    return bytes([what, how, min(at or 0, 255)]) + chunk(text)


def session():
    variables = comm(OPEN, 0, VARIABLES)
    seeds = {
        'variables': variables + b''.join(comm(MSG, 0, data=i) for i in (1, 2, 5, 6, 7, 4, 1)) + comm(CLOSE, 0),
        'clear': variables + comm(MSG, 0, data=3) + comm(MSG, 0, data=1), 'not-json': variables + comm(MSG, 0, data='{') + comm(MSG, 0, data='1,"data":{"id":null,"method":[]}'),
        'echo': comm(OPEN, 1, ECHO, '{"a":[1,"x",null,{"b":[]}]}') + comm(MSG, 1, data='{"é":1e400}') + comm(MSG, 1, data='{"x":[1,2.5,true]}') + comm(CLOSE, 1, data='{}'),
        'fails': comm(OPEN, 0, FAILS, 0) + comm(OPEN, 1, FAILS, 8) + comm(MSG, 1, data=1) + comm(CLOSE, 1), 'nobody': comm(OPEN, 0, NOBODY) * 2,
        'ui': comm(OPEN, 0, UI) + b''.join(comm(MSG, 0, data=i) for i in (9, 10, 11, 5)) + comm(MSG, 0, data='{"id":1,"method":"evaluate_code","params":{"code":"1"}}') + comm(CLOSE, 0),
        'restless': comm(OPEN, 2, RESTLESS) + comm(MSG, 2, data=1) * 2, 'buffers': comm(OPEN, 1, ECHO) + bytes([MSG, 1, 0, 3]) + chunk('{"m":1}') + chunk(b'\0\1\xff') + bytes([0]),
        'json': bytes([R_JSON]) + chunk('{"a":[1,2.5,-0.0,null],"":{"1":[[],{}]},"b":[true,"x"],"c":[1e15,12345678901234567]}') + bytes([R_JSON]) + chunk('[' * 200 + ']' * 200),
        'other': bytes([OTHER, 0]) + chunk('[1]') + bytes([OTHER, 2]) + chunk('{"code":1,"cursor_pos":"x"}'),
    }
    for number in range(4):
        for half in range(2):
            seeds[f'method-{number}-{half}'] = variables + b''.join(comm(MSG, 0, data=method(number, [i], html=half, stats=half)) for i in range(half * 17, half * 17 + 18))
    seeds['paths'] = variables + b''.join(comm(MSG, 0, data=method(0, path)) for path in ([19, 62, 60, 61], [24, 61, 61], [13, 62], [32] + [60] * 7, [17, 63, 63]))
    for name, text in CELLS.items():
        seeds['code-' + name] = asked(COMPLETE, text[:250]) + asked(INSPECT, text[:250], detail=1) + asked(IS_COMPLETE, text[:250]) + asked(COMPLETE, text[:250], len(text) // 2)
    for name, text in {'names': 'data$', 'list': 'list[[3]]$b$', 'env': 'environment$self$', 'slot': 'methods_class@', 'base': 'mea', 'argument': 'mean(x, na', 'package': 'stats::sd', 'library': 'library(st',
                       'file': 'readLines("/etc/', 'value': 'factors', 'help': 'mean', 'local': 'zz <- function(a, b) 1; zz'}.items():
        seeds['look-' + name] = asked(COMPLETE, text) + asked(INSPECT, text) + asked(INSPECT, text, len(text) - 1, 1)
    for name, data in seeds.items():
        write('session', 'seed-' + name, data)


link()
connection()
wire()
copies()
json_texts()
code()
options()
session()
