"""What no client should send. It is dropped, or answered with an error; statuses stay balanced and the kernel lives.

Bad messages are sent to one kernel one after the other; after each, a request that works shows that nothing came of it."""
import signal
import socket as sockets

import pytest

from carrack_client import DELIMITER, TIMEOUT, Message, pack, sign

CHANNELS = pytest.mark.parametrize('channel', ['shell', 'control', 'stdin'])


@pytest.fixture
def alive(client):
    """send(channel, frames, what) sends and checks; at the end it is seen that nothing was run."""
    before = client.execute('out before')

    def send(channel, frames, what=None):
        heard = len(client.arrived)
        client.send_raw(channel, frames)
        # A request on the same channel is a barrier for what came before it.
        barrier = client.request('kernel_info_request', channel='control' if channel == 'control' else 'shell').wait()
        strangers = [m for m in client.arrived[heard:] if m.parent_id != barrier.id]
        assert not strangers, f'{what or frames}: {strangers}'
    yield send
    client.settle(0.05)
    after = client.execute('out after')
    assert after.stdout == 'after\n' and after.count == before.count + 1


def code_message(client, **options):
    return client.frames(client.header('execute_request'), {'code': 'out evil'}, **options)


@CHANNELS
def test_wrong_signatures(client, alive, channel):
    for key in (b'wrong', b'', client.kernel.key + b'x', client.kernel.key[:-1]):
        alive(channel, code_message(client, key=key), key)
    for change in (lambda s: s[:-1], lambda s: s + b'0', lambda s: s + b'\0', lambda s: s + b' ', lambda s: b'',
                   lambda s: b'\0' * 64, lambda s: b'x' * 100_000, lambda s: bytes.fromhex(s.decode()),
                   lambda s: bytes([s[0] ^ 1]) + s[1:], lambda s: s[:-1] + bytes([s[-1] ^ 1])):
        frames = code_message(client)
        frames[1] = change(frames[1])
        alive(channel, frames)


@CHANNELS
def test_parts_that_were_changed_after_signing(client, alive, channel):
    for part in range(4):
        frames = code_message(client)
        frames[2 + part] = frames[2 + part][:-1] + b' }'
        alive(channel, frames)
    for i, j in ((2, 3), (3, 5), (2, 5)):
        frames = code_message(client)
        frames[i], frames[j] = frames[j], frames[i]
        alive(channel, frames)


@CHANNELS
def test_too_few_or_strange_frames(client, alive, channel):
    for frames in (
            [b''], [b'', b'', b''], [DELIMITER], [DELIMITER, b''], [DELIMITER] + [b''] * 4, [DELIMITER] + [b'{}'] * 3,
            [DELIMITER] + [b'{}'] * 5, [DELIMITER] * 7, [b'x'] * 7, [b'<ids|msg>'] + [b'{}'] * 5, [b'x' * 1_000_000],
            [b'{}'] * 5000, [b'\xff'] * 10 + [DELIMITER] + [b''] * 10):
        alive(channel, frames, [f[:10] for f in frames[:5]])
    for n in range(2, 6):
        alive(channel, code_message(client)[:n], n)


BROKEN = [b'', b'{', b'[]', b'null', b'3', b'"x"', b'{"a":}', b'{}{}', b'\xff', b'{"a":"\xff"}', b'{"a":"\\ud800"}',
          b'[' * 100_000, b'{"a":' * 100_000, b'\xef\xbb\xbf{}', b'{"a":NaN}', b'\0', b'{"a":01}', b"{'a':1}"]


@CHANNELS
def test_broken_json_in_a_signed_part(client, alive, channel):
    for raw in BROKEN:
        for part in range(4):
            parts = [pack(p) for p in (client.header('execute_request'), {}, {}, {'code': 'out evil'})]
            parts[part] = raw
            alive(channel, [DELIMITER, sign(client.kernel.key, parts), *parts], (part, raw[:20]))


@CHANNELS
def test_headers_without_their_fields(client, alive, channel):
    for fields in ({'msg_id': None}, {'msg_type': None}, {'msg_id': 3}, {'msg_type': 3}, {'msg_id': []}, {'msg_type': {}},
                   {'msg_type': ''}, {'msg_id': 'x' * 100_000}, {'msg_type': 'x' * 100_000}):
        header = client.header('execute_request', **fields)
        alive(channel, client.frames(header, {'code': 'out evil'}), fields)


def test_deep_json_within_reason(client):
    """What the parser takes must also be taken by everything behind it: here 500 levels in each part."""
    deep = []
    for _ in range(500):
        deep = [deep]
    cell = client.request('execute_request', {'code': 'out a', 'x': deep}, metadata={'x': deep}, header={'x': deep})
    assert cell.wait().stdout == 'a\n'


def test_fields_of_the_wrong_type_take_their_defaults(client):
    for fields in ({'silent': 'yes'}, {'silent': None}, {'store_history': 3}, {'user_expressions': []},
                   {'user_expressions': 'x'}, {'user_expressions': {'a': 3}}, {'allow_stdin': {}},
                   {'stop_on_error': 'no'}, {'stop_on_error': []}):
        cell = client.request('execute_request', {'code': 'out a', **fields}).wait()
        assert cell.status == 'ok' and cell.stdout == 'a\n', fields
    assert cell.count == 9


def test_code_that_is_no_string(client):
    for code in (None, 3, [], {}, True):
        cell = client.request('execute_request', {'code': code}).wait()
        assert cell.status == 'error' and cell.reply['evalue'], code
    assert client.execute('a').count == 1  # they did not run, they do not count


def test_many_bad_cells_at_once(kernel):
    """They are all there when the kernel begins to read: however it goes through them, it needs no stack for each."""
    client = kernel.client(subscribe=None)
    kernel.signal(signal.SIGSTOP)
    cells = [client.request('execute_request', {'code': 3}) for _ in range(6000)]
    kernel.signal(signal.SIGCONT)
    assert {cell.wait_reply().status for cell in cells} <= {'error', 'aborted'}
    assert client.submit('a').wait_reply().count == 1


@pytest.mark.parametrize('channel', ['shell', 'control'])
def test_requests_with_strange_contents_are_answered(client, channel):
    for type, content in (
            ('complete_request', {}), ('complete_request', {'code': 3, 'cursor_pos': 'x'}),
            ('complete_request', {'code': 'a', 'cursor_pos': -2 ** 63}),
            ('complete_request', {'code': 'a', 'cursor_pos': 1e300}),
            ('inspect_request', {}), ('inspect_request', {'code': [], 'cursor_pos': {}, 'detail_level': 'x'}),
            ('is_complete_request', {}), ('is_complete_request', {'code': 7}),
            ('comm_info_request', {'target_name': 7}), ('kernel_info_request', {'unexpected': [1]}),
            ('history_request', {}), ('history_request', {'hist_access_type': 'nonsense'}),
            ('history_request', {'hist_access_type': 'tail', 'n': -1}),
            ('history_request', {'hist_access_type': 'tail', 'n': 2 ** 62}),
            ('history_request', {'hist_access_type': 'tail', 'n': 10 ** 30}),
            ('history_request', {'hist_access_type': 'range', 'session': 'x', 'start': [], 'stop': {}}),
            ('history_request', {'hist_access_type': 'range', 'session': -2 ** 63, 'start': -2 ** 63, 'stop': 2 ** 63}),
            ('history_request', {'hist_access_type': 'search', 'pattern': 3}),
            ('history_request', {'hist_access_type': 'search', 'pattern': '*' * 100_000}),
            ('history_request', {'hist_access_type': 'search', 'pattern': '*a' * 400, 'unique': 'x', 'n': {}}),
            ('interrupt_request', {'x': 1})):
        if channel == 'shell' or type in ('kernel_info_request', 'comm_info_request', 'interrupt_request'):
            assert client.request(type, content, channel).wait().reply['status'], (type, content)


@CHANNELS
def test_unknown_types(client, alive, channel):
    """Statuses as for any request, and no reply; on stdin not even those."""
    for type in ('no_such_request', 'execute_reply', 'status', 'x', 'é', 'debug_request', 'usage_request',
                 'debug_request', 'input_reply'):
        request = client.request(type, {'x': 1}, channel)
        if channel == 'stdin':
            request.dropped = True
        else:
            client.wait_idle(request)
            assert [m.state for m in request.messages()] == ['busy', 'idle'] and not request.replies, type


def test_cells_on_control(client, alive):
    """They do not belong there; they are not run."""
    request = client.request('execute_request', {'code': 'out evil'}, 'control')
    client.wait_idle(request)
    assert [m.state for m in request.messages()] == ['busy', 'idle']
    request.type = 'misplaced'  # no reply is owed


def test_a_replay(client, alive):
    """The same bytes again are not run again: somebody may have recorded them."""
    header = client.header('execute_request')
    frames = client.frames(header, {'code': 'out evil', 'silent': True})
    client.kernel.sent.append(request := type(client.request('kernel_info_request'))(client, 'shell', header, {'silent': True}))
    client.send_raw('shell', frames)
    request.wait()
    for channel in ('shell', 'control', 'stdin', 'shell'):
        alive(channel, frames, 'replay')
    assert len(request.replies) == 1 and len(request.messages()) == 2


def test_an_old_replay(client):
    """Also when many messages came between."""
    cell = client.execute('out once')
    frames = client.frames(cell.header, cell.content)
    last = [client.request('kernel_info_request') for _ in range(3000)][-1]
    client.wait_idle(last)
    client.send_raw('shell', frames)
    client.settle()
    assert len(cell.replies) == 1


def forget(client, id):
    """Takes the messages of a parent that the laws do not know out of what they look at."""
    for channel in client.received:
        client.received[channel] = [m for m in client.received[channel] if m.parent_id != id]
        client.by_parent.pop((channel, id), None)
    client.arrived = [m for m in client.arrived if m.parent_id != id]


def test_the_same_id_in_another_message(client):
    """An id is the client's business: another message under the same id is run."""
    first = client.execute('out a')
    header = client.header('execute_request', msg_id=first.id)
    client.send_raw('shell', client.frames(header, {'code': 'out b'}))
    client.wait(lambda: [m.state for m in first.messages()].count('idle') == 2 and len(first.replies) == 2, 'the second end')
    assert [m.content['text'] for m in first.messages() if m.type == 'stream'] == ['a\n', 'b\n']
    assert [m.content['execution_count'] for m in first.replies] == [1, 2]
    client.kernel.sent.remove(first)  # for the laws they cannot be told apart
    forget(client, first.id)


def test_many_bad_messages_do_not_fill_memory(kernel, client):
    client.execute('a')
    before = kernel.pss()
    for i in range(20):
        client.send_raw('shell', [b'x' * 5_000_000])
        client.send_raw('shell', code_message(client, key=b'wrong'))
        client.kernel_info()
    assert kernel.pss() < before + 40_000_000
    assert client.execute('b').count == 2


def test_many_parts(client, alive):
    """More parts than the kernel takes: the message is dropped whole, and the next is read from its beginning."""
    alive('shell', client.frames(client.header('execute_request'), {'code': 'out evil'}, buffers=[b'x'] * 20_000), 'parts')


def test_more_buffers_than_the_link_takes(kernel, client):
    """A frame of the link has at most 1,024 parts: the cell gets an error rather than silence."""
    kernel.expect_log('link frame')
    cell = client.submit('buffers', buffers=[b'x'] * 2000)
    assert cell.wait().status == 'error'
    assert client.execute('b').result == 'b'


def test_tcp_without_zeromq(kernel, client):
    """Somebody who speaks HTTP to the ports."""
    for port in kernel.ports.values():
        with sockets.create_connection(('127.0.0.1', port)) as s:
            s.sendall(b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n' + bytes(range(256)) * 100)
    assert client.execute('a').result == 'a'


def test_frames_of_an_absurd_size(kernel, client):
    """Nobody need know the key to announce a frame: ZeroMQ must not make room for whatever is announced."""
    greeting = b'\xff' + bytes(8) + b'\x7f' + b'\x03\0' + b'NULL'.ljust(20, b'\0') + bytes(32)
    ready = b'\x05READY' + b'\x0bSocket-Type' + (6).to_bytes(4, 'big') + b'DEALER'
    for name, port in kernel.ports.items():
        for size in (2 ** 30 + 1, 2 ** 33, 2 ** 62):
            with sockets.create_connection(('127.0.0.1', port), timeout=5) as s:
                s.sendall(greeting + b'\x04' + bytes([len(ready)]) + ready + b'\x02' + size.to_bytes(8, 'big') + bytes(1000))
                try:
                    while s.recv(4096):
                        pass
                except ConnectionError:
                    pass
                except TimeoutError:
                    raise AssertionError(f'{name} waits for a frame of {size} bytes')
    assert client.execute('a').result == 'a'


def test_any_number_of_identities(client):
    """The routing prefix may have more parts than one (a proxy between client and kernel): it comes back whole."""
    header = client.header('kernel_info_request')
    client.send_raw('shell', [b'proxy', b'\0hop'] + client.frames(header, {}))
    socket = client.sockets['shell']
    assert socket.poll(int(TIMEOUT * 1000))
    frames = socket.recv_multipart()
    assert frames[:3] == [b'proxy', b'\0hop', DELIMITER]
    assert Message('shell', frames, client.kernel.key).parent == header
    client.wait(lambda: len(client.by_parent.get(('iopub', header['msg_id']), [])) == 2, 'busy and idle')
    forget(client, header['msg_id'])
