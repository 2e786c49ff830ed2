"""kernel_info, iopub_welcome, the first status, the heartbeat (messaging spec 5.5; JEP 65, 92, 134)."""
import re
import time

import pytest


@pytest.mark.parametrize('channel', ['shell', 'control'])
def test_kernel_info(client, channel):
    client.execute('out ready')  # the session has said READY
    info = client.kernel_info(channel)
    assert info['status'] == 'ok'
    assert info['protocol_version'] == '5.5'
    assert info['implementation'] == 'carrack'
    assert re.fullmatch(r'\d+\.\d+\.\d+', info['implementation_version'])
    language = info['language_info']
    assert language['name'] == 'R' and language['version'] == '0'
    for field in ('mimetype', 'file_extension', 'pygments_lexer', 'codemirror_mode', 'nbconvert_exporter'):
        assert language[field], field
    assert language['file_extension'].startswith('.')
    assert info['banner'] == 'echo'
    assert info['help_links'] and all(set(link) == {'text', 'url'} for link in info['help_links'])
    assert all(link['url'].startswith('https://') for link in info['help_links'])
    assert 'iopub_welcome' in info['supported_features']
    assert info['debugger'] is ('debugger' in info['supported_features'])
    assert info['execution_state'] == 'idle'


def test_kernel_info_before_the_session_is_ready(start):
    client = start(env={'ECHO_START_MS': '5000'}).client()
    begin = time.monotonic()
    for channel in ('shell', 'control'):
        info = client.kernel_info(channel)
        assert info['execution_state'] == 'starting'
        assert info['language_info']['name'] == 'R' and info['banner']
    cell = client.submit('out first')
    assert client.heartbeat() == b'ping'
    assert time.monotonic() - begin < 4.5
    assert cell.wait().stdout == 'first\n'
    assert time.monotonic() - begin > 1


def test_kernel_info_while_a_cell_runs(client):
    cell = client.submit('sleep 60000').wait_started()
    for channel in ('shell', 'control'):
        assert client.kernel_info(channel)['execution_state'] == 'busy'
    assert not cell.done
    client.interrupt()
    cell.wait()
    cell.wait()


def test_starting_comes_once_and_first(kernel):
    first = kernel.client()
    first.kernel_info()
    second = kernel.client()
    second.kernel_info()
    first.wait_idle()
    assert [m.state for m in first.received['iopub'] if m.state] == ['starting', 'busy', 'idle', 'busy', 'idle']
    assert [m.state for m in second.received['iopub'] if m.state] == ['busy', 'idle']
    assert first.received['iopub'][1].parent == {}


def test_welcome_to_every_subscription(kernel):
    everything = kernel.client()
    text = kernel.client(subscribe=[b'stream.stdout', b'stream.stderr'])
    text.wait(lambda: len(text.of_type('iopub_welcome')) == 2, 'two welcomes')
    assert {m.content['subscription'] for m in text.of_type('iopub_welcome')} == {'stream.stdout', 'stream.stderr'}
    assert all(m.parent == {} for m in text.of_type('iopub_welcome'))
    again = kernel.client()  # the same topic as the first client's
    assert [m.content for m in again.of_type('iopub_welcome')] == [{'subscription': ''}]
    cell = everything.execute('out one\nerr two\nresult three')
    text.wait(lambda: len(text.of_type('stream')) == 2, 'the text')
    again.wait_idle(cell)
    assert [m.type for m in text.received['iopub']] == ['iopub_welcome'] * 2 + ['stream'] * 2
    everything.settle()
    heard = [m.content['subscription'] for m in everything.of_type('iopub_welcome')]
    assert sorted(heard) == ['', '', 'stream.stderr', 'stream.stdout']


def test_topics_name_type_and_stream(client):
    cell = client.execute('out a\nerr b\nresult c\ndisplay {"data": {}, "metadata": {}}')
    assert [m.prefix[0] for m in cell.messages()] == [
        b'status', b'execute_input', b'stream.stdout', b'stream.stderr', b'execute_result', b'display_data', b'status']


def test_a_strange_subscription_harms_nobody(kernel, client):
    for topic in (b'\xff\xfe', b'x' * 5000, b'\0', b'"\\\n', 'é'.encode()):
        kernel.client(subscribe=[topic], slow=True)
    client.wait(lambda: len(client.of_type('iopub_welcome')) >= 4, 'welcomes')
    subscriptions = [m.content['subscription'] for m in client.of_type('iopub_welcome')]
    assert {'', '\0', '"\\\n', 'é'} <= set(subscriptions)
    assert client.execute('out well').stdout == 'well\n'


def test_without_any_subscriber(start):
    kernel = start()
    client = kernel.client(subscribe=None)
    assert client.request('kernel_info_request').wait_reply().reply['status'] == 'ok'
    assert client.submit('out unheard\nresult x').wait_reply().status == 'ok'
    later = kernel.client()
    assert later.execute('out heard').stdout == 'heard\n'


def test_heartbeat(client):
    for payload in (b'ping', b'', b'x' * 100_000):
        assert client.heartbeat(payload) == payload


def test_heartbeat_while_the_session_hangs(kernel, client):
    client.submit('hang').wait_started()
    for _ in range(20):
        assert client.heartbeat() == b'ping'
    kernel.kill()


def test_quick_start(start):
    """kernel_info within a fraction of a second even on a loaded machine; make bench knows the real figure."""
    kernel = start()
    client = kernel.client()
    client.kernel_info()
    assert time.monotonic() - kernel.started < 2


def test_connect_request(kernel, client):
    reply = client.request('connect_request').wait().reply
    assert {name: reply[f'{name}_port'] for name in kernel.ports} == kernel.ports


def test_idle_costs_no_processor_time(kernel, client):
    client.execute('out warm')
    client.settle(0.5)
    before = kernel.cpu()
    time.sleep(1)
    assert kernel.cpu() - before <= 0.01
