"""Interrupts: by message and by signal, of what runs, and of nothing else (docs/link.md, "Interrupts")."""
import signal
import time

import pytest


def interrupt(kernel, client, how):
    if how == 'message':
        assert client.interrupt().reply == {'status': 'ok'}
    else:
        kernel.signal(signal.SIGINT)


@pytest.mark.parametrize('how', ['message', 'signal'])
def test_interrupt(kernel, client, how):
    cell = client.submit('out a\nsleep 60000\nout never')
    cell.wait_output('a')
    begin = time.monotonic()
    interrupt(kernel, client, how)
    cell.wait()
    assert time.monotonic() - begin < 30
    assert cell.reply['ename'] == 'interrupt' and cell.stdout == 'a\n'
    assert client.execute('next').result == 'next'


@pytest.mark.parametrize('how', ['message', 'signal'])
def test_interrupt_while_idle_does_nothing(kernel, client, how):
    pid = client.execute('a') and kernel.session_pid()
    for _ in range(5):
        interrupt(kernel, client, how)
    client.settle()
    assert client.execute('sleep 50\nb').result == 'b'
    assert kernel.session_pid() == pid


def test_interrupt_of_a_flood(client):
    """The session is blocked in a write to a full pipe as often as not."""
    cell = client.submit('big 500000000')
    client.wait(lambda: len(cell.of_type('stream')) > 20, 'some text')
    client.interrupt()
    cell.wait()
    assert cell.reply['ename'] == 'interrupt'
    text = cell.stdout
    assert all(text[i * 80] == chr(97 + i % 26) for i in range(len(text) // 80))


def test_interrupt_does_not_hit_the_next_request(client):
    """The interrupt is sent when a cell is about to end: it hits that cell or none."""
    for i in range(100):
        cell = client.submit(f'out {i}', stop_on_error=False)
        client.request('interrupt_request', channel='control')
        cell.wait()
        following = client.execute('sleep 2\nfollowing')
        # An interrupt may be handled as late as this cell's own run, but then it was for it.
        client.wait_idle()
        assert following.status == 'ok' or 'interrupt' in following.reply['ename']
    hit = 0
    for i in range(50):
        cell = client.submit('sleep 3', stop_on_error=False)
        time.sleep(0.001 * (i % 8))
        client.interrupt()  # its reply is here: it belongs to the past
        hit += cell.wait().status == 'error'
        assert client.execute('sleep 2\nout whole').stdout == 'whole\n'
    assert hit > 0


def test_interrupt_of_a_request_that_the_session_has_not_begun(client):
    """Between the kernel's giving and the session's reading an interrupt is not lost."""
    for i in range(50):
        cell = client.submit('sleep 20000', stop_on_error=False).wait_started()
        client.interrupt()
        assert cell.wait().status == 'error'


def test_interrupt_leaves_queued_cells_to_stop_on_error(client):
    cells = [client.submit('sleep 60000', stop_on_error=stop) for stop in (False, True)] + [client.submit('c')]
    cells[0].wait_started()
    client.interrupt()
    cells[0].wait()
    cells[1].wait_started()
    client.interrupt()
    assert [c.wait().status for c in cells] == ['error', 'error', 'aborted']


def test_many_interrupts(client):
    cell = client.submit('sleep 60000').wait_started()
    requests = [client.request('interrupt_request', channel='control') for _ in range(200)]
    cell.wait()
    for request in requests:
        assert request.wait().reply == {'status': 'ok'}
    assert client.execute('sleep 20\nx').result == 'x'


def test_interrupt_before_the_session_is_ready(start):
    client = start(env={'ECHO_START_MS': '500'}).client()
    client.interrupt()  # of nothing
    cell, next, another = client.submit('x'), client.submit('y'), client.request('complete_request', {'code': 'a', 'cursor_pos': 1})
    client.interrupt()
    assert cell.wait().error['ename'] == cell.reply['ename'] == 'interrupt' and next.wait().status == 'aborted'
    assert another.wait().status == 'ok'
    assert client.execute('y', stop_on_error=False).result == 'y'


def test_an_interrupt_reaches_children(client):
    """SIGINT goes to the process group: a child that a cell waits for ends, as in a terminal."""
    cell = client.submit('child 60000 never\nsleep 60000').wait_started()
    time.sleep(0.2)
    client.interrupt()
    assert cell.wait().status == 'error'


def test_interrupt_of_a_cell_that_ignores_it(kernel, client):
    """The kernel goes on serving; only shutdown ends it."""
    client.submit('out deaf\nhang').wait_output('deaf')  # it is deaf from here on
    client.interrupt()
    client.interrupt()
    assert client.kernel_info()['execution_state'] == 'busy'
    kernel.kill()


def test_interrupt_on_shell(client):
    """Not where it belongs, but queued behind nothing it is answered all the same."""
    request = client.request('interrupt_request', channel='shell')
    assert request.wait().reply == {'status': 'ok'}
