"""While the session waits: R's event sources are served, and no processor time is used."""
import time


def listen(session, seconds):
    begin, end = len(session.events), time.monotonic() + seconds
    while time.monotonic() < end:
        session.step(0.05)
    return session.events[begin:]


def test_idle_costs_nothing(session):
    session.run('1')
    before = session.cpu()
    time.sleep(1)
    assert session.cpu() - before == 0


def test_later(session):
    session.run('library(later); later(function() cat("ping\\n"), 0.2)')
    assert listen(session, 0.8) == [('stdout', 'ping\n')]
    before = session.cpu()
    time.sleep(1)
    assert session.cpu() - before <= 0.02


def test_an_error_in_a_callback_is_printed(session):
    session.run('library(later); later(function() stop("in callback"), 0.1); later(function() warning("careful"), 0.3)')
    text = ''.join(t for k, t in listen(session, 1) if k == 'stderr')
    assert 'in callback' in text and 'careful' in text
    assert session.run('1').result == '[1] 1'


def test_callbacks_that_change_the_list(session):
    """Handlers that go away, come, and find their descriptor closed."""
    session.run('library(later); f <- function(n) { cat(n, ""); if (n) later(function() f(n - 1), 0.01) }; f(10)')
    listen(session, 1)
    assert session.run('p <- parallel::mcparallel(42); unname(parallel::mccollect(p))').result == '[[1]]\n[1] 42\n'
    assert session.run('1').result == '[1] 1'


def test_httpuv(session):
    code = '''library(httpuv)
port <- randomPort()
server <- startServer("127.0.0.1", port, list(call = function(req) list(status = 200L, headers = list(), body = "served")))
cat(port)'''
    port = session.run(code).out
    import threading
    import urllib.request
    got = []
    asking = threading.Thread(target=lambda: got.append(urllib.request.urlopen(f'http://127.0.0.1:{port}/', timeout=5).read()))
    asking.start()
    end = time.monotonic() + 5
    while asking.is_alive() and time.monotonic() < end:
        session.step(0.05)
    asking.join()
    assert got == [b'served']
    assert session.run('stopServer(server); 1').result == '[1] 1'


def test_polled_events(session):
    """tcltk asks for a tick."""
    assert session.run('suppressWarnings(library(tcltk)); invisible(tcl("after", 200, function() cat("tcl\\n")))').status == 'ok'
    text = ''.join(t for k, t in listen(session, 1.5) if k == 'stdout')
    assert text == 'tcl\n'


def test_a_callback_that_hangs_can_be_interrupted(session):
    session.run('library(later); later(function() repeat {}, 0.1)')
    time.sleep(0.5)
    session.begin('5')
    time.sleep(0.3)
    session.interrupt()
    assert session.finish().reply['ename'] == 'interrupt'
    assert session.run('6').result == '[1] 6'


def test_nobody_can_be_asked_while_idle(session):
    session.run('library(later); later(function() readline("?"), 0.1)')
    text = ''.join(t for k, t in listen(session, 0.6) if k == 'stderr')
    assert 'no cell runs' in text
    assert session.run('1').result == '[1] 1'
