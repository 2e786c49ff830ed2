"""What the tests of carrack's command line share: running it in a home of its own, and R homes made of nothing."""
import os
import subprocess
from pathlib import Path

from jupyter_apps import BUILD, FACTOR

CARRACK = BUILD / 'carrack'


class Shell:
    """Runs programs with a HOME below `base` and none of the caller's variables for Jupyter, R and Carrack."""

    def __init__(self, base):
        self.home = base / 'home'
        self.home.mkdir()
        drop = ('JUPYTER', 'XDG_', 'IPYTHON', 'R_', 'CARRACK_', 'CONDA_', 'VIRTUAL_ENV', 'PYTHONUSERBASE')
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(drop)}
        self.env.update(HOME=str(self.home), PATH='/usr/bin:/bin', LC_ALL='C', PYTHONDONTWRITEBYTECODE='1')

    @property
    def kernels(self):
        """Where `install --user` writes when nothing is set."""
        return self.home / '.local/share/jupyter/kernels'

    def run(self, *words, timeout=30, **env):
        full = {k: v for k, v in {**self.env, **env}.items() if v is not None}
        return subprocess.run(words, env=full, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout * FACTOR,
                              check=False, encoding='utf-8', errors='surrogateescape', cwd=self.home)

    def carrack(self, *words, **options):
        return self.run(CARRACK, *words, **options)


def ok(done):
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ''
    return done.stdout


def refused(done, status=1):
    assert done.returncode == status, done.stdout + done.stderr
    return done.stderr


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def fake_r(home, version='4.3.1', without=()):
    """What carrack looks at in R's home, and nothing that works. `without` leaves files out."""
    files = {'bin/R': f'#!/bin/sh\nR_HOME_DIR={home}\n', 'etc/ldpaths': '', 'lib/libR.so': '',
             'library/base/DESCRIPTION': f'Package: base\nVersion: {version}\nPriority: base\n'}
    Path(home).mkdir(parents=True)
    for name, text in files.items():
        if name not in without:
            program(Path(home) / name, text)
    return Path(home)


# The session's end of the link (docs/link.md), as far as these tests need it. What a session does is added to it.
SESSION = """#!/usr/bin/python3
import json, os, socket, struct, subprocess, sys
if sys.argv[1:] == ['--version']:
    sys.exit()
link = socket.socket(fileno=int(os.environ.pop('CARRACK_LINK_FD')))
seq = 0

def receive():
    head = link.recv(16, socket.MSG_WAITALL)
    if not head:
        sys.exit()
    _, _, kind, _, request, n = struct.unpack('<BBHIII', head)
    lengths = struct.unpack(f'<{n}I', link.recv(4 * n, socket.MSG_WAITALL)) if n else ()
    return kind, request, [link.recv(k, socket.MSG_WAITALL) for k in lengths]

waiting = []

def call(kind, request, *parts):
    global seq
    seq += 1
    parts = [json.dumps(p).encode() for p in parts]
    link.sendall(struct.pack('<BBHIII', 0xC4, 1, kind, seq, request, len(parts)) +
                 struct.pack(f'<{len(parts)}I', *map(len, parts)) + b''.join(parts))
    while (frame := receive())[0] != 1:
        waiting.append(frame)

def take():
    return waiting.pop(0) if waiting else receive()

def config():
    kind, _, parts = take()
    assert kind == 2
    return json.loads(parts[0])

call(16, 0, {'link': 1, 'pid': os.getpid()})
"""


def session_program(path, rest):
    return program(path, SESSION + rest)
