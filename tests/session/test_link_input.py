"""Questions to the user: one INPUT_REQUEST each, in order with the text around it."""
import pytest


def test_readline(session):
    r = session.run('cat("a\\n"); n <- readline("name? "); cat("b\\n"); n', inputs=['Bøb'])
    assert r.story == [('stdout', 'a\n'), ('input', 'name? '), ('stdout', 'b\n'), ('execute_result', '[1] "Bøb"')]
    head = next(e[1] for e in r.events if e[0] == 'INPUT_REQUEST').head
    assert head == {'prompt': 'name? ', 'password': False}


def test_menu_and_ask(session):
    assert session.run('menu(c("a", "b"))', inputs=['2']).story == [
        ('stdout', '\n1: a\n2: b\n\n'), ('input', 'Selection: '), ('execute_result', '[1] 2')]
    assert session.run('menu(c("a", "b"), graphics = TRUE)', inputs=['0']).result == '[1] 0'
    assert session.run('askYesNo("ok?")', inputs=['y']).result == '[1] TRUE'
    assert session.run('askYesNo("ok?")', inputs=['no']).result == '[1] FALSE'


def test_scan_and_readlines(session):
    assert session.run('scan(quiet = TRUE)', inputs=['1 2', '3', '']).story == [
        ('input', '1: '), ('input', '3: '), ('input', '4: '), ('execute_result', '[1] 1 2 3')]
    assert session.run('scan(what = "", n = 2, quiet = TRUE)', inputs=['x y']).result == '[1] "x" "y"'
    assert session.run('readLines(n = 2)', inputs=['eins', 'zwei']).result == '[1] "eins" "zwei"'


def test_browser(session):
    session.run('f <- function() { y <- 3; browser(); y + 1 }')
    assert session.run('f()', inputs=['y', 'y <- 10', 'c']).story == [
        ('stdout', 'Called from: f()\n'), ('input', 'Browse[1]> '), ('stdout', '[1] 3\n'), ('input', 'Browse[1]> '),
        ('input', 'Browse[1]> '), ('execute_result', '[1] 11')]
    r = session.run('f(); cat("no")', inputs=['stop("in browser")', 'Q'])
    assert r.err == 'Error in f() : in browser\n'
    assert r.reply['ename'] == 'abort'


def test_debug(session):
    session.run('f <- function(x) {\n  x + 1\n}; debug(f)')
    r = session.run('f(1)', inputs=['n', 'x', 'n'])
    assert r.result == '[1] 2' and 'debugging in: f(1)' in r.out and '[1] 1' in r.out and 'exiting from: f(1)' in r.out
    session.run('undebug(f)')
    assert session.run('f(1)').story == [('execute_result', '[1] 2')]


def test_recover(session):
    session.run('options(error = recover); f <- function() { secret <- 42; stop("e") }')
    r = session.run('f()', inputs=['1', 'secret', 'c', '0'])
    assert '[1] 42' in r.out and r.reply['ename'] == 'simpleError' and r.reply['evalue'] == 'e'


def test_password(session):
    r = session.run('getOption("askpass")("PW: ")', inputs=['s€cret'])
    assert r.result == '[1] "s€cret"'
    assert next(e[1] for e in r.events if e[0] == 'INPUT_REQUEST').head == {'prompt': 'PW: ', 'password': True}


def test_no_input_allowed(session):
    r = session.run('readline("x"); cat("not reached")', allow_stdin=False)
    assert r.story == [('error', 'simpleError')] and 'allow_stdin is false' in r.reply['evalue']
    r = session.run('getOption("askpass")("PW: ")', allow_stdin=False)
    assert 'allow_stdin is false' in r.reply['evalue']
    r = session.run('f <- function() { browser(); 3 }; f()', allow_stdin=False)
    assert r.result == '[1] 3' and 'allow_stdin is false' in r.err
    assert session.run('tryCatch(readline("x"), error = function(e) "no")', allow_stdin=False).result == '[1] "no"'


def test_long_answers(session):
    assert session.run('nchar(readLines(n = 1))', inputs=['é' * 6000]).result == '[1] 6000'
    assert session.run('nchar(readLines(n = 1))', inputs=['x' * 4095]).result == '[1] 4095'
    assert session.run('nchar(readLines(n = 1))', inputs=['x' * 4096]).result == '[1] 4096'
    assert session.run('readline("next ")', inputs=['fresh']).result == '[1] "fresh"'


def test_a_nul_in_an_answer(session):
    r = session.run('readline("x")', inputs=['a\0b'])
    assert r.status == 'error' and 'NUL' in r.reply['evalue']
    assert session.run('readline("x")', inputs=['fine']).result == '[1] "fine"'


def test_several_lines_in_an_answer(session):
    assert session.run('readLines(n = 2)', inputs=['one\ntwo']).result == '[1] "one" "two"'


def test_answers_to_other_questions_are_thrown_away(session):
    session.begin('readline("x")')
    frame = session.wait('INPUT_REQUEST')
    session.send('INPUT', frame.seq + 100, {'value': 'wrong'})
    session.send('INPUT', frame.seq - 1, {'value': 'old'})
    session.send('INPUT', frame.seq, {'value': 'right'})
    assert session.finish().result == '[1] "right"'
    session.send('INPUT', frame.seq, {'value': 'late'})
    assert session.run('readline("y")', inputs=['new']).result == '[1] "new"'


def test_interrupt_while_waiting(session):
    session.begin('readline("x"); cat("not reached")')
    frame = session.wait('INPUT_REQUEST')
    session.interrupt()
    r = session.finish()
    assert [k for k, _ in r.events][-3:] == ['INPUT_CANCEL', 'PUBLISH', 'REPLY']
    assert r.reply['ename'] == 'interrupt'
    session.send('INPUT', frame.seq, {'value': 'late'})
    assert session.run('readline("y")', inputs=['new']).result == '[1] "new"'


@pytest.mark.parametrize('inputs', [[], ['1 + 1']])
def test_interrupt_at_the_browser_prompt_ends_the_cell(session, inputs):
    session.begin('f <- function() { browser(); cat("not reached") }; f()')
    for answer in inputs:
        session.send('INPUT', session.wait('INPUT_REQUEST').seq, {'value': answer})
    session.wait('INPUT_REQUEST')
    session.interrupt()
    r = session.finish()
    assert r.reply['ename'] == 'interrupt' and 'not reached' not in r.out
    assert session.run('1').result == '[1] 1'


def test_interrupt_of_what_the_browser_evaluates(session):
    session.begin('browser(); cat("not reached")')
    session.send('INPUT', session.wait('INPUT_REQUEST').seq, {'value': 'cat("go\\n"); repeat {}'})
    session.wait_text('stdout', 'go')
    session.interrupt()
    r = session.finish()
    assert r.reply['ename'] == 'interrupt' and 'not reached' not in r.out


def test_shutdown_while_waiting(session):
    session.begin('readline("x")')
    session.wait('INPUT_REQUEST')
    assert session.shutdown() == 0
    assert [k for k, _ in session.events][-3:] == ['INPUT_CANCEL', 'REPLY', 'EXIT']


def test_event_sources_are_served_while_waiting(session):
    session.begin('suppressWarnings(library(tcltk)); invisible(tcl("after", 200, function() cat("tick\\n"))); readline("x")')
    frame = session.wait('INPUT_REQUEST')
    session.wait_text('stdout', 'tick')
    session.send('INPUT', frame.seq, {'value': 'v'})
    assert session.finish().result == '[1] "v"'


def test_code_that_asks_again_and_again_is_ended(session):
    """It handles the error and asks once more, for ever."""
    for code in ('select.list(c("a", "b"), multiple = TRUE)', 'setRepositories()'):
        r = session.run(code, allow_stdin=False)
        assert r.status == 'error' and r.reply['ename'] == 'simpleError' and 'again and again' in r.reply['evalue']
        assert r.out.count('Invalid input') <= 20
    r = session.run('on <- 0; for (i in 1:15) tryCatch(readline(), error = function(e) on <<- on + 1); on', allow_stdin=False)
    assert r.result == '[1] 15'
    assert session.run('select.list(c("a", "b"), multiple = TRUE)', inputs=['2', '']).result == '[1] "b"'


def test_choices_are_questions(session):
    assert session.run('select.list(c("a", "b"), graphics = TRUE)', inputs=['1']).result == '[1] "a"'
    assert session.run('file.choose()', inputs=['/etc/hostname']).result == '[1] "/etc/hostname"'
    for code in ('menu(c("a", "b"), graphics = TRUE)', 'select.list(c("a", "b"))', 'file.choose()', 'askYesNo("?")', 'readLines()'):
        assert 'allow_stdin is false' in session.run(code, allow_stdin=False).reply['evalue'], code
