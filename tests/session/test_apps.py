"""Applications that serve HTTP from a cell: fetched over the network while the kernel is idle, while cells run, and after a crash."""
import signal
import socket
import urllib.request
from pathlib import Path

import pytest

HELLO = 'list(call = function(req) list(status = 200L, headers = list("Content-Type" = "text/plain"), body = "hello"))'


@pytest.fixture
def kernel(start):
    return start(session=None, args=['--session-mode', 'notebook'])


@pytest.fixture
def r(kernel):
    return kernel.client()


@pytest.fixture
def port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


def shown(cell):
    return [m.content['data'] for m in cell.messages() if m.type in ('display_data', 'execute_result')]


def refused(url):
    with pytest.raises(OSError):
        get(url)
    return True


def ok(cell):
    assert cell.status == 'ok', cell.reply
    return cell


def test_a_server_of_httpuv_answers_between_cells(r, port):
    url = f'http://127.0.0.1:{port}/'
    data, = shown(ok(r.execute(f's <- httpuv::startServer("127.0.0.1", {port}, {HELLO}); s')))
    assert f'<a href="{url}"' in data['text/html'] and '<iframe' not in data['text/html']
    for _ in range(2):
        assert get(url) == 'hello'
        ok(r.execute('x <- 1'))
    ok(r.execute('s$stop()'))
    assert refused(url)
    assert 'text/html' not in shown(r.execute('s'))[0]


def test_a_server_answers_while_a_cell_sleeps(r, port):
    ok(r.execute(f's <- httpuv::startServer("127.0.0.1", {port}, {HELLO})'))
    cell = r.submit('repeat { Sys.sleep(0.01); later::run_now(0) }')
    cell.wait_started()
    assert get(f'http://127.0.0.1:{port}/') == 'hello'
    r.interrupt()
    assert cell.wait().error['ename'] == 'interrupt'


def test_threads_of_packages_take_no_signals(r, port):
    """Any thread may get a signal that is for the process; R's handlers are for R's."""
    ok(r.execute(f's <- httpuv::startServer("127.0.0.1", {port}, {HELLO})'))
    pid = int(r.execute('Sys.getpid()').result.split()[1])
    others = 0
    for status in Path(f'/proc/{pid}/task').glob('*/status'):
        [blocked] = [int(line.split()[1], 16) for line in status.read_text().splitlines() if line.startswith('SigBlk')]
        if status.parent.name != str(pid):
            others += 1
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGRTMIN + 6, signal.SIGRTMIN + 7):
                assert blocked >> (number - 1) & 1, (status, number)
    assert others


def test_after_a_crash(kernel, r, port):
    kernel.expect_log('R was ended by signal')
    ok(r.execute(f's <- httpuv::startServer("127.0.0.1", {port}, {HELLO}); y <- 5'))
    r.settle(1)
    ok(r.execute('y <- y + 1'))
    cell = r.execute('tools::pskill(Sys.getpid(), 11)')
    assert cell.status == 'error'
    assert f'port {port}: it does not answer any longer' in '\n'.join(cell.error['traceback'])
    assert refused(f'http://127.0.0.1:{port}/')
    assert r.execute('y').result == '[1] 6'
    # Its thread is gone: an error, where it would wait for ever.
    again = r.execute(f'httpuv::startServer("127.0.0.1", {port}, {HELLO})')
    assert again.status == 'error' and 'restart the kernel' in again.error['evalue']
    assert 'text/html' not in shown(r.execute('s'))[0]


def run_until_link(r, code):
    cell = r.submit(code)
    r.wait(lambda: any(m.type == 'display_data' for m in cell.messages()), 'the link of an application')
    [data] = shown(cell)
    assert not cell.done
    return cell, data


APP = 'library(shiny); word <- "workspace"; app <- shinyApp(fluidPage(h1(paste("from the", word))), function(input, output) {}); '


def test_a_shiny_application_runs_until_it_is_interrupted(r):
    cell, data = run_until_link(r, APP + 'app')
    url = data['text/plain']
    assert f'<a href="{url}"' in data['text/html']
    assert 'from the workspace' in get(url)
    r.interrupt()
    cell.wait()
    assert cell.error['ename'] == 'interrupt' and refused(url)
    assert r.execute('word').result == '[1] "workspace"'
    cell, data = run_until_link(r, 'runApp(app, port = 0 + getOption("none", 4321))')
    assert 'from the workspace' in get(data['text/plain'])
    r.interrupt()
    cell.wait()


def test_a_shiny_application_beside_the_cells(r):
    ok(r.execute('options(carrack.shiny = "background")'))
    data, = shown(ok(r.execute(APP + 'app')))
    url, how = data['text/plain'].split('\n')
    pid = int(how.split()[2].strip(','))
    assert f'<a href="{url}"' in data['text/html']
    assert 'from the workspace' in get(url)
    cell = r.submit('repeat Sys.sleep(0.1)')
    cell.wait_started()
    assert 'from the workspace' in get(url)
    r.interrupt()
    assert cell.wait().error['ename'] == 'interrupt'
    assert 'from the workspace' in get(url)
    ok(r.execute(f'invisible(tools::pskill({pid}))'))
    r.wait(lambda: gone(url), 'the end of the application')


def gone(url):
    try:
        get(url)
    except OSError:
        return True
    return False


def test_plumber(r, port):
    ok(r.execute('pr <- plumber::pr_get(plumber::pr(), "/hi", function() "api")'))
    ok(r.execute(f's <- httpuv::startServer("127.0.0.1", {port}, pr)'))
    assert get(f'http://127.0.0.1:{port}/hi') == '["api"]'
    cell, data = run_until_link(r, 'plumber::pr_run(pr)')
    assert data['text/plain'].endswith('/__docs__/')
    url = data['text/plain'].replace('__docs__/', 'hi')
    r.wait(lambda: not gone(url), 'the API')  # plumber shows the link before it serves
    assert get(url) == '["api"]'
    r.interrupt()
    assert cell.wait().error['ename'] == 'interrupt'
    assert get(f'http://127.0.0.1:{port}/hi') == '["api"]'


def test_links_go_through_the_proxy(start):
    r = start(session=None, args=['--session-mode', 'notebook'], env={'JUPYTERHUB_SERVICE_PREFIX': '/user/me/'}).client()
    data, = shown(r.execute('browseURL("http://localhost:3838/app/?a=1")'))
    assert 'href="/user/me/proxy/3838/app/?a=1"' in data['text/html'] and data['text/plain'].startswith('http://localhost:3838/app/?a=1')
    data, = shown(r.execute('browseURL("http://127.0.0.1:80")'))
    assert 'href="/user/me/proxy/80/"' in data['text/html']
    data, = shown(r.execute('browseURL("https://localhost.example.org:3838/")'))
    assert 'href="https://localhost.example.org:3838/"' in data['text/html']
    data, = shown(r.execute('options(carrack.proxy = "https://hub/x/proxy"); browseURL("http://[::1]:3838")'))
    assert 'href="https://hub/x/proxy/3838/"' in data['text/html']


def test_in_a_frame(r):
    data, = shown(r.execute('options(carrack.viewer = "iframe"); browseURL("http://127.0.0.1:3838/a\\"b")'))
    assert '<iframe src="http://127.0.0.1:3838/a%22b"' in data['text/html'] and '<a href=' in data['text/html']
    data, = shown(r.execute('browseURL("https://www.r-project.org")'))
    assert '<iframe' not in data['text/html']
