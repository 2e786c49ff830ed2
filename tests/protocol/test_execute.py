"""execute_request and its fields (messaging spec, "Execute"); the requests that a session or nobody answers."""
import os
import signal


def test_result(client):
    cell = client.execute('6 * 7')
    assert cell.reply == {'status': 'ok', 'execution_count': 1, 'payload': [], 'user_expressions': {}}
    assert [m.type for m in cell.messages()] == ['status', 'execute_input', 'execute_result', 'status']
    assert cell.of_type('execute_result') == [{'data': {'text/plain': '6 * 7'}, 'metadata': {}, 'execution_count': 1}]


def test_error(client):
    cell = client.execute('out before\nerror simpleError it broke\nout never')
    error = {'ename': 'simpleError', 'evalue': 'it broke', 'traceback': ['it broke']}
    assert cell.story() == ['out:before\n', 'error']
    assert cell.error == error
    assert cell.reply == {'status': 'error', 'execution_count': 1, **error}
    assert client.execute('next').result == 'next'


def test_code_arrives_as_it_is(client):
    codes = ['', '\n', ' ', 'result é𐍈 "\\" \t', 'result \u2028\x7f\x01', 'x' * 1_000_000]
    for count, code in enumerate(codes, 1):
        cell = client.execute(code)
        assert cell.status == 'ok'
        assert cell.of_type('execute_input') == [{'code': code, 'execution_count': count}]
        if code.strip():
            assert cell.result == code.removeprefix('result ')


def test_nul_in_code(client):
    cell = client.execute('out a\0b')
    assert cell.status == 'ok'
    assert cell.of_type('execute_input')[0]['code'] == 'out a\0b'


def test_defaults_of_missing_fields(client):
    cell = client.submit('input > ', silent=None, store_history=None, user_expressions=None, allow_stdin=None,
                         stop_on_error=None)
    client.answer(client.wait_input(cell), 'asked')  # allow_stdin: true
    cell.wait()
    assert cell.stdout == 'asked\n'                  # silent: false
    assert cell.count == 1                           # store_history: true
    assert cell.reply['user_expressions'] == {}
    queued = [client.submit('sleep 100\nerror E x', stop_on_error=None), client.submit('never')]
    assert [c.wait().status for c in queued] == ['error', 'aborted']  # stop_on_error: true


def test_silent(client):
    client.execute('a')
    cell = client.execute('result b', silent=True, store_history=True)
    assert cell.outputs == [] and [m.state for m in cell.messages()] == ['busy', 'idle']
    assert cell.reply == {'status': 'ok', 'execution_count': 1, 'payload': [], 'user_expressions': {}}
    assert client.execute('c').count == 2


def test_silent_output_is_not_broadcast(client):
    cell = client.execute('out a\nerr b\ndisplay {"data": {}, "metadata": {}}\nresult c', silent=True)
    assert cell.status == 'ok' and cell.outputs == []


def test_silent_error(client):
    cell = client.execute('error E x', silent=True)
    assert cell.reply['ename'] == 'E' and cell.status == 'error'
    assert cell.outputs == []


def test_store_history(client):
    counts = [client.execute(code, store_history=keep).count for code, keep in
              (('a', True), ('b', False), ('c', False), ('d', True), ('error E x', True), ('e', True))]
    assert counts == [1, 1, 1, 2, 3, 4]


def test_counter_query(client):
    """The spec's way to learn the counter: an empty silent cell."""
    client.execute('a')
    cell = client.execute('', silent=True)
    assert cell.count == 1 and cell.status == 'ok'


def test_user_expressions(client):
    cell = client.execute('a', user_expressions={'x': '1 + 1', 'é': 'y'})
    value = {'status': 'ok', 'metadata': {}}
    assert cell.reply['user_expressions'] == {'x': {**value, 'data': {'text/plain': '1 + 1'}},
                                              'é': {**value, 'data': {'text/plain': 'y'}}}


def test_displays(client):
    cell = client.execute('display {"data": {"text/plain": "a", "image/png": "AAAA"}, "metadata": {"image/png": '
                          '{"width": 3}}, "transient": {"display_id": "d1"}}\n'
                          'update {"data": {"text/plain": "b"}, "metadata": {}, "transient": {"display_id": "d1"}}\n'
                          'publish clear_output {"wait": true}')
    assert [t for t, _ in cell.outputs] == ['display_data', 'update_display_data', 'clear_output']
    assert cell.outputs[0][1] == {'data': {'text/plain': 'a', 'image/png': 'AAAA'},
                                  'metadata': {'image/png': {'width': 3}}, 'transient': {'display_id': 'd1'}}
    assert cell.outputs[2][1] == {'wait': True}


def test_unusual_header_and_metadata(client):
    """The parent is the header as it was sent, whatever is in it (laws.parents compares)."""
    client.username = 'Zoë "\\" 𐍈'
    header = {'extra': {'nested': [1, 2.5, None, True, 12345678901234567890, 1e-7]}, 'subshell_id': None, 'version': '5.0'}
    cell = client.request('execute_request', {'code': 'out a\nb'}, header=header, metadata={'cellId': 'é', 'deep': [[[]]]})
    assert cell.wait().status == 'ok'
    assert cell.messages()[0].parent['username'] == client.username
    assert cell.messages()[0].parent['extra'] == header['extra']


def test_header_without_optional_fields(client):
    cell = client.request('execute_request', {'code': 'a'}, header={'date': None, 'version': None, 'username': None})
    assert cell.wait().status == 'ok'


def test_buffers_pass_untouched(client):
    buffers = [b'', b'\0\xff' * 1000, b'<IDS|MSG>', bytes(range(256)), b'{}']
    cell = client.submit('buffers', buffers=buffers).wait()
    display = [m for m in cell.window() if m.type == 'display_data'][0]
    assert display.buffers == buffers


def test_no_buffers_means_four_parts(client):
    cell = client.execute('out a\nbuffers\nb')
    assert all(m.buffers == [] for m in client.arrived) and cell.status == 'ok'


def test_large_buffer(client):
    buffers = [bytes(20_000_000)]
    cell = client.submit('buffers', buffers=buffers).wait()
    assert cell.window()[-1].buffers == buffers


def test_is_complete(client):
    for code, status in (('1 + 1', 'complete'), ('', 'complete'), ('1 + \\', 'incomplete')):
        assert client.ask('is_complete_request', {'code': code})['status'] == status


def test_empty_answers(client):
    complete = client.ask('complete_request', {'code': 'mea', 'cursor_pos': 3})
    assert complete == {'status': 'ok', 'matches': [], 'cursor_start': 3, 'cursor_end': 3, 'metadata': {}}
    inspect = client.ask('inspect_request', {'code': 'mean', 'cursor_pos': 4, 'detail_level': 0})
    assert inspect == {'status': 'ok', 'found': False, 'data': {}, 'metadata': {}}
    history = client.ask('history_request', {'output': False, 'raw': True, 'hist_access_type': 'tail', 'n': 10})
    assert history == {'status': 'ok', 'history': []}


def test_cursor_beyond_the_code(client):
    """Positions count code points, also those above U+FFFF."""
    for position in (2, 99, -5, None, 'x'):
        reply = client.ask('complete_request', {'code': '𐍈é', 'cursor_pos': position})
        assert reply['status'] == 'ok' and 0 <= reply['cursor_start'] <= reply['cursor_end'] <= 2


def test_session_environment(kernel, client):
    cell = client.execute('env CARRACK_LINK_FD\nenv LANG\nenv HOME')
    assert cell.stdout == f'(unset)\nC.UTF-8\n{kernel.home}\n'


def test_session_descriptors(kernel, client):
    """The session has the link, its two pipes and the file for reports, and nothing else of the kernel's."""
    client.execute('out a')
    pid = kernel.session_pid()
    fds = {int(fd): os.readlink(f'/proc/{pid}/fd/{fd}') for fd in os.listdir(f'/proc/{pid}/fd')}
    assert fds[0] == '/dev/null'
    assert fds[1].startswith('pipe:') and fds[2].startswith('pipe:') and fds[1] != fds[2]
    others = sorted(v.split(':')[0] for k, v in fds.items() if k > 2)
    assert len(others) == 2 and others[0].startswith('/memfd') and others[1] == 'socket'
    assert os.getpgid(pid) == pid
    with open(f'/proc/{pid}/status') as f:
        masks = dict(line.split(':\t', 1) for line in f.read().splitlines() if line.startswith(('SigBlk', 'SigIgn')))
    assert int(masks['SigBlk'], 16) == 0, 'signals are blocked in the session'
    own = 1 << signal.SIGCHLD - 1 | 1 << signal.SIGRTMIN + 7 - 1  # echo-session ignores these two itself
    assert int(masks['SigIgn'], 16) & ~own == 0, 'signals are ignored in the session'


def test_log_of_the_session(kernel, client):
    client.execute('log warn something odd')
    client.kernel_info()
    assert 'something odd' in kernel.log()


def test_secrets_stay_out_of_the_log(kernel, client):
    client.execute('out topsecret1\nresult topsecret2\nerror E topsecret3')
    client.execute('input topsecret4', inputs=['topsecret5'])
    client.request('no_such_topsecret_request', {'topsecret6': 'topsecret7'}).wait(reply=False)
    client.send_raw('shell', client.frames(client.header('execute_request'), b'{"code": "topsecret8'))
    client.kernel_info()
    log = kernel.log()
    assert not [n for n in (1, 2, 3, 4, 5, 6, 7, 8) if f'topsecret{n}' in log], log
