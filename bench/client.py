"""A Jupyter client as lean as Python allows, so that what is measured is the kernel.

It talks to one kernel over raw ZeroMQ frames, builds its requests by hand and parses no JSON while output floods in:
newlines are counted in the bytes of the frames."""
import hashlib, hmac, json, os, shutil, signal, socket, subprocess, tempfile, time
from pathlib import Path

import zmq

CHANNELS = ('shell', 'iopub', 'stdin', 'control', 'hb')
CONTEXT = zmq.Context()


def free_ports(n):
    held = [socket.socket() for _ in range(n)]
    for s in held:
        s.bind(('127.0.0.1', 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def clean_environment(home):
    """The environment without what could make one kernel's start different from another's."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(('JUPYTER', 'XDG_', 'R_', 'CARRACK_'))}
    env.update(HOME=str(home), PATH='/usr/bin:' + os.environ.get('PATH', ''), LC_ALL='C.UTF-8')
    return env


class Flood:
    """What came out of a cell that wrote a lot."""

    def __init__(self):
        self.lines = self.messages = 0
        self.tail = b''

    def take(self, content):
        self.messages += 1
        self.lines += content.count(b'\\n')
        self.tail = (self.tail + content)[-400:]


class Kernel:
    """A running kernel and the sockets to it. `started` is the moment just before its process was made."""

    def __init__(self, argv, env=None):
        self.home = Path(tempfile.mkdtemp(prefix='carrack-bench-'))
        self.key, self.count = b'bench', 0
        ports = dict(zip(CHANNELS, free_ports(len(CHANNELS))))
        file = self.home / 'connection.json'
        file.write_text(json.dumps({'transport': 'tcp', 'ip': '127.0.0.1', 'key': self.key.decode(),
                                    'signature_scheme': 'hmac-sha256', **{f'{c}_port': p for c, p in ports.items()}}))
        self.sockets = {c: self._connect(c, p) for c, p in ports.items()}
        self.poller = zmq.Poller()
        for c in ('shell', 'iopub'):
            self.poller.register(self.sockets[c], zmq.POLLIN)
        words = [str(file) if a == '{connection_file}' else str(a) for a in argv]
        self.started = time.perf_counter()
        self.process = subprocess.Popen(words, env={**clean_environment(self.home), **(env or {})}, cwd=self.home,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True)

    def _connect(self, channel, port):
        s = CONTEXT.socket(zmq.SUB if channel == 'iopub' else zmq.REQ if channel == 'hb' else zmq.DEALER)
        s.linger = 0
        s.rcvhwm = 0
        s.setsockopt(zmq.RECONNECT_IVL, 1)  # ms; the kernel is not there yet when we connect
        if channel == 'iopub':
            s.subscribe(b'')
        s.connect(f'tcp://127.0.0.1:{port}')
        return s

    def send(self, channel, kind, content):
        """Returns the message's id, which is what replies and outputs are told apart by."""
        self.count += 1
        msg_id = b'bench-%d-%d' % (os.getpid(), self.count)
        header = (b'{"msg_id":"%s","session":"bench","username":"bench","date":"2024-01-01T00:00:00.000000Z",'
                  b'"msg_type":"%s","version":"5.3"}' % (msg_id, kind.encode()))
        parts = [header, b'{}', b'{}', json.dumps(content).encode()]
        mac = hmac.new(self.key, b''.join(parts), hashlib.sha256).hexdigest().encode()
        self.sockets[channel].send_multipart([b'<IDS|MSG>', mac, *parts])
        return msg_id

    @staticmethod
    def _after_delimiter(frames):
        """header, parent, content"""
        i = frames.index(b'<IDS|MSG>')
        return frames[i + 2], frames[i + 3], frames[i + 5]

    def reply(self, msg_id, limit=60):
        """Waits for the reply to `msg_id` on shell and returns its content as bytes."""
        shell, end = self.sockets['shell'], time.perf_counter() + limit
        while shell.poll(max(0, int((end - time.perf_counter()) * 1000))):
            _, parent, content = self._after_delimiter(shell.recv_multipart())
            if msg_id in parent:
                return content
        raise TimeoutError(f'no reply within {limit} s')

    def ready(self):
        """Returns when answers come and publications are heard; a subscription takes its time to arrive."""
        iopub, poll = self.sockets['iopub'], 0
        while not poll:
            self.reply(self.send('shell', 'kernel_info_request', {}))
            poll = iopub.poll(100)
        return self

    def request(self, code, limit=120):
        content = {'code': code, 'silent': False, 'store_history': False, 'user_expressions': {},
                   'allow_stdin': False, 'stop_on_error': True}
        return self.send('shell', 'execute_request', content), time.perf_counter() + limit

    def run(self, code, limit=120):
        """Runs a cell; returns when its reply and its idle are here, with what it wrote."""
        msg_id, end = self.request(code, limit)
        shell, iopub, flood = self.sockets['shell'], self.sockets['iopub'], Flood()
        replied = idle = False
        while not (replied and idle):
            ready = self.poller.poll(max(0, int((end - time.perf_counter()) * 1000)))
            if not ready:
                raise TimeoutError(f'{code[:40]!r} did not end within {limit} s')
            for s, _ in ready:
                header, parent, content = self._after_delimiter(s.recv_multipart())
                if msg_id not in parent:
                    continue
                if s is shell:
                    replied = True
                    if b'"ok"' not in content:
                        raise RuntimeError(content.decode()[:500])
                elif b'"stream"' in header:
                    flood.take(content)
                elif b'"idle"' in content and b'"status"' in header:
                    idle = True
        return flood

    def pids(self):
        return tree(self.process.pid)

    def close(self):
        """Asks it to go and, where it does not, makes it."""
        pids = self.pids()
        try:
            self.send('control', 'shutdown_request', {'restart': False})
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            pass
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        for s in self.sockets.values():
            s.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def tree(root):
    """`root` and all its descendants that are alive."""
    parents = {}
    for stat in Path('/proc').glob('[0-9]*/stat'):
        try:
            fields = stat.read_text().rsplit(')', 1)[1].split()
            parents[int(stat.parent.name)] = int(fields[1])
        except (OSError, IndexError):
            pass
    found = [root]
    for pid in found:
        found += [p for p, parent in parents.items() if parent == pid]
    return [p for p in found if p in parents]


def memory(pids):
    """(Pss, private) of all of them together, in MB."""
    pss = private = 0
    for pid in pids:
        for line in Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines():
            name, *rest = line.split()
            if name == 'Pss:':
                pss += int(rest[0])
            elif name in ('Private_Clean:', 'Private_Dirty:'):
                private += int(rest[0])
    return pss / 1024, private / 1024


def cpu(pids):
    """Milliseconds on a processor so far and times given up voluntarily (wake-ups), over all threads of all of them."""
    ran = woken = 0
    for pid in pids:
        for task in Path(f'/proc/{pid}/task').iterdir():
            ran += int((task / 'schedstat').read_text().split()[0])
            status = (task / 'status').read_text()
            woken += int(status.split('\nvoluntary_ctxt_switches:')[1].split()[0])
    return ran / 1e6, woken
