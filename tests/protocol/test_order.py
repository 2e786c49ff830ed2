"""The laws of order (ARCHITECTURE.md), one by one: each of these fails when its law is broken.

The laws are checked on every message of every other test too (carrack_client/laws.py)."""
import os
import signal
import time

DISPLAY = 'display {"data": {"text/plain": "%s"}, "metadata": {}}'


def test_law_1_all_subscribers_hear_one_order(kernel):
    """Text, displays, statuses and the windows of other requests pass through one place: everybody hears the same."""
    clients = [kernel.client() for _ in range(3)]
    requests = []
    for i in range(30):
        requests.append(clients[i % 3].submit(f'out {i}\n{DISPLAY % i}\nerr {i}\nflood 200\nresult {i}'))
        requests.append(clients[(i + 1) % 3].request('kernel_info_request', channel='control'))
    for client in clients:
        client.wait_idle()
    orders = [[m.id for m in c.received['iopub'] if m.parent] for c in clients]
    assert orders[0] == orders[1] == orders[2]
    assert len(orders[0]) > 30 * 8


def test_law_2_frames_of_the_session_act_in_order(client):
    lines, types = [], []
    for i in range(200):
        for type, line in (('display_data', DISPLAY % i), ('comm_open', f'comm {{"comm_id": "c{i}", "target_name": "t", "data": {{}}}}'),
                           ('comm_msg', f'publish comm_msg {{"comm_id": "c{i}", "data": {{"i": {i}}}}}'),
                           ('comm_close', f'publish comm_close {{"comm_id": "c{i}", "data": {{}}}}')):
            lines.append(line)
            types.append((type, i))
    cell = client.execute('\n'.join(lines))
    heard = []
    for type, content in cell.outputs:
        number = content['data']['text/plain'] if type == 'display_data' else content['comm_id'][1:]
        heard.append((type, int(number)))
    assert heard == types


def test_law_3_text_of_children_is_text(client):
    """Whoever writes to descriptors 1 and 2 writes to the cell."""
    cell = client.execute('out own\nsleep 50\nchild 0 child\nsleep 300\nout own again')
    assert cell.stdout == 'own\nchild\nown again\n'


def test_law_4_text_before_a_display_is_heard_before_it(client):
    code = '\n'.join(f'out before {i}\n{DISPLAY % i}\nout after {i}' for i in range(300))
    story = client.execute(code).story()
    assert story[0] == 'out:before 0\n' and story[-1] == 'out:after 299\n'
    assert story[1::2] == ['display_data'] * 300
    assert story[2:-1:2] == [f'out:after {i}\nbefore {i + 1}\n' for i in range(299)]


def test_law_4_much_text_before_a_display(client):
    """More than a pipe holds, and more than one message of text."""
    cell = client.execute('\n'.join(f'big 300000\n{DISPLAY % i}' for i in range(10)))
    assert [t for t, _ in cell.outputs] == ['stream', 'display_data'] * 10
    assert all(len(c['text']) == 300_000 for t, c in cell.outputs if t == 'stream')


def test_law_4_text_of_finished_children_is_heard_before_a_display(client):
    cell = client.execute('\n'.join(f'child 0 {i}\nsleep 60\n{DISPLAY % i}' for i in range(10)))
    assert cell.story() == [s for i in range(10) for s in (f'out:{i}\n', 'display_data')]


def test_law_4_a_turn_between_the_streams_is_kept(client):
    cell = client.execute('\n'.join(f'out {i}\nerr {i}' for i in range(300)))
    assert cell.story() == [f'{name}:{i}\n' for i in range(300) for name in ('out', 'err')]


def test_law_4_text_before_a_question_is_heard_before_it(client):
    cell = client.submit('out before\ninput ? \nout after')
    question = client.wait_input(cell)
    cell.wait_output('before')
    assert [m.date for m in cell.messages() if m.type == 'stream'][0] <= question.date
    client.answer(question, 'x')
    assert cell.wait().stdout == 'before\nx\nafter\n'


def test_law_5_all_text_is_inside_the_window(client):
    """The pipes are empty when idle goes out, however fast the next cell follows and whatever the text's size."""
    cells = [client.submit(f'raw {b"x".hex() * (i * 37 % 5000)}\nout {i}\nerr {i}') for i in range(300)]
    for i, cell in enumerate(cells):
        cell.wait()
        assert cell.stdout == 'x' * (i * 37 % 5000) + f'{i}\n' and cell.stderr == f'{i}\n'
    client.settle()
    assert not [m for c in cells for m in c.late]


def test_law_5_a_flood_ends_before_idle(client):
    cell = client.execute('flood 50000')
    assert cell.stdout.endswith('\n49999\n')
    client.settle()
    assert cell.late == []


def test_law_5_the_reply_comes_before_idle(client):
    """laws.windows compares the times at which they were made; here for all kinds of request at once."""
    requests = [client.submit('out a'), client.submit('error E x', stop_on_error=False), client.submit('b', silent=True),
                client.request('is_complete_request', {'code': 'x'}), client.request('kernel_info_request'),
                client.request('complete_request', {'code': 'x', 'cursor_pos': 1}),
                client.request('comm_info_request', {}), client.request('interrupt_request', channel='control')]
    for request in requests:
        request.wait()
        idle = [m for m in request.messages() if m.state == 'idle'][0]
        busy = [m for m in request.messages() if m.state == 'busy'][0]
        assert busy.date <= request.replies[0].date <= idle.date


def test_law_5_cells_do_not_overlap(kernel):
    a, b = kernel.client(), kernel.client()
    cells = [c.submit(f'out {i}\nsleep 1') for i in range(20) for c in (a, b)]
    for cell in cells:
        cell.wait()
    a.wait_idle()
    order = [(m.parent_id, m.state) for m in a.received['iopub'] if m.state in ('busy', 'idle')]
    assert all(one[0] == two[0] for one, two in zip(order[::2], order[1::2]))


def test_law_6_late_text_belongs_to_the_cell_that_started_last(client):
    first = client.execute('child 400 late')
    second = client.execute('out second')
    client.kernel_info()  # not a cell
    client.wait(lambda: second.late or first.late, 'late text')
    assert [m.content['text'] for m in second.late] == ['late\n'] and first.late == []


def test_law_6_text_during_a_cell_belongs_to_that_cell(client):
    first = client.execute('child 150 from before')
    second = client.execute('sleep 400')
    assert second.stdout == 'from before\n' and first.late == []


def test_law_6_other_requests_do_not_take_late_text(client):
    cell = client.execute('child 200 late')
    for _ in range(40):
        client.ask('is_complete_request', {'code': 'x'})
        client.ask('kernel_info_request', channel='control')
        client.settle(0.005)
    client.wait(lambda: cell.late, 'late text')
    assert cell.late[0].content['text'] == 'late\n'


def test_law_7_text_written_before_a_crash_is_heard(kernel, client):
    """It is still in the pipe when the process is gone: 60 kB are less than a pipe holds."""
    kernel.expect_log('signal 9', 'signal 6', 'status 3')
    for ending in ('kill9', 'crash', 'exitnow 3'):
        cell = client.execute(f'out first\nbig 60000\n{ending}', stop_on_error=False)
        assert len(cell.stdout) == len('first\n') + 60_000, ending
        assert cell.story()[-1] == 'error'


def test_law_7_text_written_before_the_end_is_heard(kernel, client):
    cell = client.submit('big 60000\nout last').wait_started()
    client.shutdown()
    client.wait_idle(cell)
    kernel.wait_exit()
    # The cell ran to its end or was interrupted: what it wrote is a whole beginning.
    whole = ''.join(chr(97 + i % 26) * 79 + '\n' for i in range(750)) + 'last\n'
    assert whole.startswith(cell.stdout) and (cell.stdout == whole or cell.status == 'error')


def test_law_7_text_that_lies_in_the_pipe_at_shutdown_is_heard(kernel, client):
    """The kernel is held until request and text are both there."""
    cell = client.submit('out a\nchild 300 b\nsleep 60000').wait_output('a')
    kernel.signal(signal.SIGSTOP)
    shutdown = client.shutdown(wait=False)
    time.sleep(0.6)
    kernel.signal(signal.SIGCONT)
    shutdown.wait_reply()
    kernel.wait_exit()
    assert cell.stdout == 'a\nb\n' and cell.status == 'error'


def test_law_7_a_late_child_is_heard_at_shutdown(kernel, client):
    cell = client.execute('child 0 written before the end')
    time.sleep(0.2)
    client.shutdown()
    kernel.wait_exit()
    assert 'written before the end\n' in cell.stdout + ''.join(m.content['text'] for m in cell.late)


def test_law_7_a_child_outlives_its_session_and_is_heard(kernel, client):
    kernel.expect_log('signal 9')
    client.execute('child 600 I am still here\nkill9', stop_on_error=False)
    cell = client.execute('out fresh')
    client.wait(lambda: cell.late, 'text of the child')
    assert cell.late[0].content['text'] == 'I am still here\n'
    assert os.path.exists(f'/proc/{kernel.pid}')
