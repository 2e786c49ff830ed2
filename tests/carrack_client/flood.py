"""A subscriber for output that is too much to be kept: it checks what comes while it comes, and throws it away."""
import os
import time

import zmq

from .client import Client
from .wire import TIMEOUT, Message

LINE, BLOCK = 80, 1_000_000
BODY = ''.join(f'{i:07d} {"x" * 71}\n' for i in range(1, BLOCK // LINE))


def block(n):
    """A million bytes: a line that says which block it is, from 1, and lines that say which they are."""
    return f'{n:079d}\n{BODY}'


class Blocks:
    """Text that must be block after block."""

    def __init__(self):
        self.text, self.seen = '', 0

    def take(self, text):
        self.text += text
        while len(self.text) >= BLOCK:
            self.seen += 1
            assert self.text.startswith(block(self.seen)), f'block {self.seen}: {self.text[:100]!r}'
            self.text = self.text[BLOCK:]


class Reader:
    """Hears all of iopub of one kernel. Every message's signature and form is checked, and that they are in order."""

    def __init__(self, kernel):
        self.kernel, self.bytes, self.messages, self.last = kernel, 0, 0, None
        self.socket = kernel.context.socket(zmq.SUB)
        self.socket.linger = 0
        self.socket.rcvhwm = 4  # it takes what it can, and no more
        self.socket.setsockopt(zmq.RCVBUF, 1 << 20)
        self.socket.subscribe(b'')
        self.socket.connect(kernel.endpoint('iopub'))
        while self.next().type != 'iopub_welcome':
            pass

    def next(self):
        if not self.socket.poll(int(4 * TIMEOUT * 1000)):  # a message of 1 GB takes long to make
            raise AssertionError(f'nothing came\n{self.kernel.log()[-2000:]}')
        frames = self.socket.recv_multipart()
        message = Message('iopub', frames, self.kernel.key)
        assert self.last is None or self.last <= message.date
        self.last = message.date
        self.messages += 1
        return message

    def read(self, request, take):
        """Gives the messages of a request to `take`, until it is idle."""
        while (m := self.next()).parent_id != request.id or m.state != 'idle':
            if m.parent_id == request.id:
                take(m)

    def read_blocks(self, request):
        """The text of a cell; returns how many blocks came, and nothing else may."""
        blocks = Blocks()

        def take(m):
            assert m.type in ('stream', 'status', 'execute_input'), m
            if m.type == 'stream':
                assert m.content['name'] == 'stdout', m
                self.bytes += len(m.content['text'])
                blocks.take(m.content['text'])
        self.read(request, take)
        assert blocks.text == ''
        return blocks.seen

    def close(self):
        self.socket.close()


def cpu(*pids):
    """Processor time of processes, and of those of their children that have ended, in seconds."""
    total = 0
    for pid in pids:
        with open(f'/proc/{pid}/stat') as f:
            total += sum(map(int, f.read().rsplit(')', 1)[1].split()[11:15]))
    return total / os.sysconf('SC_CLK_TCK')


class Meter:
    """What a flood costs: `with Meter(kernel, session_pid) as m`, and then m.line(bytes)."""

    def __init__(self, kernel, session):
        self.kernel, self.session = kernel, session

    def __enter__(self):
        self.begin = time.monotonic(), cpu(self.kernel.pid), cpu(self.session)
        return self

    def __exit__(self, *_):
        now = time.monotonic(), cpu(self.kernel.pid), cpu(self.session)
        self.seconds, self.own, self.r = (b - a for a, b in zip(self.begin, now))

    def line(self, what, n):
        return (f'{what}: {n / 1e9:.2f} GB in {self.seconds:.0f} s; processor time: kernel {self.own:.2f} s, R and what it '
                f'started {self.r:.2f} s; most memory of the kernel {self.kernel.peak() / 1e6:.0f} MB')


__all__ = ['BLOCK', 'BODY', 'Blocks', 'Client', 'Meter', 'Reader', 'block', 'cpu']
