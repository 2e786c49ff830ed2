"""Comms (messaging spec, "Custom Messages"; comm_info)."""
import pytest


def open_comm(client, id, target='plot'):
    cell = client.execute(f'comm {{"comm_id": "{id}", "target_name": "{target}", "data": {{"x": 1}}}}')
    assert cell.of_type('comm_open') == [{'comm_id': id, 'target_name': target, 'data': {'x': 1}}]


def comms(client, channel='shell', **content):
    reply = client.ask('comm_info_request', content, channel)
    assert reply['status'] == 'ok'
    return reply['comms']


@pytest.mark.parametrize('channel', ['shell', 'control'])
def test_comm_info(client, channel):
    assert comms(client, channel) == {}
    open_comm(client, 'one')
    open_comm(client, 'two', 'table')
    assert comms(client, channel) == {'one': {'target_name': 'plot'}, 'two': {'target_name': 'table'}}
    assert comms(client, channel, target_name='table') == {'two': {'target_name': 'table'}}
    assert comms(client, channel, target_name='none') == {}
    assert comms(client, channel, target_name=None) == comms(client, channel, target_name='') == comms(client, channel)
    client.execute('publish comm_close {"comm_id": "one", "data": {}}')
    assert set(comms(client, channel)) == {'two'}


def test_comm_info_while_a_cell_runs(client):
    open_comm(client, 'one')
    cell = client.submit('sleep 300').wait_started()
    assert set(comms(client)) == {'one'} and not cell.done
    cell.wait()


def test_opening_an_unknown_target_is_refused(client):
    request = client.request('comm_open', {'comm_id': 'c1', 'target_name': 'nobody', 'data': {}})
    client.wait_idle(request)
    assert [(m.type, m.content) for m in request.window()] == [('comm_close', {'comm_id': 'c1', 'data': {}})]
    assert comms(client) == {}


def test_a_client_opens_and_writes_at_once(client):
    """The comm is known from its comm_open on, although the session has not heard of it."""
    cell = client.submit('sleep 200')
    opened = client.request('comm_open', {'comm_id': 'c1', 'target_name': 'echo', 'data': {}})
    written = client.request('comm_msg', {'comm_id': 'c1', 'data': {'a': 1}}, metadata={'m': [1]}, buffers=[b'\0\xff', b''])
    assert comms(client) == {'c1': {'target_name': 'echo'}} and not cell.done
    client.wait_idle(cell, opened, written)
    assert opened.window() == []
    [answer] = written.window()
    assert (answer.content, answer.metadata, answer.buffers) == ({'comm_id': 'c1', 'data': {'a': 1}}, {'m': [1]}, [b'\0\xff', b''])


def test_messages_behind_a_refused_open_go_nowhere(client):
    cell = client.submit('sleep 100')
    opened = client.request('comm_open', {'comm_id': 'c1', 'target_name': 'nobody', 'data': {}})
    later = [client.request(type, {'comm_id': 'c1', 'data': {}}) for type in ('comm_msg', 'comm_close')]
    client.wait_idle(cell, opened, *later)
    assert [m.type for m in opened.window()] == ['comm_close']
    assert [request.window() for request in later] == [[], []]


def test_opening_twice(client):
    client.wait_idle(client.request('comm_open', {'comm_id': 'c1', 'target_name': 'echo', 'data': {}}))
    again = client.request('comm_open', {'comm_id': 'c1', 'target_name': 'other', 'data': {}})
    client.wait_idle(again)
    assert again.window() == [] and comms(client) == {'c1': {'target_name': 'echo'}}


def test_opening_without_a_session(start):
    kernel = start(env={'ECHO_START_FAIL': '3'}).expect_log('')
    client = kernel.client()
    client.execute('out a')
    request = client.request('comm_open', {'comm_id': 'c1', 'target_name': 'echo', 'data': {}})
    client.wait_idle(request)
    assert [m.type for m in request.window()] == ['comm_close']
    assert comms(client) == {}


def test_silent_requests_do_not_silence_comms(client):
    cell = client.execute('comm {"comm_id": "c1", "target_name": "t", "data": {}}\nout a', silent=True)
    assert [m.type for m in cell.window()] == ['comm_open']
    assert set(comms(client)) == {'c1'}


@pytest.mark.parametrize('type', ['comm_msg', 'comm_close'])
def test_messages_of_unknown_comms_are_ignored(client, type):
    request = client.request(type, {'comm_id': 'unknown', 'data': {}})
    client.wait_idle(request)
    assert [m.state for m in request.messages()] == ['busy', 'idle']


def test_a_message_to_an_open_comm(client):
    open_comm(client, 'one')
    request = client.request('comm_msg', {'comm_id': 'one', 'data': {'é': [1, None]}}, buffers=[b'\0\xff', b''])
    client.wait_idle(request)
    [answer] = request.window()  # the session sends it back
    assert (answer.type, answer.content) == ('comm_msg', {'comm_id': 'one', 'data': {'é': [1, None]}})
    assert answer.buffers == [b'\0\xff', b'']


def test_the_client_closes(client):
    open_comm(client, 'one')
    client.wait_idle(client.request('comm_close', {'comm_id': 'one', 'data': {}}))
    assert comms(client) == {}


def test_comm_messages_wait_for_their_turn(client):
    open_comm(client, 'one')
    cell = client.submit('sleep 200\nout a')
    request = client.request('comm_msg', {'comm_id': 'one', 'data': {}})
    client.wait_idle(cell, request)
    order = [m.parent_id for m in client.received['iopub'] if m.state == 'idle']
    assert order.index(cell.id) < order.index(request.id)


@pytest.mark.parametrize('type', ['comm_open', 'comm_msg', 'comm_close'])
def test_bad_comm_messages(client, type):
    for content in ({}, {'comm_id': 3}, {'comm_id': None, 'target_name': [], 'data': 7}, {'comm_id': ''}):
        client.wait_idle(client.request(type, content))
        assert comms(client) == {}, content


def test_comms_end_with_their_session(kernel, client):
    """The clients are told, and nothing is left in the registry."""
    kernel.expect_log('signal 9')
    open_comm(client, 'one')
    cell = client.execute('kill9')
    assert {'comm_id': 'one', 'data': {}} in cell.of_type('comm_close')
    assert comms(client) == {}
