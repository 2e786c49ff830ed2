"""The system refuses: the disk is full, there are no processes, no descriptors; signals interrupt every call, links carry a byte at a time,
the clock jumps, clients vanish. The laws hold in each (the fixture checks them), and the next cell runs."""
import datetime
import errno
import os
import resource
import signal
import socket
import struct
import time

import pytest
from faultlib import DEATH, TIMEOUT, Control, Exchange, Scene

CELL = 'out a\nresult 1\nerr b\ndisplay {"data":{"text/plain":"x"},"metadata":{}}\nout c'
TAIL = {'hist_access_type': 'tail', 'n': 100, 'output': False, 'raw': True}
MIXED = Scene('mixed', CELL, 'error E no', 'input ? ', 'out begun\nsleep 60000', 'kill9', 'out again', 'comm {"comm_id":"x","target_name":"t","data":{}}',
              interrupt=3, also=[('complete_request', {'code': 'a', 'cursor_pos': 1}), ('comm_msg', {'comm_id': 'x', 'data': {}}),
                                 ('history_request', TAIL), ('kernel_info_request', {})])


@pytest.fixture
def control():
    return Control()


@pytest.fixture
def obey(start, control):
    """Starts a kernel that obeys the control file."""
    def start_kernel(**options):
        env = {**control.environment(), **options.pop('env', {})}
        return start(env=env, **options).expect_log(*DEATH)
    return start_kernel


def history(client):
    return [code for _, _, code in client.ask('history_request', TAIL)['history']]


# ---- the disk

@pytest.mark.parametrize('error', [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize('nth', [1, 2, 5, 20])
def test_disk_full(obey, control, error, nth):
    """Neither the history nor the log can be written: cells run, and this session's lines are answered from memory."""
    kernel = obey().expect_log('history')
    client = kernel.client()
    client.execute('out first')
    control.refuse('write', nth, 10 ** 9, error)
    for i in range(5):
        assert client.execute(f'out {i}').stdout == f'{i}\n'
    time.sleep(0.5)
    assert history(client)[-6:] == ['out first'] + [f'out {i}' for i in range(5)]
    assert control.counted('write') >= nth
    control.refuse_nothing()
    assert client.execute('out last').stdout == 'last\n'


def test_disk_full_from_the_start(obey, control):
    control.refuse('write', 1, 10 ** 9, errno.ENOSPC)
    kernel = obey().expect_log('history')
    client = kernel.client()
    assert client.execute('out a').stdout == 'a\n' and 'out a' in history(client)
    control.refuse_nothing()


def test_file_size_limit(obey):
    """ulimit -f: the write fails, and the signal that comes with it does not end the kernel."""
    kernel = obey(env={'CARRACK_LOG': 'debug'}).expect_log('history')
    client = kernel.client()
    client.execute('out a')
    size = kernel.log_file.stat().st_size
    resource.prlimit(kernel.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    for i in range(5):
        assert client.execute(f'out {i}').stdout == f'{i}\n'
    assert kernel.log_file.stat().st_size == size
    resource.prlimit(kernel.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert client.execute('out last').stdout == 'last\n'


# ---- processes and descriptors

@pytest.mark.parametrize('call, error', [('fork', errno.EAGAIN), ('fork', errno.ENOMEM), ('socket', errno.EMFILE), ('open', errno.ENFILE)])
def test_a_new_session_is_refused(obey, control, call, error):
    """While it cannot be started, cells say why; as soon as it can, the next cell runs."""
    kernel = obey().expect_log('cannot be started')
    client = kernel.client()
    client.execute('out a')
    control.refuse(call, 1, 10 ** 9, error)
    assert client.execute('kill9').error['ename'] == 'SessionDied'
    cell = client.execute('out b')
    assert cell.status == 'error' and os.strerror(error) in cell.error['evalue'], cell.error
    assert client.ask('complete_request', {'code': 'a', 'cursor_pos': 1})['matches'] == []
    control.refuse_nothing()
    assert client.execute('out c').stdout == 'c\n'


@pytest.mark.parametrize('call', ['fork', 'socket'])
def test_a_copy_is_refused(obey, control, call):
    """The session cannot park a copy: it goes on without, and after its death a new one is started."""
    kernel = obey(env={'ECHO_PARK': '1'})
    client = kernel.client()
    control.refuse(call, 1, 10 ** 9, errno.EAGAIN, who='session')
    assert client.execute('keep a\nout a').stdout == 'a\n'
    assert 'A new R was started' in '\n'.join(client.execute('kill9').error['traceback'])
    assert client.execute('out b').stdout == 'b\n'


@pytest.mark.parametrize('call, error', [('fork', errno.EAGAIN), ('socket', errno.EMFILE), ('pipe', errno.EMFILE), ('event', errno.EMFILE),
                                         ('open', errno.EMFILE)])
@pytest.mark.parametrize('nth', [1, 2, 3, 4, 6, 9])
def test_refused_at_the_start(obey, control, call, error, nth):
    """The kernel starts all the same, or says why not and ends with a status that is not 0."""
    control.refuse(call, nth, 1, error)
    kernel = obey(run=False).expect_log('cannot be started', 'history')
    kernel.start()
    end = time.monotonic() + 30
    while kernel.process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(('127.0.0.1', kernel.ports['shell'])).close()
            break
        except OSError:
            time.sleep(0.02)
    control.refuse_nothing()
    try:
        client = kernel.client()
        client.execute('out a')
        assert client.execute('out b').stdout == 'b\n'
    except AssertionError:
        assert kernel.process.poll() is not None
        said = kernel.log()
        words = (os.strerror(error), 'FATAL', 'Assertion')
        assert kernel.process.returncode != 0 and any(w in said for w in words), (kernel.process.returncode, said)
        kernel.kill()


def test_descriptors_run_out(obey):
    """Clients take them all: those that were there are served on, and when they go, others come."""
    kernel = obey().expect_log('cannot be started')
    client = kernel.client()
    client.execute('out a')
    resource.prlimit(kernel.pid, resource.RLIMIT_NOFILE, (len(os.listdir(f'/proc/{kernel.pid}/fd')) + 4,) * 2)
    crowd = []
    for _ in range(30):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(('127.0.0.1', kernel.ports['shell']))
        crowd.append(s)
    for i in range(3):
        assert client.execute(f'out {i}').stdout == f'{i}\n'
    for s in crowd:
        s.close()
    assert client.execute('out b').stdout == 'b\n'
    assert kernel.client().execute('out c').stdout == 'c\n'


# ---- signals, slow links, the clock

@pytest.mark.parametrize('every', [700, 5000])
def test_every_call_is_interrupted(start, control, every):
    """By SIGALRM, so often that few calls of the system end without; microseconds."""
    control.storm = int(every * TIMEOUT / 30)
    exchange = Exchange(start, control=control)
    for _ in range(5):
        exchange.frames(MIXED)
        exchange.turn()


def test_a_storm_of_signals(obey):
    """SIGCHLD without a dead child, and SIGINT while nothing runs."""
    kernel = obey()
    client = kernel.client()
    pid = kernel.pid
    for i in range(50):
        for _ in range(20):
            os.kill(pid, signal.SIGCHLD)
        os.kill(pid, signal.SIGINT)
        assert client.execute(f'err {i}\nout {i}').done
    client.wait_idle()
    assert client.execute('out a').stdout == 'a\n'


def test_one_byte_at_a_time(start, control):
    exchange = Exchange(start, control=control)
    control.slow = 1
    for at in (0, 2, 5, 9):
        exchange.frames(MIXED) if at == 0 else exchange.broken(MIXED, at, 'kill', 'half')
    exchange.turn()
    control.slow = 0


@pytest.mark.parametrize('shift', [86400, -86400])
def test_the_clock_jumps(obey, control, shift):
    """By a day, in the middle of a cell: nothing comes too early, too late or not at all."""
    kernel = obey()
    client = kernel.client()
    client.execute('out a')
    begin = time.monotonic()
    cell = client.submit('out a\nsleep 400\nout b').wait_output('a\n')
    control.shift = shift
    assert cell.wait().stdout == 'a\nb\n' and 0.4 <= time.monotonic() - begin < 20
    client.execute('out c\nresult 1')
    looping = client.submit('out begun\nsleep 60000', stop_on_error=False).wait_output('begun')
    control.shift = 2 * shift
    client.interrupt()
    assert looping.wait().error['ename'] == 'interrupt'
    control.shift = 0
    assert client.execute('out d').stdout == 'd\n'
    client.settle()
    # The laws look at the order of dates, which these are not to be blamed for.
    for m in client.arrived:
        days = round((m.date - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 86400)
        m.date -= datetime.timedelta(days=days)


# ---- clients

def zmtp(kernel, parts, more):
    """A connection that speaks ZMTP 3.0 by hand: a DEALER that sends these parts, the last one with `more` still to come, and is gone."""
    s = socket.create_connection(('127.0.0.1', kernel.ports['shell']))
    s.sendall(b'\xff' + bytes(8) + b'\x7f\x03\x00' + b'NULL'.ljust(20, b'\0') + bytes(32))
    ready = b'\x05READY\x0bSocket-Type' + struct.pack('>I', 6) + b'DEALER' + b'\x08Identity' + struct.pack('>I', 0)
    s.sendall(bytes([4, len(ready)]) + ready)
    for i, part in enumerate(parts):
        last = i + 1 == len(parts) and not more
        s.sendall(bytes([0 if last else 1, len(part)]) + part)
    time.sleep(0.01)
    return s


@pytest.mark.parametrize('n', range(1, 7))
def test_a_client_leaves_within_a_message(obey, n):
    """After each of its parts, and in the middle of one."""
    kernel = obey()
    client = kernel.client()
    header = client.header('kernel_info_request')
    parts = [p if len(p) < 256 else p[:255] for p in client.frames(header, {})]
    zmtp(kernel, parts[:n], True).close()
    s = zmtp(kernel, parts[:n], True)
    s.sendall(bytes([1, 200]) + b'half of it')
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))  # with a reset
    s.close()
    assert client.execute('out a').stdout == 'a\n'


def test_clients_are_gone_before_their_replies(obey):
    kernel = obey()
    client = kernel.client()
    for i in range(12):
        guest = kernel.client()
        cell = guest.submit('out a\nsleep 20\ndisplay {"data":{"text/plain":"x"},"metadata":{}}', stop_on_error=False)
        client.wait(lambda: client.iopub_of(cell), 'its begin')
        guest.close()
        assert client.execute(f'out {i}').stdout == f'{i}\n'


def test_nobody_listens(obey):
    """No subscriber at all: requests are answered, nothing is kept for nobody."""
    kernel = obey()
    client = kernel.client(subscribe=None)
    before = kernel.pss()
    for _ in range(20):
        request = client.submit('flood 20000\nbig 1000000')
        client.wait(lambda: request.replies, 'the reply')
        assert request.status == 'ok'
    assert kernel.pss() < before + 30e6
    assert kernel.client().execute('out a').stdout == 'a\n'
