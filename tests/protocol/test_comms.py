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


@pytest.mark.parametrize('content', [{}, {'comm_id': 3}, {'comm_id': None, 'target_name': [], 'data': 7}, {'comm_id': ''}])
@pytest.mark.parametrize('type', ['comm_open', 'comm_msg', 'comm_close'])
def test_bad_comm_messages(client, type, content):
    request = client.request(type, content)
    client.wait_idle(request)
    assert comms(client) == {}


def test_comms_end_with_their_session(kernel, client):
    """The clients are told, and nothing is left in the registry."""
    kernel.expect_log('signal 9')
    open_comm(client, 'one')
    cell = client.execute('kill9')
    assert {'comm_id': 'one', 'data': {}} in cell.of_type('comm_close')
    assert comms(client) == {}
