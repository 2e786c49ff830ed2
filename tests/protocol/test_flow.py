"""Slow, stuck and absent subscribers: nothing is lost, memory is bounded, the session waits instead (law 7)."""
import time

import pytest

MB = 1_000_000


def pattern(n):
    return ''.join(chr(97 + i % 26) * 79 + '\n' for i in range((n + 79) // 80))[:n]


def wait_full(kernel, still=0.5):
    """Until the kernel process does no more: it holds what it may hold."""
    last, since = kernel.cpu(), time.monotonic()
    while time.monotonic() - since < still:
        time.sleep(0.05)
        if (now := kernel.cpu()) != last:
            last, since = now, time.monotonic()


def test_law_7_memory_is_bounded_while_a_subscriber_does_not_read(kernel):
    """2 GB are on their way to a subscriber that takes nothing; then it takes everything there is."""
    client, slow = kernel.client(subscribe=None), kernel.client(slow=True)
    slow.read_iopub(lambda ms: ms, 'iopub_welcome')
    cell = client.submit('\n'.join(['big 250000000'] * 8))
    wait_full(kernel)
    assert kernel.pss() < 300 * MB
    assert not cell.replies
    begin = time.monotonic()
    assert client.heartbeat() == b'ping'
    assert client.request('kernel_info_request', channel='control').wait_reply().reply['execution_state'] == 'busy'
    client.request('interrupt_request', channel='control').wait_reply()
    assert time.monotonic() - begin < 30
    slow.read_iopub(lambda ms: ms[-1].parent_id == cell.id and ms[-1].state == 'idle', 'idle')
    assert cell.wait_reply().status == 'error'
    text = ''.join(m.content['text'] for m in slow.iopub_of(cell) if m.type == 'stream')
    assert len(text) > 20 * MB and text == pattern(len(text))


def test_law_7_nothing_is_lost_for_a_slow_subscriber(kernel):
    """More than the kernel holds, read late: every byte arrives, in order, and the kernel's memory is given back."""
    n = 120 * MB
    client, slow = kernel.client(subscribe=None), kernel.client(slow=True)
    slow.read_iopub(lambda ms: ms, 'iopub_welcome')
    cell = client.submit(f'big {n}\nresult done')
    wait_full(kernel)
    assert not cell.replies
    slow.read_iopub(lambda ms: ms[-1].parent_id == cell.id and ms[-1].state == 'idle', 'idle')
    messages = slow.iopub_of(cell)
    assert ''.join(m.content['text'] for m in messages if m.type == 'stream') == pattern(n)
    assert [m.type for m in messages if m.type != 'stream'] == ['status', 'execute_input', 'execute_result', 'status']
    assert cell.wait_reply().status == 'ok'
    wait_full(kernel)
    assert kernel.pss() < 100 * MB


def test_law_7_what_is_under_way_at_the_end_arrives(kernel):
    """The kernel ends while a subscriber has not read yet: it has a moment to do so."""
    n = 10 * MB
    client, slow = kernel.client(subscribe=None), kernel.client(slow=True)
    slow.read_iopub(lambda ms: ms, 'iopub_welcome')
    cell = client.submit(f'big {n}').wait_reply()
    shutdown = client.shutdown()
    slow.read_iopub(lambda ms: ms[-1].parent_id == shutdown.id and ms[-1].state == 'idle', 'idle')
    assert ''.join(m.content['text'] for m in slow.iopub_of(cell) if m.type == 'stream') == pattern(n)
    kernel.wait_exit()


def test_a_subscriber_that_goes_away_frees_the_session(kernel):
    client, slow = kernel.client(), kernel.client(slow=True)
    slow.read_iopub(lambda ms: ms, 'iopub_welcome')
    cell = client.submit(f'big {150 * MB}')
    for _ in range(20):
        client.settle(0.05)
    assert not cell.done  # the slow one holds everybody up
    slow.close()
    cell.wait()
    assert len(cell.stdout) == 150 * MB


def test_a_slow_subscriber_does_not_delay_control(kernel):
    client, slow = kernel.client(subscribe=None), kernel.client(slow=True)
    slow.read_iopub(lambda ms: ms, 'iopub_welcome')
    client.submit(f'big {300 * MB}')
    wait_full(kernel)
    begin = time.monotonic()
    for _ in range(20):
        client.request('kernel_info_request', channel='control').wait_reply()
        client.request('kernel_info_request', channel='shell').wait_reply()
    assert time.monotonic() - begin < 30
    begin = time.monotonic()
    client.shutdown()
    client.shutdown()  # whoever asks twice does not want to wait for the slow one
    kernel.killed = True  # which cannot have heard all of it
    kernel.wait_exit()
    assert time.monotonic() - begin < 30


def test_nobody_listens(kernel):
    """Without a subscriber text goes nowhere, at full speed and without memory."""
    client = kernel.client(subscribe=None)
    begin = time.monotonic()
    assert client.submit(f'big {150 * MB}').wait_reply().status == 'ok'
    assert time.monotonic() - begin < 10
    assert kernel.pss() < 100 * MB


def test_many_small_messages_to_a_slow_subscriber(kernel):
    """Statuses and displays are messages too; none is lost."""
    client, slow = kernel.client(), kernel.client(slow=True)
    slow.read_iopub(lambda ms: ms, 'iopub_welcome')
    cells = [client.submit(f'display {{"data": {{"text/plain": "{i}"}}, "metadata": {{}}}}\n{i}') for i in range(1000)]
    client.wait_idle(*cells)
    slow.read_iopub(lambda ms: ms[-1].parent_id == cells[-1].id and ms[-1].state == 'idle', 'idle')
    assert [m.id for m in slow.received['iopub'] if m.parent] == [m.id for m in client.received['iopub'] if m.parent]


def test_slow_reader_of_replies(kernel):
    """A client that does not read its shell socket gets all its replies when it does."""
    client = kernel.client()
    socket = client.sockets['shell']
    client.poller.unregister(socket)
    requests = [client.request('kernel_info_request') for _ in range(2000)]
    client.wait_idle(requests[-1])
    import zmq
    client.poller.register(socket, zmq.POLLIN)
    for request in requests:
        request.wait()


def stuck(kernel, **options):
    """A subscriber that hears that it is one, and then takes nothing more."""
    slow = kernel.client(slow=True, **options)
    slow.read_iopub(lambda ms: ms, 'iopub_welcome')
    return slow


@pytest.mark.parametrize('transport', ['tcp', 'ipc'])
def test_one_that_never_reads_again_is_let_go(start, transport):
    """The others lose nothing, and the session goes on; nobody else is let go."""
    kernel = start(transport=transport, args=['--patience', '2'])
    client, other, slow = kernel.client(), kernel.client(), stuck(kernel)
    cell = client.submit(f'big {80 * MB}\nresult done').wait()
    assert cell.stdout == pattern(80 * MB) and cell.result == 'done'
    other.wait_idle(cell)
    assert [m.id for m in other.iopub_of(cell)] == [m.id for m in client.iopub_of(cell)]
    assert kernel.log().count('is let go') == 1
    slow.close()


@pytest.mark.parametrize('transport', ['tcp', 'ipc'])
def test_one_that_reads_slowly_is_waited_for(start, transport):
    """Slower than the patience by far, but it takes something again and again."""
    n = 80 * MB
    kernel = start(transport=transport, args=['--patience', '2'])
    client, slow = kernel.client(subscribe=None), stuck(kernel)
    cell = client.submit(f'big {n}')
    wait_full(kernel)
    for _ in range(10):
        slow.read_iopub(lambda ms, k=len(slow.received['iopub']): len(ms) > k + 2, 'messages')
        time.sleep(0.5)
    assert not cell.replies
    slow.read_iopub(lambda ms: ms[-1].parent_id == cell.id and ms[-1].state == 'idle', 'idle')
    assert ''.join(m.content['text'] for m in slow.iopub_of(cell) if m.type == 'stream') == pattern(n)
    assert 'let go' not in kernel.log()


def test_many_small_messages_are_bounded_as_well(kernel):
    """What is around a message counts: two hundred thousand displays of ten bytes are not two megabytes."""
    client, slow = kernel.client(subscribe=None), stuck(kernel)
    cell = client.submit('displays 200000 10')
    wait_full(kernel)
    assert kernel.peak() < 150 * MB
    assert not cell.replies
    client.request('interrupt_request', channel='control').wait_reply()
    cell.wait_reply()
    slow.close()


@pytest.mark.parametrize('code', [f'big {150 * MB}', 'displays 150 1000000'])
def test_an_interrupt_ends_a_flood_that_waits_for_a_slow_subscriber(kernel, code):
    """The reply does not wait for it, nor does what others hear. What the next cell says does."""
    client, slow = kernel.client(), stuck(kernel)
    cell = client.submit(code)
    client.wait(lambda: len(cell.messages()) > 20, 'some output')
    while client.pump(0.5):
        pass
    assert not cell.done
    client.interrupt()
    cell.wait()
    assert cell.status == 'error' and cell.error['ename'] == 'interrupt'
    after = client.submit('result after').wait_started()
    assert kernel.peak() < 256 * MB
    slow.close()
    assert after.wait().result == 'after'


@pytest.mark.parametrize('transport', ['tcp', 'ipc'])
def test_law_7_the_end_waits_for_a_slow_subscriber(start, transport):
    """It begins to read seconds after the kernel has answered the shutdown request, and hears everything."""
    n = 60 * MB
    kernel = start(transport=transport)
    client, slow = kernel.client(subscribe=None), stuck(kernel)
    cell = client.submit(f'big {n}').wait_reply()
    shutdown = client.shutdown()
    time.sleep(4)
    assert client.heartbeat() == b'ping'
    late = client.submit('never').wait_reply()
    assert late.status == 'error'
    slow.read_iopub(lambda ms: ms[-1].parent_id == late.id and ms[-1].state == 'idle', 'idle')
    assert ''.join(m.content['text'] for m in slow.iopub_of(cell) if m.type == 'stream') == pattern(n)
    assert [m.state for m in slow.iopub_of(shutdown)] == ['busy', 'idle']
    kernel.wait_exit()


def test_the_end_waits_no_longer_than_the_patience(start):
    kernel = start(args=['--patience', '3'])
    client, slow = kernel.client(subscribe=None), stuck(kernel)
    client.submit(f'big {60 * MB}').wait_reply()
    client.shutdown()
    kernel.killed = True  # the slow one cannot have heard all of it
    kernel.wait_exit()
    slow.close()


@pytest.mark.parametrize('how', ['request', 'signal'])
def test_whoever_asks_twice_does_not_wait(kernel, how):
    client, slow = kernel.client(subscribe=None), stuck(kernel)
    client.submit(f'big {60 * MB}').wait_reply()
    client.shutdown()
    time.sleep(0.5)
    assert kernel.process.poll() is None
    if how == 'signal':
        kernel.signal(15)
    else:
        assert client.shutdown().reply['status'] == 'ok'
    kernel.killed = True
    kernel.wait_exit()
    slow.close()


def test_a_flood_while_the_kernel_ends_is_bounded(kernel):
    """A session that is deaf to everything goes on writing until it is killed."""
    client, slow = kernel.client(subscribe=None), stuck(kernel)
    client.submit('pour')
    wait_full(kernel)
    request = client.shutdown(wait=False)
    peak = 0
    while not request.replies:
        client.pump(0.05)
        peak = kernel.peak()
    assert peak < 256 * MB
    client.shutdown(wait=False)
    kernel.killed = True
    kernel.wait_exit()
    slow.close()
