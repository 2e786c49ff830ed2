"""history_request: over restarts, of several kernels at once (messaging spec, "History")."""
import signal
import stat
import tempfile
import time

import pytest


@pytest.fixture
def home(tmp_path_factory):
    return tempfile.mkdtemp(dir=tmp_path_factory.getbasetemp(), prefix='home-')


def ask(client, type, output=False, **fields):
    reply = client.ask('history_request', {'output': output, 'raw': True, 'hist_access_type': type, **fields})
    assert reply['status'] == 'ok'
    return [tuple(row) for row in reply['history']]


def run(kernel, *codes):
    client = kernel.client()
    for code in codes:
        client.execute(code, stop_on_error=False)
    return client


def end(kernel):
    kernel.finish()


def test_tail(start, home):
    client = run(start(home=home), 'a', 'b', 'error E x', 'c')
    assert ask(client, 'tail', n=10) == [(1, 1, 'a'), (1, 2, 'b'), (1, 3, 'error E x'), (1, 4, 'c')]
    assert ask(client, 'tail', n=2) == [(1, 3, 'error E x'), (1, 4, 'c')]
    assert ask(client, 'tail', n=0) == []


def test_only_what_is_to_be_stored(start, home):
    kernel = start(home=home)
    client = kernel.client()
    client.execute('kept')
    client.execute('not kept', store_history=False)
    client.execute('silent', silent=True)
    client.execute('')
    cells = [client.submit('sleep 100\nerror E x'), client.submit('aborted')]
    for cell in cells:
        cell.wait()
    assert [row[2] for row in ask(client, 'tail', n=10)] == ['kept', 'sleep 100\nerror E x']


def test_over_restarts(start, home):
    first = start(home=home)
    run(first, 'a1', 'a2')
    end(first)
    second = start(home=home)
    client = run(second, 'b1')
    assert ask(client, 'tail', n=10) == [(1, 1, 'a1'), (1, 2, 'a2'), (2, 1, 'b1')]
    assert ask(client, 'tail', n=2) == [(1, 2, 'a2'), (2, 1, 'b1')]
    assert ask(client, 'range', session=-1, start=1, stop=0) == [(1, 1, 'a1'), (1, 2, 'a2')]
    assert ask(client, 'range', session=1, start=2, stop=3) == [(1, 2, 'a2')]
    assert ask(client, 'range', session=0, start=1, stop=10) == [(2, 1, 'b1')]
    assert ask(client, 'range', session=99, start=1, stop=10) == []
    end(second)
    assert ask(run(start(home=home)), 'tail', n=1) == [(2, 1, 'b1')]


def test_range(start, home):
    client = run(start(home=home), *'abcdef')
    assert ask(client, 'range', session=0, start=2, stop=4) == [(1, 2, 'b'), (1, 3, 'c')]
    assert [r[2] for r in ask(client, 'range', session=0, start=5)] == ['e', 'f']
    assert ask(client, 'range', session=0, start=4, stop=4) == []


def test_search(start, home):
    client = run(start(home=home), 'x <- 1', 'y <- 2', 'x[1]', 'x <- 1', 'plot(x)')
    assert [r[1] for r in ask(client, 'search', pattern='x*')] == [1, 3, 4]
    assert [r[1] for r in ask(client, 'search', pattern='x*', unique=True)] == [3, 4]
    assert [r[1] for r in ask(client, 'search', pattern='x*', n=1)] == [4]
    assert [r[1] for r in ask(client, 'search', pattern='? <- ?')] == [1, 2, 4]
    assert [r[2] for r in ask(client, 'search', pattern='x[1]')] == ['x[1]']
    assert ask(client, 'search', pattern='z*') == []
    assert len(ask(client, 'search', pattern='*')) == 5


def test_output(start, home):
    client = run(start(home=home), 'result value', 'out only text')
    rows = ask(client, 'tail', n=10, output=True)
    assert [(s, n, tuple(pair)) for s, n, pair in rows] == [
        (1, 1, ('result value', 'value')), (1, 2, ('out only text', None))]
    assert ask(client, 'tail', n=1) == [(1, 2, 'out only text')]


def test_two_kernels_at_once(start, home):
    a, b = run(start(home=home)), run(start(home=home))
    for i in range(20):
        a.execute(f'a{i}')
        b.execute(f'b{i}')
    assert [r[2] for r in ask(a, 'range', session=0, start=1)] == [f'a{i}' for i in range(20)]
    assert [r[2] for r in ask(b, 'range', session=0, start=1)] == [f'b{i}' for i in range(20)]
    end(a.kernel)
    end(b.kernel)
    rows = ask(run(start(home=home)), 'search', pattern='*')
    assert sorted(r[2] for r in rows) == sorted([f'{k}{i}' for k in 'ab' for i in range(20)])
    assert {r[0] for r in rows} == {1, 2}


def test_text_of_all_kinds(start, home):
    codes = ['é€𐍈 "\\"', 'a\nb\n\tc', "it's", '%_*?[', 'x' * 10_000]
    client = run(start(home=home), *codes)
    assert [r[2] for r in ask(client, 'tail', n=10)] == codes


def test_it_survives_a_kill(start, home):
    """What was run more than a second or so ago is on disk, whatever happens to the kernel."""
    kernel = start(home=home)
    client = run(kernel, 'a', 'b')
    time.sleep(1.5)
    kernel.signal(signal.SIGKILL)
    kernel.kill()
    assert [r[2] for r in ask(run(start(home=home)), 'tail', n=10)] == ['a', 'b']
    assert client


def test_while_a_cell_runs(start, home):
    client = run(start(home=home), 'a')
    cell = client.submit('sleep 300').wait_started()
    assert ask(client, 'tail', n=1)[0][2] in ('a', 'sleep 300') and not cell.done
    cell.wait()


@pytest.mark.parametrize('damage', ['garbage', 'directory', 'unwritable'])
def test_a_history_that_cannot_be_used(start, home, damage):
    """It costs the history of other sessions, and nothing else."""
    from pathlib import Path
    file = Path(home, '.local/share/carrack/history.sqlite')
    file.parent.mkdir(parents=True)
    if damage == 'garbage':
        file.write_bytes(b'this is no database' * 1000)
    elif damage == 'directory':
        file.mkdir()
    else:
        file.parent.rmdir()
        file.parent.write_text('a file where the directory should be')
    kernel = start(home=home).expect_log('histor')
    client = run(kernel, 'a', 'b')
    assert [r[2] for r in ask(client, 'tail', n=10)] == ['a', 'b']


def test_nobody_else_can_read_it(start, home):
    from pathlib import Path
    end_of = start(home=home)
    run(end_of, 'a')
    end(end_of)
    file = Path(home, '.local/share/carrack/history.sqlite')
    assert not stat.S_IMODE(file.stat().st_mode) & 0o077


def test_an_error_has_the_form_of_an_error(client):
    reply = client.ask('history_request', {'hist_access_type': 'nonsense', 'output': False, 'raw': True})
    assert reply['status'] == 'error' and 'nonsense' in reply['evalue'] and 'history' not in reply
