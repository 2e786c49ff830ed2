"""Every way to end a kernel: a reply, flushed output, an exit within 5 s, and nothing left behind."""
import os
import signal
import subprocess
import time

import pytest

WITHIN = 20


def end(kernel, client, restart=False, channel='control'):
    begin = time.monotonic()
    request = client.shutdown(restart, channel)
    assert request.reply == {'status': 'ok', 'restart': restart}
    kernel.wait_exit()
    assert time.monotonic() - begin < WITHIN
    assert [m.state for m in request.messages()] == ['busy', 'idle']


@pytest.mark.parametrize('channel', ['control', 'shell'])
@pytest.mark.parametrize('restart', [False, True])
def test_idle(kernel, client, restart, channel):
    client.execute('out a')
    end(kernel, client, restart, channel)


def test_at_once(kernel, client):
    end(kernel, client)


def test_before_the_session_is_ready(start):
    kernel = start(env={'ECHO_START_MS': '60000'})
    client = kernel.client()
    cell = client.submit('never')
    end(kernel, client)
    assert cell.status in ('error', 'aborted') and cell.done


def test_while_a_cell_runs(kernel, client):
    cell = client.submit('out a\nsleep 60000\nout never')
    cell.wait_output('a')
    end(kernel, client)
    assert cell.status == 'error' and cell.stdout == 'a\n' and cell.done


def test_while_a_cell_hangs(kernel, client):
    cell = client.submit('out a\nhang')
    cell.wait_output('a')
    end(kernel, client)
    assert cell.status == 'error' and cell.done


def test_while_a_cell_floods(kernel, client):
    cell = client.submit('big 500000000')
    client.wait(lambda: len(cell.of_type('stream')) > 20, 'some text')
    end(kernel, client)
    text = cell.stdout
    assert cell.done and all(text[i * 80] == chr(97 + i % 26) for i in range(len(text) // 80))


def test_while_a_question_waits(kernel, client):
    cell = client.submit('input ? ')
    client.wait_input(cell)
    end(kernel, client)
    assert cell.status == 'error' and cell.done


def test_with_cells_in_the_queue(kernel):
    a, b = kernel.client(), kernel.client()
    cells = [a.submit('sleep 60000').wait_started()] + [c.submit('never') for c in (a, b, a)]
    complete = b.request('is_complete_request', {'code': 'x'})
    b.settle()
    end(kernel, a)
    b.wait_idle()
    assert all(c.status in ('error', 'aborted') and c.done for c in cells)
    assert complete.replies and complete.done


def test_after_a_crash(kernel, client):
    kernel.expect_log('signal 9')
    client.execute('kill9')
    end(kernel, client)


def test_after_the_session_could_not_be_started(start):
    kernel = start(env={'ECHO_START_FAIL': '3'}).expect_log('')
    client = kernel.client()
    client.execute('a')
    end(kernel, client)


def test_several_at_once(kernel):
    clients = [kernel.client() for _ in range(3)]
    clients[0].submit('hang').wait_started()
    requests = [c.shutdown(wait=False) for c in clients for _ in range(4)]
    kernel.wait_exit()
    for request in requests:
        assert request.reply == {'status': 'ok', 'restart': False}


def test_a_session_that_traps_signals(kernel, client):
    client.execute('trap')
    client.submit('sleep 60000').wait_started()
    end(kernel, client)


def test_a_child_that_outlives_the_session_does_not_hold_up_the_end(kernel, client):
    """It holds the pipes and a copy of the link."""
    client.execute('child 60000 never')
    end(kernel, client)


@pytest.mark.parametrize('number, code', [(signal.SIGHUP, ''), (signal.SIGTERM, ''), (signal.SIGTERM, 'sleep 60000'),
                                          (signal.SIGTERM, 'hang'), (signal.SIGTERM, 'input ? ')])
def test_by_signal(kernel, client, number, code):
    cell = client.submit(code).wait_started()
    if not code:
        cell.wait()
    begin = time.monotonic()
    kernel.signal(number)
    kernel.wait_exit()
    assert time.monotonic() - begin < WITHIN
    assert cell.done and cell.replies


def test_the_user_quits(kernel, client):
    """q() in a cell: text before it is heard, the request gets its reply, the kernel ends with R's status."""
    kernel.exit_code = 3
    cell = client.submit('out a\nquit 3\nout never')
    kernel.wait_exit()
    assert cell.stdout == 'a\n' and cell.replies and cell.done


def test_the_user_quits_with_others_waiting(kernel, client):
    cells = [client.submit('sleep 100\nquit 0'), client.submit('never'), client.submit('never')]
    kernel.wait_exit()
    assert all(c.replies and c.done for c in cells)


def wait_gone(pid, seconds=WITHIN):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with open(f'/proc/{pid}/stat') as f:
                if f.read().rsplit(')', 1)[1].split()[0] == 'Z':
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize('code', ['out a', 'hang'])
def test_the_parent_ends(start, code):
    kernel = start(prefix=['sh', '-c', 'JPY_PARENT_PID=$$ "$@" & exec sleep 1000', 'sh'])
    kernel.exit_code = -signal.SIGKILL
    client = kernel.client()
    cell = client.submit(code).wait_started()
    pid = kernel.pid
    kernel.process.kill()
    assert wait_gone(pid)
    client.settle()
    assert cell.done and cell.replies


def test_a_parent_that_did_not_ask_to_be_followed(start):
    """A script that starts a kernel with nohup and ends: the kernel is to go on."""
    kernel = start(prefix=['sh', '-c', 'nohup "$@" & exec sleep 1000', 'sh'], env={'JPY_PARENT_PID': None})
    kernel.exit_code = -signal.SIGKILL
    client = kernel.client()
    client.execute('out a')
    pid = kernel.pid
    kernel.process.kill()
    kernel.process.wait()
    time.sleep(1.5)
    assert client.heartbeat() == b'ping'
    os.kill(pid, signal.SIGTERM)
    assert wait_gone(pid)


def test_the_process_that_jpy_parent_pid_names_ends(start):
    named = subprocess.Popen(['sleep', '1000'])
    kernel = start(env={'JPY_PARENT_PID': str(named.pid)})
    client = kernel.client()
    client.execute('out a')
    named.kill()
    named.wait()
    begin = time.monotonic()
    kernel.wait_exit()
    assert time.monotonic() - begin < WITHIN


@pytest.mark.parametrize('value', ['', '0', '-1', '1', 'nonsense', '99999999999999999999'])
def test_a_strange_jpy_parent_pid(start, value):
    client = start(env={'JPY_PARENT_PID': value}).client()
    assert client.execute('a').result == 'a'


def test_the_session_ends_with_a_killed_kernel(kernel, client):
    client.execute('a')
    pid = kernel.session_pid()
    kernel.signal(signal.SIGKILL)
    assert wait_gone(pid)
    kernel.kill()


def test_closed_descriptors(start):
    """Started with 0, 1 and 2 closed, as some launchers do: nothing of ours is taken for them."""
    client = start(prefix=['sh', '-c', 'exec "$@" 0<&- 1>&- 2>&-', 'sh']).client()
    assert client.execute('out a\nerr b\nc').story() == ['out:a\n', 'err:b\n', 'execute_result']
