"""The kernel's end of the link (docs/link.md), for tests of a session without a kernel.

A Session starts a session program through R's own front end and speaks to it. Everything it says is kept in `events`, in
the order in which a kernel would act on it: ('stdout', text), ('stderr', text) and frames ('PUBLISH', Frame), and so on."""
import json, os, select, signal, socket, struct, subprocess, time
from pathlib import Path

HEADER = struct.Struct('<BBHIII')
NAMES = {1: 'ACK', 2: 'CONFIG', 3: 'REQUEST', 4: 'INPUT', 5: 'SHUTDOWN', 16: 'HELLO', 17: 'READY', 18: 'PUBLISH', 19: 'TURN',
         20: 'INPUT_REQUEST', 21: 'INPUT_CANCEL', 22: 'REPLY', 23: 'EXIT', 24: 'LOG'}
TYPES = {name: number for number, name in NAMES.items()}
INTERRUPT = signal.SIGRTMIN + 6
ROOT = Path(__file__).resolve().parents[2]


def program():
    return os.environ.get('CARRACK_TEST_SESSION') or str(Path(os.environ.get('CARRACK_BUILD', ROOT / 'build')) / 'carrack-session')


class Frame:
    def __init__(self, kind, seq, request, parts):
        self.kind, self.seq, self.request, self.parts = kind, seq, request, parts
        self.head = json.loads(parts[0]) if parts and parts[0] else {}
        self.content = json.loads(parts[1]) if len(parts) > 1 and parts[1] else {}

    @property
    def type(self):
        return self.head.get('type')

    def __repr__(self):
        return f'{self.kind}({self.head}, {self.content})'


class Gone(Exception):
    """The session closed its end of the link."""


class Result:
    """What belongs to one request."""

    def __init__(self, events, reply):
        self.events, self.reply = events, reply
        self.status = reply.get('status')

    def text(self, stream):
        return ''.join(e[1] for e in self.events if e[0] == stream)

    @property
    def out(self):
        return self.text('stdout')

    @property
    def err(self):
        return self.text('stderr')

    @property
    def story(self):
        """Text and published messages in order; neighbouring text of one stream is joined, TURN and LOG are left out."""
        story = []
        for kind, what in self.events:
            if kind in ('stdout', 'stderr'):
                if story and story[-1][0] == kind:
                    story[-1] = (kind, story[-1][1] + what)
                else:
                    story.append((kind, what))
            elif kind == 'PUBLISH':
                content = what.content
                if what.type == 'error':
                    story.append(('error', content['ename']))
                else:
                    story.append((what.type, content['data']['text/plain']))
            elif kind == 'INPUT_REQUEST':
                story.append(('input', what.head['prompt']))
        return story

    def published(self, kind):
        return [e[1].content for e in self.events if e[0] == 'PUBLISH' and e[1].type == kind]

    @property
    def result(self):
        found = self.published('execute_result')
        assert len(found) <= 1
        return found[0]['data']['text/plain'] if found else None

    @property
    def error(self):
        found = self.published('error')
        assert len(found) <= 1
        return found[0] if found else None


class Session:
    def __init__(self, mode='notebook', args=('--vanilla',), env=None, cwd=None, ready=True, command=None, **config):
        self.events, self.seq, self.number, self.marks = [], 0, 0, {}
        self.late = False  # reads text only when a frame comes
        ours, theirs = socket.socketpair()
        self.sock = ours
        out, err = os.pipe(), os.pipe()
        environ = dict(os.environ, CARRACK_LINK_FD=str(theirs.fileno()), **(env or {}))
        environ.pop('R_HOME', None)
        environ.update(env or {})
        self.process = subprocess.Popen(command or ['R', '-d', program()], env=environ, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out[1],
                                        stderr=err[1], pass_fds=[theirs.fileno()], start_new_session=True)
        theirs.close()
        os.close(out[1])
        os.close(err[1])
        self.pipes = {out[0]: 'stdout', err[0]: 'stderr'}
        for fd in self.pipes:
            os.set_blocking(fd, False)
        self.buffer = b''
        self.started = time.monotonic()
        self.wait('HELLO')
        self.send('CONFIG', 0, dict(config, version='0', mode=mode, args=list(args)))
        if ready:
            self.ready = self.wait('READY').head

    # --- frames ---

    def send(self, kind, request, *parts):
        self.seq += 1
        data = [p if isinstance(p, bytes) else json.dumps(p).encode() for p in parts]
        lengths = struct.pack(f'<{len(data)}I', *map(len, data))
        self.sock.sendall(HEADER.pack(0xC4, 1, TYPES[kind], self.seq, request, len(data)) + lengths + b''.join(data))
        return self.seq

    def drain(self):
        """Takes what is in the pipes now."""
        for fd, name in self.pipes.items():
            while True:
                try:
                    data = os.read(fd, 1 << 20)
                except BlockingIOError:
                    break
                if not data:
                    break
                self.events.append((name, data.decode('utf-8', 'backslashreplace')))

    def take_frame(self):
        if len(self.buffer) < HEADER.size:
            return None
        magic, version, kind, seq, request, n = HEADER.unpack_from(self.buffer)
        assert (magic, version) == (0xC4, 1)
        at = HEADER.size + 4 * n
        if len(self.buffer) < at:
            return None
        lengths = struct.unpack_from(f'<{n}I', self.buffer, HEADER.size)
        if len(self.buffer) < at + sum(lengths):
            return None
        parts = []
        for length in lengths:
            parts.append(self.buffer[at:at + length])
            at += length
        self.buffer = self.buffer[at:]
        return Frame(NAMES[kind], seq, request, parts)

    def step(self, timeout):
        """Takes text or one frame, which is acknowledged. Returns the frame, None for text or nothing."""
        frame = self.take_frame()
        if frame is None:
            ready = select.select([self.sock, *([] if self.late else self.pipes)], [], [], timeout)[0]
            if self.sock not in ready:
                self.drain()
                return None
            try:
                data = self.sock.recv(1 << 20)
            except ConnectionResetError:
                data = b''
            if not data:
                self.drain()
                raise Gone
            self.buffer += data
            frame = self.take_frame()
            if frame is None:
                return None
        self.drain()
        self.events.append((frame.kind, frame))
        self.send_ack(frame)
        return frame

    def send_ack(self, frame):
        self.sock.sendall(HEADER.pack(0xC4, 1, TYPES['ACK'], self.seq, frame.seq, 0))

    def wait(self, *kinds, timeout=30):
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            frame = self.step(left)
            if frame and frame.kind in kinds:
                return frame
        raise TimeoutError(f'no {kinds}; so far: {self.events[-5:]}')

    def wait_text(self, stream, text, timeout=30):
        """Until `text` is in what the stream has said since the last request began."""
        end = time.monotonic() + timeout
        while text not in ''.join(e[1] for e in self.events[self.mark:] if e[0] == stream):
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f'no {text!r}; so far: {self.events[self.mark:]}')
            self.step(left)

    # --- requests ---

    def begin(self, code, type='execute_request', silent=False, allow_stdin=True, number=None, **content):
        """Sends a request and returns its number."""
        self.number = number or self.number + 1
        self.mark = len(self.events)
        self.drain()
        head = dict(type=type, msg_id=f'm{self.number}', execution_count=self.number, allow_stdin=allow_stdin, silent=silent)
        self.send('REQUEST', self.number, head, dict(content, code=code), {})
        return self.number

    def finish(self, inputs=(), timeout=30):
        inputs = list(inputs)
        while True:
            frame = self.wait('REPLY', 'INPUT_REQUEST', 'EXIT', timeout=timeout)
            if frame.kind == 'REPLY':
                assert frame.request == self.number
                self.drain()
                return Result(self.events[self.mark:], frame.content)
            if frame.kind == 'EXIT':
                raise Gone
            if inputs:
                answer = inputs.pop(0)
                self.send('INPUT', frame.seq, {'value': answer})

    def run(self, code, inputs=(), timeout=30, **kw):
        self.begin(code, **kw)
        return self.finish(inputs, timeout)

    def interrupt(self, number=None, group=True):
        """As the kernel does it: the number first, then SIGINT to the process group."""
        value = self.number if number is None else number
        send_queued(self.process.pid, INTERRUPT, value)
        if group:
            os.killpg(self.process.pid, signal.SIGINT)

    def shutdown(self, restart=False):
        self.send('SHUTDOWN', 0, {'restart': restart})
        frame = self.wait('EXIT')
        self.end()
        return frame.head['status']

    def end(self, timeout=10):
        """Waits for the process; what is still in the pipes is taken."""
        status = self.process.wait(timeout)
        self.drain()
        return status

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.sock.close()
        for fd in self.pipes:
            os.close(fd)
        self.pipes = {}

    def cpu(self):
        """Processor time that the process has used, in seconds."""
        fields = Path(f'/proc/{self.process.pid}/stat').read_text().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def send_queued(pid, sig, value):
    import ctypes

    class Value(ctypes.Union):
        _fields_ = [('int', ctypes.c_int), ('ptr', ctypes.c_void_p)]

    v = Value(ptr=0)
    v.int = value
    ctypes.CDLL(None, use_errno=True).sigqueue(pid, sig, v)
