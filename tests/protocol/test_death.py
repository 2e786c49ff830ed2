"""The session dies: the cell gets an error that says how, all text is published, the next cell runs in a fresh session."""
import os
import signal
import time

import pytest

DEATHS = [('crash', 'signal 6'), ('kill9', 'signal 9'), ('exitnow 7', 'status 7'), ('exitnow 0', 'status 0')]


@pytest.mark.parametrize('code, how', DEATHS)
def test_death_in_a_cell(kernel, client, code, how):
    kernel.expect_log(how)
    client.execute('first')
    before = kernel.session_pid()
    begin = time.monotonic()
    cell = client.execute(f'out text before\n{code}\nout never')
    assert time.monotonic() - begin < 20
    assert cell.story() == ['out:text before\n', 'error']
    assert how in cell.error['evalue'] and cell.error['traceback']
    assert {k: cell.reply[k] for k in cell.error} == cell.error
    assert cell.reply['status'] == 'error' and cell.count == 2
    after = client.execute('fresh')
    assert after.result == 'fresh' and after.count == 3
    assert kernel.session_pid() != before and not os.path.exists(f'/proc/{before}')


def test_garbage_on_the_link(kernel, client):
    """The session lives on and says no more: it is the kernel that has to notice."""
    kernel.expect_log('link')
    begin = time.monotonic()
    cell = client.execute('out before\nbadframe')
    assert time.monotonic() - begin < 20
    assert cell.story() == ['out:before\n', 'error'] and 'link' in cell.error['evalue']
    assert client.execute('fresh').result == 'fresh'


def test_what_nobody_may_publish(kernel, client):
    """It is not passed on, and the cell goes on."""
    kernel.expect_log('publish')
    for n, code in enumerate(('badjson', 'badtype', 'publish execute_reply {}', 'publish input_request {}',
                              'publish display_data []', 'publish stream {"name": "stdout", "text": "x"}'), 1):
        cell = client.execute(f'out a\n{code}\nout b')
        assert cell.stdout == 'a\nb\n' and cell.status == 'ok'
        assert {m.type for m in cell.messages()} == {'status', 'execute_input', 'stream'}
        assert kernel.log().count('published a') == n


def test_half_a_surrogate_in_a_display(kernel, client):
    """JSON that is legal for some parsers and not for others is not passed on."""
    kernel.expect_log('publish')
    cell = client.execute('display {"data": {"a": "\\ud800"}, "metadata": {}}\nout b')
    assert cell.status == 'ok' and cell.story() == ['out:b\n']


def test_death_while_idle(kernel, client):
    kernel.expect_log('signal 9')
    cell = client.execute('a')
    pid = kernel.session_pid()
    os.kill(pid, signal.SIGKILL)
    client.wait(lambda: cell.late, 'word of it')
    assert 'signal 9' in cell.late[0].content['text'] and cell.late[0].content['name'] == 'stderr'
    assert client.execute('fresh').result == 'fresh'


def test_death_while_a_question_waits(kernel, client):
    kernel.expect_log('signal 9')
    cell = client.submit('input ? ', stop_on_error=False)
    question = client.wait_input(cell)
    os.kill(kernel.session_pid(), signal.SIGKILL)
    assert cell.wait().status == 'error'
    client.answer(question, 'too late')
    assert client.execute('input ? ', inputs=['b']).stdout == 'b\n'


def test_death_in_another_request(kernel, client):
    """is_complete is asked of the session too; a session that is killed meanwhile leaves no one waiting."""
    kernel.expect_log('signal 9')
    for _ in range(5):
        client.execute('a')
        pid = kernel.session_pid()
        requests = [client.request('is_complete_request', {'code': 'x'}) for _ in range(20)]
        os.kill(pid, signal.SIGKILL)
        for request in requests:
            request.wait()


def test_a_stopped_session_can_be_shut_down(kernel, client):
    client.execute('a')
    os.kill(kernel.session_pid(), signal.SIGSTOP)
    begin = time.monotonic()
    client.shutdown()
    kernel.wait_exit()
    assert time.monotonic() - begin < 30


def test_a_child_that_holds_the_link_does_not_hide_the_death(kernel, client):
    """A forked child has a copy of the link and of the pipes: their ends say nothing."""
    kernel.expect_log('signal 9')
    begin = time.monotonic()
    cell = client.execute('child 8000 child\nout before\nkill9')
    assert time.monotonic() - begin < 7
    assert cell.stdout == 'before\n' and 'signal 9' in cell.error['evalue']
    following = client.execute('fresh')
    assert following.result == 'fresh'
    client.wait(lambda: following.late, 'text of the child')
    assert following.late[0].content['text'] == 'child\n'


def test_the_session_closes_the_link_and_lives(kernel, client):
    """Without a link it is of no use; the kernel ends it."""
    kernel.expect_log('')
    cell = client.execute('unlink')
    assert cell.status == 'error'
    assert client.execute('fresh').result == 'fresh'


def test_many_deaths(kernel, client):
    """A crash is not a failed start: the count of those begins anew with each that succeeds."""
    kernel.expect_log('signal 9')
    for i in range(8):
        assert client.execute(f'out {i}\nkill9').stdout == f'{i}\n'
    assert client.execute('fine').result == 'fine'


def test_the_session_cannot_start(start):
    """Three times, and then the reason in the cell; nothing hangs, and the kernel lives."""
    kernel = start(env={'ECHO_START_FAIL': '3', 'ECHO_START_MS': '200'}).expect_log('')
    client = kernel.client()
    cells = [client.submit('a', stop_on_error=False), client.submit('b')]
    for cell in cells:
        assert cell.wait().status == 'error'
        assert 'status 3' in cell.error['evalue'] and 'told not to start' in cell.error['evalue']
    assert client.ask('is_complete_request', {'code': 'x'})['status'] == 'unknown'
    assert client.kernel_info()['status'] == 'ok'
    text = ''.join(m.content['text'] for m in client.of_type('stream'))
    assert text.count('told not to start') == 3


def test_the_session_is_no_program(start):
    kernel = start(env={'CARRACK_SESSION': '/nonexistent/session'}).expect_log('')
    client = kernel.client()
    cell = client.execute('a')
    assert cell.status == 'error' and '/nonexistent/session' in cell.error['evalue']


@pytest.mark.parametrize('program', ['/bin/true', '/bin/false', '/bin/cat', '/etc/passwd'])
def test_the_session_does_not_speak_the_link(start, program):
    kernel = start(env={'CARRACK_SESSION': program}).expect_log('')
    client = kernel.client()
    assert client.execute('a').status == 'error'
    assert client.kernel_info()['status'] == 'ok'
