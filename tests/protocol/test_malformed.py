"""What no client should send. It is dropped, or answered with an error; statuses stay balanced and the kernel lives."""
import pytest

from carrack_client import DELIMITER, pack, sign


@pytest.fixture
def alive(client):
    """Checks at the end that nothing came of it and the kernel works as before."""
    before = client.execute('out before')
    yield client
    client.settle(0.05)
    after = client.execute('out after')
    assert after.stdout == 'after\n' and after.count == before.count + 1
    ids = [m.parent_id for m in client.received['iopub'] if m.parent]
    between = [i for i in ids[ids.index(before.id):] if i not in (before.id, after.id)]
    known = {r.id for r in client.kernel.sent}
    assert set(between) <= known


def code_message(client, **options):
    return client.frames(client.header('execute_request'), {'code': 'out evil'}, **options)


CHANNELS = pytest.mark.parametrize('channel', ['shell', 'control', 'stdin'])


@CHANNELS
@pytest.mark.parametrize('key', [b'wrong', b''])
def test_wrong_signature(alive, channel, key):
    alive.send_raw(channel, code_message(alive, key=key))


@CHANNELS
@pytest.mark.parametrize('change', [lambda s: s[:-1], lambda s: s + b'0', lambda s: s.upper().replace(b'A', b'a') + b' ',
                                    lambda s: b'\0' * 64, lambda s: b'x' * 100_000,
                                    lambda s: bytes([s[0] ^ 1]) + s[1:], lambda s: s[:-1] + bytes([s[-1] ^ 1])])
def test_damaged_signature(alive, channel, change):
    frames = code_message(alive)
    frames[1] = change(frames[1])
    alive.send_raw(channel, frames)


@CHANNELS
@pytest.mark.parametrize('part', range(4))
def test_a_part_that_was_changed_after_signing(alive, channel, part):
    frames = code_message(alive)
    frames[2 + part] = frames[2 + part][:-1] + b' }'
    alive.send_raw(channel, frames)


@CHANNELS
@pytest.mark.parametrize('frames', [
    [b''], [b'', b'', b''], [DELIMITER], [DELIMITER, b''], [DELIMITER] + [b''] * 4, [DELIMITER] + [b'{}'] * 3,
    [DELIMITER] + [b'{}'] * 5, [DELIMITER] * 7, [b'x'] * 7, [b'<ids|msg>'] + [b'{}'] * 5,
    [b'x' * 1_000_000], [b'{}'] * 5000, [b'\xff'] * 10 + [DELIMITER] + [b''] * 10,
], ids=str)
def test_too_few_or_strange_frames(alive, channel, frames):
    alive.send_raw(channel, frames)


def test_no_frame_but_the_delimiter_and_signature(alive):
    alive.send_raw('shell', code_message(alive)[:2])
    alive.send_raw('shell', code_message(alive)[:5])


BROKEN = [b'', b'{', b'[]', b'null', b'3', b'"x"', b'{"a":}', b'{}{}', b'\xff', b'{"a":"\xff"}', b'{"a":1e999}',
          b'{"a":"\\ud800"}', b'[' * 100_000, b'{"a":' * 100_000, b'\xef\xbb\xbf{}', b'{"a":NaN}', b'\0']


@CHANNELS
@pytest.mark.parametrize('part', range(4))
@pytest.mark.parametrize('raw', BROKEN, ids=[repr(b[:12]) for b in BROKEN])
def test_broken_json_in_a_signed_part(alive, channel, part, raw):
    parts = [alive.header('execute_request'), {}, {}, {'code': 'out evil'}]
    parts = [pack(p) for p in parts]
    parts[part] = raw
    alive.send_raw(channel, [DELIMITER, sign(alive.kernel.key, parts), *parts])


HEADERS = [{'msg_id': None}, {'msg_type': None}, {'msg_id': 3}, {'msg_type': 3}, {'msg_id': []}, {'msg_type': {}},
           {'msg_type': ''}, {'msg_id': 'x' * 100_000}, {'msg_type': 'x' * 100_000}]


@CHANNELS
@pytest.mark.parametrize('fields', HEADERS, ids=[str(h)[:24] for h in HEADERS])
def test_headers_without_their_fields(alive, channel, fields):
    alive.send_raw(channel, alive.frames(alive.header('execute_request', **fields), {'code': 'out evil'}))


def test_deep_json_within_reason(client):
    """What the parser takes must also be taken by everything behind it: here 500 levels in each part."""
    deep = []
    for _ in range(500):
        deep = [deep]
    cell = client.request('execute_request', {'code': 'out a', 'x': deep}, metadata={'x': deep}, header={'x': deep})
    assert cell.wait().stdout == 'a\n'


@pytest.mark.parametrize('fields', [
    {'silent': 'yes'}, {'silent': None}, {'store_history': 3}, {'user_expressions': []}, {'user_expressions': 'x'},
    {'user_expressions': {'a': 3}}, {'allow_stdin': {}}, {'stop_on_error': 'no'}, {'stop_on_error': []}], ids=str)
def test_fields_of_the_wrong_type_take_their_defaults(client, fields):
    cell = client.request('execute_request', {'code': 'out a', **fields})
    assert cell.wait().status == 'ok' and cell.stdout == 'a\n' and cell.count == 1


@pytest.mark.parametrize('code', [None, 3, [], {}, True])
def test_code_that_is_no_string(client, code):
    cell = client.request('execute_request', {'code': code})
    assert cell.wait().status == 'error' and cell.reply['evalue']
    assert client.execute('a').count == 1  # it did not run, it does not count


@pytest.mark.parametrize('type, content', [
    ('complete_request', {}), ('complete_request', {'code': 3, 'cursor_pos': 'x'}),
    ('complete_request', {'code': 'a', 'cursor_pos': -2 ** 63}), ('complete_request', {'code': 'a', 'cursor_pos': 1e300}),
    ('inspect_request', {}), ('inspect_request', {'code': [], 'cursor_pos': {}, 'detail_level': 'x'}),
    ('is_complete_request', {}), ('is_complete_request', {'code': 7}),
    ('comm_info_request', {'target_name': 7}), ('kernel_info_request', {'unexpected': [1]}),
    ('history_request', {}), ('history_request', {'hist_access_type': 'nonsense'}),
    ('history_request', {'hist_access_type': 'tail', 'n': -1}),
    ('history_request', {'hist_access_type': 'tail', 'n': 2 ** 62}),
    ('history_request', {'hist_access_type': 'range', 'session': 'x', 'start': [], 'stop': {}}),
    ('history_request', {'hist_access_type': 'search', 'pattern': 3}),
    ('history_request', {'hist_access_type': 'search', 'pattern': '*' * 100_000}),
    ('interrupt_request', {'x': 1}),
], ids=str)
def test_requests_with_strange_contents_are_answered(client, type, content):
    request = client.request(type, content, channel='control' if type == 'interrupt_request' else 'shell')
    assert request.wait().reply['status']


@CHANNELS
@pytest.mark.parametrize('type', ['no_such_request', 'execute_reply', 'status', 'x', 'é', 'debug_request', 'usage_request',
                                  'create_subshell_request'])
def test_unknown_types(alive, channel, type):
    request = alive.request(type, {'x': 1}, channel)
    if channel == 'stdin':
        request.dropped = True
    else:
        alive.wait_idle(request)
        assert [m.state for m in request.messages()] == ['busy', 'idle']


@pytest.mark.parametrize('type', ['execute_request', 'is_complete_request', 'comm_msg'])
def test_shell_requests_on_control(alive, type):
    """They do not belong there; they are not run."""
    request = alive.request(type, {'code': 'out evil'}, 'control')
    alive.settle()
    states = [m.state for m in request.messages() if m.state]
    assert states in ([], ['busy', 'idle']) and request.stdout == ''
    request.dropped = states == []
    if not request.replies:
        alive.kernel.sent.remove(request) if request.dropped else None
        request.type = 'misplaced'  # no reply is owed


def test_a_replay(alive):
    """The same bytes again are not run again: somebody may have recorded them."""
    cell = alive.submit('out once')
    frames = alive.frames(cell.header, cell.content)
    cell.wait()
    for channel in ('shell', 'control', 'shell'):
        alive.send_raw(channel, frames)
    alive.settle()
    assert cell.stdout == 'once\n' and len(cell.replies) == 1
    alive.kernel.client  # the count in `alive` shows that nothing ran
    alive.count += 1
    assert alive.execute('out twice').count == cell.count + 1
    alive.execute('', silent=True)


def test_an_old_replay(client):
    """Also when many messages came between."""
    cell = client.execute('out once')
    frames = client.frames(cell.header, cell.content)
    last = [client.request('kernel_info_request') for _ in range(3000)][-1]
    client.wait_idle(last)
    client.send_raw('shell', frames)
    client.settle()
    assert len(cell.replies) == 1


def test_the_same_id_in_another_message(client):
    """An id is the client's business: another message under the same id is run."""
    first = client.execute('out a')
    header = client.header('execute_request', msg_id=first.id)
    client.send_raw('shell', client.frames(header, {'code': 'out b'}))
    client.wait(lambda: len(client.received['shell']) == 2, 'the second reply')
    client.wait(lambda: [m.state for m in client.iopub_of(first)].count('idle') == 2, 'idle')
    # For the laws they are two requests that cannot be told apart: look here, and not there.
    assert [m.content['text'] for m in client.iopub_of(first) if m.type == 'stream'] == ['a\n', 'b\n']
    client.kernel.sent.clear()
    for c in (client.arrived, *client.received.values()):
        c.clear()
    client.by_parent.clear()


def test_many_bad_messages_do_not_fill_memory(kernel, client):
    client.execute('a')
    before = kernel.pss()
    for i in range(20):
        client.send_raw('shell', [b'x' * 5_000_000])
        client.send_raw('shell', code_message(client, key=b'wrong'))
        client.kernel_info()
    assert kernel.pss() < before + 40_000_000
    assert client.execute('b').count == 2


def test_many_parts(client):
    """More parts than the kernel takes; the message is dropped whole and the next is read from its beginning."""
    client.send_raw('shell', client.frames(client.header('execute_request'), {'code': 'out evil'}, buffers=[b'x'] * 20_000))
    assert client.execute('a', store_history=True).count == 1


def test_more_buffers_than_the_link_takes(client):
    """A frame of the link has at most 1,024 parts: the cell gets an error rather than silence."""
    cell = client.submit('buffers', buffers=[b'x'] * 2000)
    assert cell.wait().status in ('error', 'ok')
    assert client.execute('b', stop_on_error=False).result == 'b'


def test_tcp_without_zeromq(kernel, client):
    """Somebody who speaks HTTP to the ports."""
    import socket
    for port in kernel.ports.values():
        with socket.create_connection(('127.0.0.1', port)) as s:
            s.sendall(b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n' + bytes(range(256)) * 100)
    assert client.execute('a').result == 'a'


def test_any_number_of_identities(client):
    """The routing prefix may have more parts than one (a proxy between client and kernel): it comes back whole."""
    cell = client.submit('out a')
    cell.wait()
    header = client.header('kernel_info_request')
    client.send_raw('shell', [b'proxy', b'\0hop'] + client.frames(header, {}))
    socket = client.sockets['shell']
    assert socket.poll(30_000)
    frames = socket.recv_multipart()
    assert frames[:3] == [b'proxy', b'\0hop', DELIMITER]
    from carrack_client import Message
    assert Message('shell', frames, client.kernel.key).parent == header
    client.settle()
    gone = client.by_parent.pop(('iopub', header['msg_id']))
    assert [m.state for m in gone] == ['busy', 'idle']
    client.received['iopub'] = [m for m in client.received['iopub'] if m not in gone]
    client.arrived = [m for m in client.arrived if m not in gone]
