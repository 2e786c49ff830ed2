"""Subshells (JEP 91), and looks into a session that is busy: routing, order, counts, errors and ends."""
import json
import os
import signal
import time

import pytest


def subshells(client):
    return client.ask('list_subshell_request', channel='control')['subshell_id']


def looked(request):
    """Whether a copy of the session answered a completion."""
    return request.wait().reply['metadata'] == {'copy': True}


def test_made_listed_and_deleted(client):
    assert 'kernel subshells' in client.kernel_info()['supported_features']
    assert subshells(client) == []
    a, b = client.subshell(), client.subshell()
    assert subshells(client) == [a.id, b.id] and a.id != b.id
    assert a.delete() == {'status': 'ok'}
    assert subshells(client) == [b.id]
    again = a.delete()
    assert again['status'] == 'error' and again['ename'] == 'SubshellNotFound' and a.id in again['evalue']
    assert client.ask('delete_subshell_request', {}, channel='control')['status'] == 'error'


def test_there_is_a_limit(client):
    for _ in range(1000):
        client.request('create_subshell_request', channel='control')
    assert '1000' in client.ask('create_subshell_request', channel='control')['evalue']
    assert len(subshells(client)) == 1000


@pytest.mark.parametrize('id', ['nobody', '', 7, [], 'x' * 5000])
def test_one_that_does_not_exist_is_an_error(client, id):
    header = {'subshell_id': id}
    for type, content in (('execute_request', {'code': 'a'}), ('complete_request', {'code': 'a', 'cursor_pos': 1}),
                          ('kernel_info_request', {}), ('inspect_request', {'code': 'a', 'cursor_pos': 1})):
        reply = client.ask(type, content, header=header)
        assert reply['status'] == 'error' and reply['ename'] == 'SubshellNotFound'
        assert 'subshell' in reply['evalue'] and len(reply['evalue']) < 300
    assert client.ask('is_complete_request', {'code': 'a'}, header=header) == {'status': 'unknown'}
    client.request('comm_msg', {'comm_id': 'c', 'data': {}}, header=header).wait(reply=False)
    assert client.execute('a').count == 1


def test_null_is_the_main_shell(client):
    header = client.header('execute_request')
    header['subshell_id'] = None
    client.send_raw('shell', client.frames(header, {'code': 'out here'}))
    client.wait(lambda: client.of_type('execute_reply', 'shell'), 'the reply')
    assert client.of_type('execute_reply', 'shell')[0].content['execution_count'] == 1
    client.kernel.sent.append(type('Sent', (), {
        'id': header['msg_id'], 'type': 'execute_request', 'header': header, 'content': {'code': 'out here'}, 'client': client,
        'channel': 'shell', 'dropped': False, 'replies': client.of_type('execute_reply', 'shell'), 'count': 1,
        'status': 'ok', 'messages': lambda self, channel='iopub': client.by_parent.get((channel, self.id), [])})())
    client.wait_idle()


def test_cells_beside_the_main_shell(client):
    main = client.submit('out begun\nsleep 60000').wait_output('begun')
    a, b = client.subshell(), client.subshell()
    cells = [s.submit(f'out {n}\nerr {n}\nresult {n}') for n in range(5) for s in (a, b)]
    client.wait_idle(*cells)
    assert [c.wait().count for c in cells] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert [c.story() for c in cells] == [[f'out:{n // 2}\n', f'err:{n // 2}\n', 'execute_result'] for n in range(10)]
    assert not main.done
    client.interrupt()
    assert main.wait().error['ename'] == 'interrupt' and main.stdout == 'begun\n'
    assert client.execute('a').count == 2


def test_what_is_assigned_stays_there(client):
    a, b = client.subshell(), client.subshell()
    client.execute('setenv X main')
    a.execute('setenv X a')
    assert [s.execute('env X').stdout for s in (a, b, client)] == ['a\n', 'main\n', 'main\n']
    client.execute('setenv X later')
    assert [s.execute('env X').stdout for s in (a, b, client)] == ['a\n', 'main\n', 'later\n']


def test_counts_and_history_are_the_main_shells(client):
    s = client.subshell()
    assert [s.execute('a').count, client.execute('b').count, s.execute('c', store_history=False).count, s.execute('d').count,
            client.execute('e').count] == [1, 1, 1, 2, 2]
    history = client.ask('history_request', {'hist_access_type': 'tail', 'n': 10, 'output': False, 'raw': True})['history']
    assert [line[2] for line in history] == ['b', 'e']


def test_errors_abort_in_their_own_subshell(client):
    s = client.subshell()
    main = client.submit('sleep 700')
    cells = [s.submit('sleep 300\nerror E x'), s.submit('never'), s.request('complete_request', {'code': 'a'}), client.submit('b')]
    client.wait_idle(main, *cells)
    assert [c.wait().status for c in (main, *cells)] == ['ok', 'error', 'aborted', 'ok', 'ok']
    assert s.execute('after').count == 2


def test_silent_input_and_displays(client):
    s = client.subshell()
    main = client.submit('input main?')
    question = client.wait_input(main)
    cell = s.execute('input sub?\ndisplay {"data": {"text/plain": "x"}, "metadata": {}}', inputs=['from the subshell'])
    assert cell.story() == ['out:from the subshell\n', 'display_data']
    assert s.execute('out a\nresult b', silent=True).outputs == []
    client.answer(question, 'from the main shell')
    assert main.wait().stdout == 'from the main shell\n'


def test_looks_are_answered_while_a_cell_runs(client):
    main = client.submit('out begun\nsleep 60000').wait_output('begun')
    for _ in range(3):
        assert looked(client.request('complete_request', {'code': 'a', 'cursor_pos': 1}))
    s = client.subshell()
    assert looked(s.request('complete_request', {'code': 'a', 'cursor_pos': 1}))
    assert s.ask('inspect_request', {'code': 'a', 'cursor_pos': 1})['status'] == 'ok'
    assert not main.done
    client.interrupt()
    main.wait()
    assert not looked(client.request('complete_request', {'code': 'a', 'cursor_pos': 1}))
    assert not looked(s.request('complete_request', {'code': 'a', 'cursor_pos': 1}))
    s.execute('own process')
    assert looked(s.request('complete_request', {'code': 'a', 'cursor_pos': 1}))


def test_a_session_that_comes_to_no_safe_point_answers_later(client):
    main = client.submit('flood 1\nhang').wait_output('0')
    look = client.request('complete_request', {'code': 'a', 'cursor_pos': 1})
    client.settle(1)
    assert not look.messages()
    client.kernel.expect_log('signal 9')
    os.kill(client.kernel.session_pid(), signal.SIGKILL)
    assert main.wait().status == 'error' and not looked(look)


def message(shell, id, **data):
    return shell.request('comm_msg', {'comm_id': id, 'data': data})


def test_comms_are_the_sessions_and_keep_their_order(client):
    s = client.subshell()
    s.request('comm_open', {'comm_id': 'c', 'target_name': 'echo', 'data': {}}).wait(reply=False)
    client.request('comm_open', {'comm_id': 'd', 'target_name': 'echo', 'data': {}}).wait(reply=False)
    assert set(client.ask('comm_info_request', {})['comms']) == {'c', 'd'}
    s.execute('own process')
    main = client.submit('out begun\nsleep 3000').wait_output('begun')
    looks = [message(s, 'c', look=True, n=1), message(client, 'd', look=True, n=2)]
    for look in looks:
        look.wait(reply=False)
    assert not main.done
    mixed = [message(client, 'c', n=3), message(s, 'c', look=True, n=4), message(client, 'c', look=True, n=5), message(s, 'd', n=6),
             message(client, 'd', look=True, n=7)]
    client.settle(0.6)
    assert not main.done and not any(m.messages() for m in mixed)
    client.wait_idle(main, *mixed)
    for id in 'cd':
        numbers = [m.content['data']['n'] for m in client.of_type('comm_msg') if m.content['comm_id'] == id]
        assert numbers == {'c': [1, 3, 4, 5], 'd': [2, 6, 7]}[id]
    assert all([m.type for m in r.window()] == ['comm_msg'] for r in looks + mixed)


def test_a_subshell_need_not_wait_for_all_that_is_queued(client):
    s = client.subshell()
    s.request('comm_open', {'comm_id': 'c', 'target_name': 'echo', 'data': {}}).wait(reply=False)
    cells = [client.submit('sleep 200') for _ in range(12)]
    cells[0].wait_started()
    message(s, 'c', n=1).wait(reply=False)
    assert not cells[-1].messages()
    client.wait_idle(*cells)


def test_a_subshell_opens_and_closes_no_comms(client):
    s = client.subshell()
    client.request('comm_open', {'comm_id': 'c', 'target_name': 'echo', 'data': {}}).wait(reply=False)
    cell = s.execute('comm {"comm_id": "x", "target_name": "t", "data": {}}\npublish comm_close {"comm_id": "c", "data": {}}\n'
                     'publish comm_msg {"comm_id": "c", "data": {"n": 1}}')
    assert [t for t, _ in cell.outputs] == ['comm_msg']
    assert set(client.ask('comm_info_request', {})['comms']) == {'c'}


@pytest.mark.parametrize('how, words', [('crash', 'ended'), ('kill9', 'without a word'), ('exitnow 0', 'ended'), ('unlink', 'ended'),
                                        ('badframe', 'link is broken')])
def test_the_death_of_one_is_an_error_there(kernel, client, how, words):
    kernel.expect_log('a copy of the session is ended')
    client.execute('setenv X main')
    s, other = client.subshell(), client.subshell()
    other.execute('setenv X other')
    cell = s.execute(f'setenv X s\nout before\n{how}')
    assert cell.error['ename'] == 'SubshellDied' and words in cell.error['evalue'] and cell.story() == ['out:before\n', 'error']
    assert [x.execute('env X').stdout for x in (s, other, client)] == ['main\n', 'other\n', 'main\n']
    assert s.execute('a').count == 3


def test_quit_ends_one_process(client):
    s = client.subshell()
    s.execute('setenv X s')
    s.submit('quit 0')
    client.settle(0.5)
    assert s.execute('env X').stdout == '(unset)\n'
    assert client.execute('a').status == 'ok'


def test_an_interrupt_without_a_cell_of_the_main_shell(client):
    a, b = client.subshell(), client.subshell()
    cells = [s.submit('out begun\nsleep 60000').wait_output('begun') for s in (a, b)]
    client.interrupt()
    assert [c.wait().error['ename'] for c in cells] == ['interrupt'] * 2
    assert a.execute('a').status == 'ok'


def test_deleting_answers_what_is_there(client):
    s = client.subshell()
    client.request('comm_open', {'comm_id': 'c', 'target_name': 'echo', 'data': {}}).wait(reply=False)
    main = client.submit('out begun\nsleep 2000').wait_output('begun')
    waiting = [s.submit('out begun\nhang').wait_output('begun'), s.submit('b'), s.request('complete_request', {'code': 'a'}),
               s.request('is_complete_request', {'code': 'a'}), message(s, 'c', n=1)]
    assert s.delete() == {'status': 'ok'}
    client.wait_idle(main, *waiting)
    assert [r.status for r in waiting] == ['error', 'error', 'error', 'unknown', None]
    assert waiting[0].error['ename'] == 'SubshellDeleted' and waiting[0].stdout == 'begun\n'
    assert main.wait().status == 'ok' and client.of_type('comm_msg') == []


def test_the_sessions_death_ends_all(kernel, client):
    kernel.expect_log('signal 9')
    s = client.subshell()
    cell, waiting = s.submit('out begun\nsleep 60000', stop_on_error=False).wait_output('begun'), s.submit('env X')
    assert client.execute('kill9').status == 'error'
    assert cell.wait().status == 'error'
    assert waiting.wait().stdout == '(unset)\n' and waiting.count == 2
    assert subshells(client) == [s.id]


@pytest.mark.parametrize('restart', [False, True])
def test_shutdown(kernel, client, restart):
    shells = [client.subshell() for _ in range(4)]
    cells = [s.submit('out begun\nsleep 60000').wait_output('begun') for s in shells]
    cells += [s.submit('b') for s in shells] + [client.submit('out begun\nsleep 60000').wait_output('begun')]
    cells += [client.request('complete_request', {'code': 'a', 'cursor_pos': 1}), shells[0].request('inspect_request', {'code': 'a'})]
    client.shutdown(restart)
    kernel.wait_exit()
    assert {c.status for c in cells} <= {'error', 'aborted', 'ok'} and all(c.done for c in cells)


def test_floods_of_several(client):
    shells = [client, *(client.subshell() for _ in range(3))]
    cells = [s.submit(f'flood {20000 + n}') for n, s in enumerate(shells)]
    client.wait_idle(*cells)
    for n, cell in enumerate(cells):
        assert cell.stdout.split() == [str(i) for i in range(20000 + n)]


def test_the_kernel_hears_nobody_while_a_client_does_not_read(kernel):
    """Back-pressure holds for subshells as it does for the session."""
    slow = kernel.client(slow=True)
    fast = kernel.client()
    s = fast.subshell()
    cells = [s.submit('big 90000000'), fast.submit('big 90000000')]
    time.sleep(2)
    assert kernel.pss() < 400e6 and not any(c.replies for c in cells if fast.pump(0) is None)
    done = []
    slow.read_iopub(lambda received: sum(m.state == 'idle' and m.parent_id in [c.id for c in cells] for m in received[-1:]) and
                    (done.append(1) or len(done) == 2), 'the ends of both')
    fast.wait_idle(*cells)
    assert [len(c.stdout) for c in cells] == [90000000] * 2


def test_a_hundred_leave_nothing(kernel, client):
    client.execute('a')
    time.sleep(1.5)

    def count():
        fds = [os.readlink(f'/proc/{kernel.pid}/fd/{fd}') for fd in os.listdir(f'/proc/{kernel.pid}/fd')
               if os.path.islink(f'/proc/{kernel.pid}/fd/{fd}')]
        session = kernel.session_pid()
        children = open(f'/proc/{session}/task/{session}/children').read().split()
        return len([f for f in fds if 'history' not in f]), len(os.listdir(f'/proc/{session}/fd')), len(children)
    before = count()
    for n in range(100):
        s = client.subshell()
        if n % 2:
            assert s.execute(f'out {n}').stdout == f'{n}\n'
        s.delete()
    end = time.monotonic() + 20
    while count() != before and time.monotonic() < end:
        time.sleep(0.1)
    assert count() == before


def test_a_session_without_copies(start):
    """One that does not say that it makes copies is not asked for any."""
    code = ('import json,os,socket,struct\n'
            's = socket.socket(fileno=int(os.environ["CARRACK_LINK_FD"])); seq = 0\n'
            'def take(n):\n  b = b""\n  while len(b) < n:\n    c = s.recv(n - len(b))\n    if not c: os._exit(0)\n    b += c\n  return b\n'
            'def frame():\n  m, v, t, q, r, n = struct.unpack("<BBHIII", take(16)); L = struct.unpack(f"<{n}I", take(4 * n))\n'
            '  return t, r, [take(x) for x in L]\n'
            'def say(t, r, *parts):\n  global seq; seq += 1\n'
            '  s.sendall(struct.pack("<BBHIII", 0xC4, 1, t, seq, r, len(parts)) + struct.pack(f"<{len(parts)}I", *map(len, parts)) '
            '+ b"".join(parts))\n  while frame()[0] != 1: pass  # CONFIG is not needed\n'
            'say(16, 0, json.dumps({"link": 1, "pid": os.getpid()}).encode()); '
            'say(17, 0, b\'{"language_version":"1","banner":"b"}\')\n'
            'while True:\n  t, r, p = frame()\n  if t == 5: say(23, 0, b\'{"status":0}\'); os._exit(0)\n'
            '  if t == 3: say(22, r, b\'{"type":"execute_reply"}\', b\'{"status":"ok"}\', b"{}")\n')
    kernel = start(run=False)
    path = kernel.home / 'session'
    path.write_text(f'#!/usr/bin/python3\n{code}')
    path.chmod(0o755)
    kernel.environment['CARRACK_SESSION'] = str(path)
    kernel.start()
    client = kernel.client()
    assert client.execute('a').status == 'ok'
    assert 'makes no copies' in client.subshell().execute('a').error['evalue']
    assert client.execute('b').count == 2 and json.dumps(subshells(client)) != '[]'
