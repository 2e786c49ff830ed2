"""Ends that come at a bad moment, with a session that is written for them: it speaks the link (docs/link.md) by itself."""
import os
import signal
import sys
import time

import pytest

from carrack_client import descendants
from test_flow import wait_full

# Each cell is the name of one of the functions below, with an argument; its result says which process answered.
SESSION = f'#!{sys.executable}\n' + r'''
import array, json, os, signal, socket, struct, sys, time

link = socket.socket(fileno=int(os.environ['CARRACK_LINK_FD']))
name, seq, late, copies, after = 'fresh', 0, False, [], None


def send(kind, request, *parts, ack=True, fd=None):
    global seq
    seq += 1
    parts = [json.dumps(p).encode() for p in parts]
    frame = struct.pack(f'<BBHIII{len(parts)}I', 0xC4, 1, kind, seq, request, len(parts), *map(len, parts)) + b''.join(parts)
    if fd is not None:
        link.sendmsg([frame[:1]], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [fd]))])
        frame = frame[1:]
    link.sendall(frame)
    while ack and receive()[0] != 1:
        pass


def read(n):
    got = b''
    while len(got) < n:
        more = link.recv(n - len(got))
        if not more:
            os._exit(0)
        got += more
    return got


def receive():
    _, _, kind, _, request, n = struct.unpack('<BBHIII', read(16))
    lengths = struct.unpack(f'<{n}I', read(4 * n))
    return kind, request, [read(length) for length in lengths]


def stop_kernel(seconds):
    """The kernel does not see what happens until so many seconds are over."""
    kernel = os.getppid()
    os.kill(kernel, signal.SIGSTOP)
    if os.fork() == 0:
        link.close()
        time.sleep(seconds)
        os.kill(kernel, signal.SIGCONT)
        os._exit(0)


def park(argument, ack=True):
    """A copy that lives, one that dies when it is woken, or one that has no process id."""
    global link, name, seq
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid:
        copies.append(pid)
        theirs.close()
        send(25, 0, {'pid': 0 if argument == 'nameless' else pid, 'ms': 1, 'lost': []}, ack=ack, fd=ours.fileno())
        ours.close()
        return
    ours.close()
    link, name, seq = theirs, argument if argument in ('one', 'two', 'three') else 'copy', 0
    receive()
    if argument == 'mortal':
        os._exit(3)
    send(17, 0, {})
    serve()


def park_and_die(argument):
    stop_kernel(0.3)
    park(argument, ack=False)
    os._exit(3)


def die(argument):
    os._exit(3)


def kill_copies(argument):
    """All of them, or the newest."""
    for pid in copies[-1:] if argument == 'newest' else copies:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def undo(argument):
    send(26, number)


def undo_soon(argument):
    """By code outside of any request. The kernel sees it when the next request is here, and has not been read yet."""
    global after
    after = lambda: (stop_kernel(1), time.sleep(0.2), send(26, 0))


def comm(argument):
    send(18, number, {'type': 'comm_open'}, {'comm_id': argument, 'target_name': 'any', 'data': {}}, {})


def linger(argument):
    """At SHUTDOWN it ends only after the moment at which the kernel would have sent a signal."""
    global late
    late = True


def hide(argument):
    """Into another process group, and deaf."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGRTMIN + 6, signal.SIG_IGN)
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        link.close()
        while os.getppid() == parent:
            time.sleep(0.05)
        os._exit(0)
    while os.getpgid(child) != child:
        time.sleep(0.01)
    os.setpgid(0, child)
    send(18, number, {'type': 'display_data'}, {'data': {'text/plain': 'hidden'}, 'metadata': {}}, {})
    time.sleep(60)


def serve():
    global number
    while True:
        kind, number, parts = receive()
        if kind == 5:
            if late:
                stop_kernel(2.5)
                os._exit(0)
            send(23, 0, {'status': 0})
            os._exit(0)
        if kind != 3:
            continue
        word, _, argument = json.loads(parts[1]).get('code', '').partition(' ')
        if word:
            globals()[word](argument)
        send(18, number, {'type': 'execute_result'}, {'data': {'text/plain': name}, 'metadata': {}, 'execution_count': 1}, {})
        send(22, number, {'type': 'execute_reply'}, {'status': 'ok'}, {})
        if after:
            after()


parent = os.getpid()
send(16, 0, {'link': 1, 'pid': parent})  # CONFIG comes before its ACK
send(17, 0, {'language_version': '0', 'banner': 'scripted'})
serve()
'''


@pytest.fixture
def scripted(start, tmp_path):
    """Starts kernels with that session."""
    program = tmp_path / 'session'
    program.write_text(SESSION)
    program.chmod(0o755)

    def start_kernel(**options):
        return start(session=str(program), **options).expect_log('status 3')
    return start_kernel


def descriptors(kernel):
    return len(os.listdir(f'/proc/{kernel.pid}/fd'))


def test_a_session_that_ends_when_its_time_is_over(scripted):
    """Nobody else gets the signal that was meant for it."""
    kernel = scripted(prefix=('sh', '-c', '"$@"; exit $?', 'sh'))
    client = kernel.client()
    assert client.execute('linger').status == 'ok'
    client.shutdown()
    assert kernel.wait_exit() == 0


def test_all_that_waits_is_answered_at_the_end(kernel, client):
    """More than the kernel takes at a time."""
    client.execute('first')
    kernel.signal(signal.SIGSTOP)
    cells = [client.submit(str(n)) for n in range(1000)]
    shutdown = client.shutdown(wait=False)
    time.sleep(0.2)
    kernel.signal(signal.SIGCONT)
    shutdown.wait()
    assert [c for c in cells if not c.done] == []
    assert {c.status for c in cells} <= {'ok', 'error', 'aborted'}


def test_a_session_that_left_its_process_group(scripted):
    """It is ended, too, and the cell that ran in it has its reply."""
    kernel = scripted()
    client = kernel.client()
    cell = client.submit('hide')
    client.wait(lambda: cell.of_type('display_data'), 'the cell')
    begin = time.monotonic()
    client.shutdown()
    assert cell.wait().status == 'error'
    kernel.wait_exit()
    assert time.monotonic() - begin < 30


def test_started_by_somebody_who_ignores_his_children(start):
    """That is inherited: the death of a session would go unnoticed."""
    ignore = 'import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])'
    kernel = start(prefix=(sys.executable, '-c', ignore)).expect_log('signal 9')
    client = kernel.client()
    assert 'signal 9' in client.execute('kill9').error['evalue']
    assert client.execute('a').result == 'a'


def test_death_right_after_a_copy_was_parked(scripted):
    """What was said before the death counts; no descriptor of it is left for the next session."""
    kernel = scripted()
    client = kernel.client()
    assert client.execute('').result == 'fresh'
    before = descriptors(kernel)
    assert client.execute('park_and_die').status == 'error'
    assert client.execute('').result == 'copy'
    assert descriptors(kernel) == before


def test_a_copy_that_dies_when_it_is_woken(scripted):
    """A new session follows, without the comms of the old one."""
    kernel = scripted()
    client = kernel.client()
    client.execute('comm one')
    client.execute('park mortal')
    assert client.execute('die').status == 'error'
    cell = client.execute('')
    assert cell.result == 'fresh'
    assert client.ask('comm_info_request')['comms'] == {}


def test_a_copy_without_a_process_id(scripted):
    """Signals that are meant for it would go to others."""
    kernel = scripted().expect_log('parked')
    client = kernel.client()
    client.execute('park nameless')
    assert client.execute('die').status == 'error'
    assert client.execute('').result == 'fresh'


def test_undo_when_the_copies_are_dead(scripted):
    """Copies are what goes first when memory is short. The session lives on, instead of being given up for nothing."""
    client = scripted().client()
    client.execute('park')
    client.execute('park')
    client.execute('kill_copies')
    cell = client.execute('undo')
    assert cell.status == 'ok' and cell.result == 'fresh'


def test_undo_goes_no_further_than_it_must(scripted):
    """No copy was made after the last cell, so the newest one is that of before it."""
    client = scripted().client()
    client.execute('park one')
    client.execute('park two')
    client.execute('')
    cell = client.execute('undo')
    assert cell.status == 'ok' and 'before the last 2 cells' in cell.stderr
    assert client.execute('').result == 'two'
    cell = client.execute('undo')
    assert cell.status == 'ok' and client.execute('').result == 'one'


def test_a_copy_that_is_dead_when_it_is_wanted(scripted):
    """The one before it is taken."""
    client = scripted().client()
    client.execute('park one')
    client.execute('park two')
    client.execute('kill_copies newest')
    story = '\n'.join(client.execute('die').error['traceback'])
    assert 'lost: 3' in story
    assert client.execute('').result == 'one'


def test_undo_outside_of_a_request(scripted):
    """The request that was on its way then has not run, and is not said to have."""
    client = scripted().client()
    client.execute('park one')
    client.execute('park two')
    first, second = client.submit('undo_soon'), client.submit('out ran')
    assert first.wait().status == 'ok'
    error = second.wait().error  # none if it came only when the session had been replaced
    assert ('ran' in second.stdout and second.status == 'ok') if error is None else (error['ename'] == 'Undone' and not second.stdout)
    assert client.execute('').result == 'two'


def test_a_session_that_is_ended_is_given_nothing(scripted):
    """What is asked while it is on its way out is for the one that follows."""
    client = scripted().client()
    client.execute('park one')
    client.execute('park two')
    client.execute('undo_soon')
    time.sleep(0.3)
    cell = client.execute('')
    assert cell.result == 'two' or cell.error['ename'] == 'Undone'  # where the kernel was stopped too late



def test_comm_messages_when_no_session_starts(start):
    """They have no reply, but their statuses."""
    kernel = start(env={'ECHO_START_MS': '300', 'ECHO_START_FAIL': '1'}).expect_log('starting', 'status 1')
    client = kernel.client()
    opened = client.request('comm_open', {'comm_id': 'one', 'target_name': 'echo', 'data': {}})
    message = client.request('comm_msg', {'comm_id': 'one', 'data': {}})
    opened.wait(reply=False)
    message.wait(reply=False)
    assert client.ask('comm_info_request')['comms'] == {}


def test_what_a_dead_session_left_behind(kernel, client):
    """It may go on, but it ends with the kernel like the children of a session that lives; that is checked at the end of each test."""
    kernel.expect_log('signal 9')
    client.execute('child 60000 x\nkill9')
    assert client.execute('a').result == 'a'
    assert len(descendants(kernel.pid)) == 2


def test_a_cell_that_waits_for_a_slow_client_is_not_stuck(kernel):
    """It has stopped, and cannot say so before its text is taken: a second interrupt must not cost the session."""
    client, slow = kernel.client(subscribe=None), kernel.client(slow=True)
    slow.read_iopub(lambda ms: ms, 'iopub_welcome')
    cell = client.submit('big 300000000')
    wait_full(kernel)
    before = kernel.session_pid()
    client.request('interrupt_request', channel='control').wait_reply()
    time.sleep(6)
    client.request('interrupt_request', channel='control').wait_reply()
    slow.read_iopub(lambda ms: ms[-1].parent_id == cell.id and ms[-1].state == 'idle', 'idle')
    cell.wait_reply()
    assert cell.reply['evalue'] == 'interrupted' and kernel.session_pid() == before


def test_a_comm_open_that_is_too_large_for_the_session(kernel, client):
    """The session cannot be told of it: it is not open, and the client hears so."""
    kernel.expect_log('parts')
    opened = client.request('comm_open', {'comm_id': 'one', 'target_name': 'echo', 'data': {}}, buffers=[b'x'] * 1100)
    opened.wait(reply=False)
    assert [c['comm_id'] for c in opened.of_type('comm_close')] == ['one']
    assert client.ask('comm_info_request')['comms'] == {}
