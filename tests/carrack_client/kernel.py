"""A kernel process for one test, in a home of its own, and the proof at its end that nothing is left of it."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import zmq

from . import laws
from .client import Client
from .wire import DELIMITER, TIMEOUT, Violation, pack, sign, strict_object

ROOT = Path(__file__).resolve().parents[2]
PORTS = ('shell', 'control', 'stdin', 'iopub', 'hb')


def build_path(name):
    path = Path(os.environ.get('CARRACK_BUILD', ROOT / 'build')) / name
    assert path.exists(), f'{path} is not built'
    return path


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    try:
        for s in sockets:
            s.bind(('127.0.0.1', 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


def stat_of(pid):
    """(state, parent) of a process, None if there is none."""
    try:
        fields = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
        return fields[0], int(fields[1])
    except (OSError, IndexError):
        return None


def descendants(pid):
    """The living processes below one, children first."""
    parents = {}
    for entry in os.listdir('/proc'):
        stat = entry.isdigit() and stat_of(entry)
        if stat and stat[0] != 'Z':
            parents.setdefault(stat[1], []).append(int(entry))
    found, queue = [], [pid]
    while queue:
        queue += parents.get(queue.pop(0), [])
        found = queue[:] if not found else found + [p for p in queue if p not in found]
    return found


def marked(mark):
    """Processes in whose environment the mark is."""
    out = []
    for entry in os.listdir('/proc'):
        try:
            if entry.isdigit() and mark in Path(f'/proc/{entry}/environ').read_bytes() and stat_of(entry)[0] != 'Z':
                out.append(int(entry))
        except (OSError, TypeError):
            pass
    return out


class Kernel:
    """Starts `carrack kernel` and knows how to reach it.

    transport   tcp, ipc, or registration (tcp, with the handshake of JEP 66)
    key         the signing key, bytes; empty for none
    home        a directory to share with another kernel; else one is made and removed
    session     what CARRACK_SESSION names; None for the real one
    env, args   added to the environment and the command line; `connection` overrides the connection file's fields
    prefix      a command that starts the kernel; its first word is then the process of `process`
    run, wait   False: only prepare, `start` comes later; do not wait for the registration
    """

    def __init__(self, transport='tcp', key=None, home=None, session='examples/echo-session', env=None, args=(),
                 connection=None, prefix=(), run=True, wait=True):
        self.key = uuid.uuid4().hex.encode() if key is None else key
        self.transport = transport
        self.context = zmq.Context()
        self.context.set(zmq.MAX_SOCKETS, 4096)
        self.own = tempfile.mkdtemp(prefix='ck-')
        self.home = Path(home or self.own)
        self.mark = f'CARRACK_TEST_MARK={uuid.uuid4().hex}'
        self.clients, self.sent, self.violations, self.expected = [], [], [], []
        self.killed = False    # ended by the test with a signal that leaves no time for good order
        self.exit_code = 0     # what finish() expects
        self.finished = False
        self.log_file = Path(self.own, 'log')
        self.stderr_file = Path(self.own, 'stderr')
        self.write_connection(connection or {})
        self.command = [*prefix, str(build_path('carrack')), 'kernel', str(self.file), '--log', str(self.log_file), *args]
        self.environment = self.make_environment(session, env or {})
        self.process = None
        if run:
            self.start()
        if run and wait and transport == 'registration':
            self.register()

    # ---- starting

    def write_connection(self, more):
        self.file = Path(self.own, 'connection.json')
        fields = {'transport': 'tcp', 'ip': '127.0.0.1', 'signature_scheme': 'hmac-sha256', 'key': self.key.decode()}
        if self.transport == 'ipc':
            fields.update(transport='ipc', ip=str(Path(self.own, 'k')))
            self.ports = {name: i + 1 for i, name in enumerate(PORTS)}
        elif self.transport == 'tcp':
            self.ports = dict(zip(PORTS, free_ports(5)))
        else:
            self.registrar = self.context.socket(zmq.ROUTER)
            self.registrar.linger = 1000
            fields['registration_port'] = self.registrar.bind_to_random_port('tcp://127.0.0.1')
            self.ports = {}
        fields.update({f'{name}_port': port for name, port in self.ports.items()})
        fields.update({'kernel_name': 'carrack', 'jupyter_session': '', **more})
        self.connection = {k: v for k, v in fields.items() if v is not None}
        self.file.write_text(json.dumps(self.connection))

    def make_environment(self, session, more):
        keep = ('PATH', 'TZ', 'CARRACK_BUILD', 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS', 'TSAN_OPTIONS')
        env = {k: os.environ[k] for k in keep if k in os.environ}
        name, value = self.mark.split('=')
        env.update({name: value, 'HOME': str(self.home), 'LANG': 'C.UTF-8', 'CARRACK_LOG': 'info',
                    'JPY_PARENT_PID': str(os.getpid())})  # as Jupyter says it: nothing outlives the tests
        for variable, path in (('XDG_DATA_HOME', '.local/share'), ('XDG_CONFIG_HOME', '.config'),
                               ('XDG_CACHE_HOME', '.cache'), ('XDG_RUNTIME_DIR', 'run'), ('JUPYTER_DATA_DIR', 'jupyter'),
                               ('JUPYTER_CONFIG_DIR', 'jupyter-config'), ('JUPYTER_RUNTIME_DIR', 'jupyter-run')):
            env[variable] = str(self.home / path)
        if session:
            env['CARRACK_SESSION'] = str(build_path(session))
        env.update(more)
        return {k: v for k, v in env.items() if v is not None}

    def start(self):
        self.started = time.monotonic()
        with open(self.stderr_file, 'wb') as out:
            self.process = subprocess.Popen(self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=out, cwd=self.own, start_new_session=True)

    def registration(self):
        """Takes the kernel's registration and returns (its identity, the content)."""
        if not self.registrar.poll(int(TIMEOUT * 1000)):
            raise AssertionError(f'the kernel did not register\n{self.log()}')
        identity, delimiter, signature, content, *rest = self.registrar.recv_multipart()
        if delimiter != DELIMITER or rest or signature != sign(self.key, [content]):
            raise Violation(f'registration: {[delimiter, signature, content, *rest]}')
        return identity, strict_object('registration', content)

    def register(self):
        identity, content = self.registration()
        self.ports = {name: int(content[f'{name}_port']) for name in PORTS}
        ack = pack({'status': 'ok'})
        self.registrar.send_multipart([identity, DELIMITER, sign(self.key, [ack]), ack])

    def endpoint(self, channel):
        if self.transport == 'ipc':
            return f"ipc://{self.connection['ip']}-{self.ports[channel]}"
        return f'tcp://127.0.0.1:{self.ports[channel]}'

    def client(self, **options):
        return Client(self, **options)

    # ---- looking

    @property
    def pid(self):
        """The kernel process: the one that was started, or what its prefix started."""
        own, program = self.process.pid, str(build_path('carrack'))
        if self.command[0] == program or os.readlink(f'/proc/{own}/exe') == program:  # a prefix may end with exec
            return own
        return self.find(program, own)

    def session_pid(self):
        """The process id of the session; waits until there is one."""
        return self.find(self.environment['CARRACK_SESSION'], self.pid)

    def find_session(self):
        """The process id of the R that is the session now: the one child program of the kernel that is not parked."""
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            for pid in descendants(self.pid):
                try:
                    if (os.readlink(f'/proc/{pid}/exe') == str(build_path('carrack-session')) and stat_of(pid)[1] == self.pid
                            and Path(f'/proc/{pid}/oom_score_adj').read_text() != '1000\n'):
                        return pid
                except (OSError, TypeError):
                    pass
            time.sleep(0.01)
        raise AssertionError(f'there is no session below {self.pid}')

    def find(self, program, below):
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            for pid in descendants(below):
                try:
                    if os.readlink(f'/proc/{pid}/exe') == program:
                        return pid
                except OSError:
                    pass
            time.sleep(0.01)
        raise AssertionError(f'there is no {program} below {below}')

    def log(self):
        """The kernel's log and whatever it wrote to descriptors 1 and 2."""
        return ''.join(f.read_text(errors='replace') for f in (self.log_file, self.stderr_file) if f.exists())

    def pss(self):
        """Proportional memory of the kernel process, in bytes; 0 under AddressSanitizer, which keeps what is freed."""
        if b'libasan' in Path(f'/proc/{self.pid}/maps').read_bytes():
            return 0
        for line in Path(f'/proc/{self.pid}/smaps_rollup').read_text().splitlines():
            if line.startswith('Pss:'):
                return int(line.split()[1]) * 1024

    def peak(self):
        """The most memory that the kernel process has ever had, in bytes; 0 under AddressSanitizer."""
        if b'libasan' in Path(f'/proc/{self.pid}/maps').read_bytes():
            return 0
        for line in Path(f'/proc/{self.pid}/status').read_text().splitlines():
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) * 1024

    def cpu(self):
        """Processor time of the kernel process and what is below it, in seconds."""
        ticks = 0
        for pid in [self.pid, *descendants(self.pid)]:
            fields = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf('SC_CLK_TCK')

    def expect_log(self, *patterns):
        """Errors in the log that match one of these are part of the test."""
        self.expected += [re.compile(p) for p in patterns]
        return self

    # ---- ending

    def signal(self, number):
        os.kill(self.pid, number)

    def wait_exit(self, timeout=TIMEOUT):
        """The exit code, once the process has ended. Clients' messages are taken meanwhile."""
        end = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError(f'the kernel has not ended within {timeout:.0f} s\n{self.log()[-3000:]}')
            for client in self.clients:
                client.pump(0)
            time.sleep(0.005)
        for client in self.clients:
            client.settle(0.02)
        return self.process.returncode

    def kill(self):
        """Ends the kernel and everything it started, without a look at anything."""
        self.killed = True
        for pid in [self.process.pid, *marked(self.mark.encode())]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.release()

    def release(self):
        for client in self.clients:
            client.close()
        if self.transport == 'registration':
            self.registrar.close()
        self.context.destroy(linger=0)
        shutil.rmtree(self.own, ignore_errors=True)
        self.finished = True

    def left(self):
        """Processes of this kernel that are still there, after some time for them to go."""
        end = time.monotonic() + 5
        while (pids := marked(self.mark.encode())) and time.monotonic() < end:
            time.sleep(0.02)
        return pids

    def finish(self):
        """Ends the kernel in good order if it still runs, and raises if any rule was broken by it at any time."""
        if self.finished:
            return
        problems = []
        try:
            if self.process.poll() is None and not self.killed:
                self.say_goodbye()
            code = self.wait_exit()
            if code != self.exit_code and not self.killed:
                problems.append(f'exit code {code}, expected {self.exit_code}')
            problems += [f'left behind: {pid} {Path(f"/proc/{pid}/cmdline").read_bytes()!r}' for pid in self.left()]
            problems += self.violations
            problems += laws.check(self)
            problems += self.unexpected_log()
        except (AssertionError, OSError) as e:
            problems.append(f'{type(e).__name__}: {e}')
        if not problems:
            self.release()
            return
        log = self.log()[-3000:]
        self.kill()
        raise Violation('\n'.join(problems[:20]) + f'\nlog:\n{log}')

    def say_goodbye(self):
        """Waits until every request is idle at every client, then shuts down. What comes after an idle that should not
        comes before the idle of the last kernel_info, which is a barrier."""
        hearing = [c for c in self.clients if not c.closed] or [self.client()]
        barrier = hearing[0].request('kernel_info_request', channel='shell')
        shutdown = None
        for client in hearing:
            if client.full:
                client.wait_idle()
        barrier.wait_reply()
        shutdown = hearing[0].shutdown()
        assert shutdown.reply == {'status': 'ok', 'restart': False}, shutdown.reply
        for client in hearing:
            if client.full:
                client.wait_idle(shutdown)

    def unexpected_log(self):
        bad = [f'log: {line}' for line in self.log().splitlines()
               if ' error: ' in line and not any(p.search(line) for p in self.expected)]
        noise = self.stderr_file.read_text(errors='replace') if self.stderr_file.exists() else ''
        if noise and not any(p.search(noise) for p in self.expected):
            bad.append(f'on descriptors 1 and 2: {noise[:2000]}')
        return bad

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.finish() if kind is None else self.kill()
