"""Interrupts: they end what is meant and nothing else, and are neither lost nor doubled."""
import os
import signal
import time

import pytest


def interrupted(session, code, wait=None, group=True, limit=20):
    """Runs code, interrupts it when it has written `wait`, and returns the result."""
    session.begin(f'cat("started\\n"); {code}; cat("not reached\\n")')
    session.wait_text('stdout', wait or 'started')
    time.sleep(0.2)
    session.interrupt(group=group)
    begin = time.monotonic()
    r = session.finish()
    assert time.monotonic() - begin < limit
    return r


CODE = ['repeat {}', 'Sys.sleep(30)', 'for (i in 1:1e9) i', 'while (TRUE) cat("")', 'system("sleep 30")',
        'system("sleep 30", intern = TRUE)', 'system2("sleep", "30")', 'system("sleep 30", timeout = 60)',
        'readLines(pipe("sleep 30"))', 'parallel::mclapply(1:2, function(i) Sys.sleep(30))']


@pytest.mark.parametrize('code', CODE)
def test_what_runs_ends(session, code):
    r = interrupted(session, code)
    assert r.reply == {'status': 'error', 'ename': 'interrupt', 'evalue': 'the cell was interrupted', 'traceback': []}
    assert r.story[-1] == ('error', 'interrupt') and r.out == 'started\n'
    assert session.run('1').result == '[1] 1'


@pytest.mark.parametrize('code', CODE[:4])
def test_the_number_alone_suffices(session, code):
    r = interrupted(session, code, group=False)
    assert r.story == [('stdout', 'started\n'), ('error', 'interrupt')]
    assert session.run('1').result == '[1] 1'


def test_nothing_more_is_printed(session):
    assert interrupted(session, 'Sys.sleep(30)').err == ''


@pytest.mark.parametrize('code', ['Sys.sleep(30)', 'repeat {}'])
@pytest.mark.parametrize('then', ['Sys.sleep(0.3)', 'for (i in 1:1e6) i'])
def test_a_handler_is_not_interrupted_again(session, code, then):
    session.begin(f'cat("started\\n"); tryCatch({code}, interrupt = function(e) {{ {then}; cat("handled\\n") }}); "on"')
    session.wait_text('stdout', 'started')
    time.sleep(0.1)
    session.interrupt()
    r = session.finish()
    assert r.out == 'started\nhandled\n' and r.result == '[1] "on"'


def test_calling_handlers_and_on_exit(session):
    r = interrupted(session, 'f <- function() { on.exit(cat("exit\\n")); withCallingHandlers(Sys.sleep(30), '
                             'interrupt = function(e) cat("calling\\n")) }; f()')
    assert r.out == 'started\ncalling\nexit\n' and r.reply['ename'] == 'interrupt'


def test_a_second_one_follows(session):
    session.begin('cat("started\\n"); tryCatch(repeat {}, interrupt = function(e) { cat("again\\n"); repeat {} })')
    session.wait_text('stdout', 'started')
    time.sleep(0.2)
    session.interrupt()
    session.wait_text('stdout', 'again')
    time.sleep(0.3)
    session.interrupt()
    assert session.finish().reply['ename'] == 'interrupt'


def test_kill_int_from_outside(session):
    session.begin('cat("started\\n"); Sys.sleep(30)')
    session.wait_text('stdout', 'started')
    os.kill(session.process.pid, signal.SIGINT)
    assert session.finish().reply['ename'] == 'interrupt'
    session.begin('cat("started\\n"); repeat {}')
    session.wait_text('stdout', 'started')
    os.kill(session.process.pid, signal.SIGINT)
    assert session.finish().reply['ename'] == 'interrupt'


def test_harmless_when_idle(session):
    session.run('1')
    session.interrupt()
    os.kill(session.process.pid, signal.SIGINT)
    time.sleep(0.4)
    assert session.run('2').result == '[1] 2'
    assert session.run('Sys.sleep(0.3); 3').result == '[1] 3'


def test_one_for_another_request_does_nothing(session):
    session.run('1')
    session.begin('cat("started\\n"); Sys.sleep(1); 2')
    session.wait_text('stdout', 'started')
    session.interrupt(number=session.number - 1, group=False)
    session.interrupt(number=session.number + 5, group=False)
    assert session.finish().result == '[1] 2'


def test_one_that_comes_before_its_request(session):
    session.run('1')
    session.interrupt(number=session.number + 1, group=False)
    time.sleep(0.2)
    r = session.run('cat("not reached")')
    assert r.story == [('error', 'interrupt')]
    assert session.run('2').result == '[1] 2'


def test_many(session):
    for i in range(20):
        session.begin('repeat {}')
        time.sleep(0.005 * (i % 5))
        session.interrupt()
        assert session.finish().reply['ename'] == 'interrupt', i
        assert session.run(f'{i}').result == f'[1] {i}'
