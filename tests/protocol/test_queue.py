"""The queue: stop_on_error, several clients, many requests at once."""
import time


def test_cells_run_in_order(client):
    cells = [client.submit(f'out {i}') for i in range(50)]
    client.wait_idle(*cells)
    assert [c.wait().count for c in cells] == list(range(1, 51))
    inputs = [m.content['code'] for m in client.of_type('execute_input')]
    assert inputs == [f'out {i}' for i in range(50)]


def test_an_error_aborts_what_is_queued(kernel):
    a, b = kernel.client(), kernel.client()
    cells = [a.submit('sleep 300\nerror E x').wait_started()]
    cells += [a.submit('never 1'), b.submit('never 2'), a.submit('never 3', silent=True)]
    complete = a.request('is_complete_request', {'code': 'x'})
    assert cells[0].wait().status == 'error'
    for cell in cells[1:]:
        assert cell.wait().reply == {'status': 'aborted', 'execution_count': 1}
        assert [m.state for m in cell.messages()] == ['busy', 'idle']
    assert complete.wait().reply == {'status': 'complete'}
    assert a.execute('after').count == 2  # what comes later runs, and aborted cells do not count


def test_without_stop_on_error_the_queue_goes_on(client):
    cells = [client.submit('sleep 200\nerror E x', stop_on_error=False), client.submit('b'), client.submit('c')]
    assert [c.wait().status for c in cells] == ['error', 'ok', 'ok']


def test_a_cell_that_is_sent_after_the_error_runs(client):
    for i in range(300):
        assert client.submit('error E x').wait_reply().status == 'error'
        assert client.execute(f'out {i}').status == 'ok'


def test_a_crash_aborts_what_is_queued(kernel, client):
    kernel.expect_log('signal 9')
    cells = [client.submit('sleep 200\nkill9'), client.submit('b'), client.submit('c', stop_on_error=False)]
    assert [c.wait().status for c in cells] == ['error', 'aborted', 'aborted']


def test_a_crash_without_stop_on_error(kernel, client):
    kernel.expect_log('signal 9')
    cells = [client.submit('sleep 200\nkill9', stop_on_error=False), client.submit('b')]
    assert [c.wait().status for c in cells] == ['error', 'ok']


def test_a_thousand_requests_at_once(client):
    requests = []
    for i in range(500):
        requests.append(client.submit(f'result {i}'))
        requests.append(client.request('is_complete_request', {'code': 'x'}))
    client.wait_idle(*requests)
    for request in requests:
        request.wait()
    assert [c.result for c in requests[::2]] == [str(i) for i in range(500)]
    assert {r.status for r in requests[1::2]} == {'complete'}


def test_the_rest_is_served_while_many_cells_wait(client):
    cells = [client.submit('sleep 1000')] + [client.submit('b') for _ in range(2000)]
    begin = time.monotonic()
    assert client.kernel_info('control')['execution_state'] in ('busy', 'idle')
    assert client.interrupt().reply == {'status': 'ok'}
    assert client.ask('comm_info_request', {}, channel='control') == {'status': 'ok', 'comms': {}}
    assert time.monotonic() - begin < 30
    client.wait_idle(*cells)
    for cell in cells:
        cell.wait()


def test_more_requests_than_the_queue_holds(kernel):
    """Beyond the queue they wait in ZeroMQ; nothing is lost and control is served."""
    client = kernel.client(subscribe=None)
    cell = client.submit('sleep 60000')
    requests = [client.request('is_complete_request', {'code': 'x'}) for _ in range(12000)]
    time.sleep(0.5)  # until the kernel has read as many as it takes
    info = client.request('kernel_info_request', channel='control').wait_reply()
    assert info.reply['execution_state'] == 'busy'
    client.request('interrupt_request', channel='control').wait_reply()
    assert cell.wait_reply().status == 'error'
    requests[-1].wait_reply()
    assert all(r.status == 'complete' for r in requests)


def test_several_clients(kernel):
    clients = [kernel.client() for _ in range(5)]
    cells = [c.submit(f'out {i}.{j}\nresult {i}.{j}') for j in range(10) for i, c in enumerate(clients)]
    for i, cell in enumerate(cells):
        assert cell.wait().result == f'{i % 5}.{i // 5}'
    for client in clients:
        client.wait_idle()
        assert len(client.of_type('execute_input')) == 50   # everybody sees what all run
        assert len(client.received['shell']) == 10          # and hears its own replies only
    assert [m.content['execution_count'] for m in clients[0].of_type('execute_input')] == list(range(1, 51))


def test_a_client_that_goes_away(kernel):
    stays, goes = kernel.client(), kernel.client()
    cell = goes.submit('sleep 200\nout a\nresult b')
    cell.wait_started()
    goes.close()
    stays.wait_idle(cell)
    assert [m.type for m in stays.iopub_of(cell)] == ['status', 'execute_input', 'stream', 'execute_result', 'status']
    assert stays.execute('out fine').stdout == 'fine\n'


def test_a_client_comes_back_under_its_identity(kernel):
    """jupyter_client reconnects with the same identity; the reply finds it."""
    first = kernel.client()
    first.execute('a')
    first.close()
    second = kernel.client(identity=first.identity, session=first.session)
    second.count = first.count
    assert second.execute('b').result == 'b'


def test_a_bad_cell_waits_for_its_turn(client):
    """Its error must neither abort what was sent before it nor fall into the window of what runs."""
    for content in ({}, {'code': None}, {'code': 3}, {'code': ['x']}):
        cells = [client.submit('sleep 100'), client.submit('before')]
        bad = client.request('execute_request', content)
        after = client.submit('after')
        assert bad.wait().status == 'error'
        assert [c.wait().status for c in (*cells, after)] == ['ok', 'ok', 'aborted'], content
