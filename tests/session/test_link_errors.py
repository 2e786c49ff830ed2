"""Errors: what ended an evaluation, R's own handling of it, and that the next cell runs."""
import re



def error(session, code, **kw):
    r = session.run(code, **kw)
    assert r.status == 'error' and r.story[-1] == ('error', r.reply['ename'])
    assert {k: r.reply[k] for k in ('ename', 'evalue', 'traceback')} == r.error
    return r


def test_stop(session):
    r = error(session, 'stop("boom"); cat("not reached")')
    assert r.error == {'ename': 'simpleError', 'evalue': 'boom', 'traceback': ['Error: boom']}
    assert r.story == [('error', 'simpleError')]


def test_traceback(session):
    session.run('f <- function(x) {\n  stop("boom")\n}\ng <- function() f(1)')
    r = error(session, 'g()')
    assert r.error['traceback'] == ['Error in f(1) : boom', '3: stop("boom") at #2', '2: f(1) at #4', '1: g()']
    assert session.run('traceback()').out == '3: stop("boom") at #2\n2: f(1) at #4\n1: g()\n'
    assert session.run('geterrmessage()').result == r'[1] "Error in f(1) : boom\n"'


def test_classes_and_messages(session):
    r = error(session, 'stop(structure(class = c("mine", "error", "condition"), list(message = "a\\nb", call = quote(h(1)))))')
    assert r.error['ename'] == 'mine' and r.error['evalue'] == 'a\nb'
    assert r.error['traceback'][:2] == ['Error in h(1) : a', 'b']
    session.run('conditionMessage.odd <- function(c) paste("odd:", c$message)')
    assert error(session, 'stop(structure(class = c("odd", "error", "condition"), list(message = "m", call = NULL)))'
                 ).error['evalue'] == 'odd: m'
    session.run('conditionMessage.bad <- function(c) stop("no message")')
    assert error(session, 'stop(structure(class = c("bad", "error", "condition"), list(message = "m", call = NULL)))'
                 ).status == 'error'
    assert error(session, 'undefined_thing').error['evalue'] == "object 'undefined_thing' not found"
    assert error(session, '1 + "a"').error['traceback'] == ['Error in 1 + "a" : non-numeric argument to binary operator']


def test_what_the_user_handles_is_no_error(session):
    assert session.run('tryCatch(stop("x"), error = function(e) "caught")').story == [('execute_result', '[1] "caught"')]
    assert session.run('try(stop("oops")); 1').story == [
        ('stderr', 'Error in try(stop("oops")) : oops\n'), ('execute_result', '[1] 1')]
    assert session.run('try(stop("x"), silent = TRUE); geterrmessage()').result == r'[1] "Error in try(stop(\"x\"), silent = TRUE) : x\n"'
    assert session.run('signalCondition(simpleError("zz")); 8').story == [
        ('display_data', 'NULL'), ('execute_result', '[1] 8')]
    assert session.run('signalCondition(simpleError("zz")); try(stop("zz")); 8').err == 'Error in try(stop("zz")) : zz\n'
    assert session.run('withRestarts({ stop("x"); 1 }, abort = function() "restarted")').story == [
        ('stderr', 'Error in doWithOneRestart(return(expr), restart) : x\n'), ('execute_result', '[1] "restarted"')]


def test_warnings_with_an_error(session):
    r = error(session, 'f <- function() { warning("w"); stop("e") }; f()')
    assert r.story == [('stderr', 'In addition: Warning message:\nIn f() : w\n'), ('error', 'simpleError')]


def test_option_error(session):
    r = error(session, 'options(error = quote(cat("H\\n"))); stop("e")')
    assert r.story == [('stdout', 'H\n'), ('error', 'simpleError')]
    r = error(session, 'options(error = quote({ cat(geterrmessage()); stop("in handler") })); stop("e")')
    assert r.out == 'Error: e\n' and r.status == 'error'
    session.run('options(error = NULL)')
    assert session.run('1').result == '[1] 1'


def test_dump_frames(session):
    session.run('options(error = dump.frames)')
    error(session, 'f <- function() { secret <- 42; stop("e") }; f()')
    assert session.run('names(last.dump)[1]').result == '[1] "f()"'


def test_hidden_messages(session):
    r = error(session, 'options(show.error.messages = FALSE); stop("hidden")')
    assert r.story == [('error', 'simpleError')] and r.error['traceback'] == ['Error: hidden']


def test_on_exit(session):
    r = error(session, 'f <- function() { on.exit(cat("bye\\n")); stop("x") }; f()')
    assert r.story == [('stdout', 'bye\n'), ('error', 'simpleError')]


def test_abort(session):
    r = error(session, 'f <- function() invokeRestart("abort"); f(); 2')
    assert r.error == {'ename': 'abort', 'evalue': 'the evaluation was abandoned', 'traceback': []}


def test_global_handlers(session):
    assert session.run('globalCallingHandlers()').result == 'list()'
    session.run('globalCallingHandlers(warning = function(w) { cat("GW:", conditionMessage(w), "\\n"); '
                'invokeRestart("muffleWarning") }, error = function(e) cat("GE:", conditionMessage(e), "\\n"))')
    assert session.run('warning("one"); 1').story == [('stdout', 'GW: one \n'), ('execute_result', '[1] 1')]
    r = error(session, 'stop("two")')
    assert r.story == [('stdout', 'GE: two \n'), ('error', 'simpleError')]
    assert session.run('names(globalCallingHandlers())').result == '[1] "warning" "error"  '
    session.run('globalCallingHandlers(NULL)')
    assert session.run('globalCallingHandlers()').result == 'list()'
    r = error(session, '{ globalCallingHandlers(message = identity); stop("same expression") }')
    assert r.error['evalue'] == 'same expression'


def test_error_inside_r_try_eval_of_c_code(session, c_library):
    session.run(c_library)
    assert session.run('c_try(stop("inner")); 5').story == [
        ('stderr', 'Error: inner\n'), ('display_data', '[1] TRUE'), ('execute_result', '[1] 5')]


def test_stack_overflows(session):
    session.run('h <- function(n) h(n + 1)')
    r = error(session, 'h(1)')
    assert 'C stack usage' in r.error['evalue'] or 'nested too deeply' in r.error['evalue']
    assert r.story == [('error', r.error['ename'])]
    assert len(r.error['traceback']) < 120 and any('left out' in line for line in r.error['traceback'])
    r = error(session, 'options(expressions = 200); h(1)')
    assert 'nested too deeply' in r.error['evalue']
    assert session.run('options(expressions = 5000); 1 + 1').result == '[1] 2'
    assert session.run('f <- function(n) if (n) f(n - 1) else 0; f(300)').result == '[1] 0'


def test_a_call_with_a_large_argument_is_cut(session):
    r = error(session, 'f <- function(x) stop("e"); g <- function() do.call(f, list(runif(1e5))); g()', timeout=10)
    assert sum(map(len, r.error['traceback'])) < 20000


def test_rlang(session):
    session.run('library(rlang); f <- function() abort("inner", class = "mine"); g <- function() f()')
    r = error(session, 'g(); cat("no")')
    assert r.story == [('error', 'mine')]
    trace = [re.sub('\033\\[[0-9;]*m', '', line) for line in r.error['traceback']]
    assert r.error['evalue'] == 'inner' and trace[:2] == ['Error in `f()`:', '! inner']
    assert 'Backtrace:' in trace and any('global g()' in line for line in trace)
    assert 'inner' in session.run('rlang::last_error()').result
    assert session.run('tryCatch(g(), error = function(e) "handled")').story == [('execute_result', '[1] "handled"')]
    r = session.run('try(g()); cat("on\\n")')
    assert r.status == 'ok' and 'inner' in r.err and r.out == 'on\n'
    r = error(session, 'withCallingHandlers(g(), error = function(e) cat("calling\\n"))')
    assert r.out == 'calling\n' and r.error['ename'] == 'mine'


def test_rlang_chain(session):
    r = error(session, 'h <- function() rlang::try_fetch(stop("low"), error = function(e) rlang::abort("high", parent = e)); h()')
    text = '\n'.join(r.error['traceback'])
    assert 'high' in text and 'low' in text and r.error['evalue'].startswith('high')


def test_dplyr(session):
    r = error(session, 'dplyr::filter(data.frame(a = 1), b > 1)')
    assert r.error['ename'].startswith(('rlang_error', 'dplyr')) and 'filter' in '\n'.join(r.error['traceback'])


def test_errors_do_not_pile_up(session):
    for i in range(200):
        assert error(session, f'stop("e{i}")').error['evalue'] == f'e{i}'
    assert session.run('1').result == '[1] 1'
