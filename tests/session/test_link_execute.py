"""Running cells: values, visibility, what R's own top level does with an expression, source references, parse errors."""
import pytest


def test_values(session):
    assert session.run('1 + 1').story == [('execute_result', '[1] 2')]
    assert session.run('x <- 5').story == []
    assert session.run('invisible(7)').story == []
    assert session.run('').story == [] and session.run('# nothing').story == []
    assert session.run('NULL').result == 'NULL'
    assert session.run('if (FALSE) 1').story == []
    assert session.run('(x)').result == '[1] 5'
    reply = session.run('x').reply
    assert reply == {'status': 'ok', 'payload': [], 'user_expressions': {}}


def test_result_has_the_count(session):
    session.run('1')
    content = session.run('2').published('execute_result')[0]
    assert content == {'execution_count': 2, 'data': {'text/plain': '[1] 2'}, 'metadata': {}}


def test_every_visible_value_of_a_notebook_cell(session):
    story = session.run('1\ncat("a\\n"); x <- 2; x\ninvisible(3)\n4').story
    assert story == [('display_data', '[1] 1'), ('stdout', 'a\n'), ('display_data', '[1] 2'), ('execute_result', '[1] 4')]
    assert session.run('5; invisible(6)').story == [('display_data', '[1] 5')]


@pytest.mark.parametrize('mode', ['console', 'background'])
def test_earlier_values_are_text_in_a_console(start_session, mode):
    story = start_session(mode=mode).run('1; cat("a\\n"); 2; 3').story
    assert story == [('stdout', '[1] 1\na\n[1] 2\n'), ('execute_result', '[1] 3')]


def test_text_plain_is_what_r_prints(session):
    assert session.run('letters[1:3]').result == '[1] "a" "b" "c"'
    assert session.run('list(a = 1)').result == '$a\n[1] 1\n'
    assert session.run('"é ü"').result == '[1] "é ü"'
    assert session.run('structure(1, class = "none")').result == '[1] 1\nattr(,"class")\n[1] "none"'


def test_print_methods(session):
    session.run('print.zz <- function(x, ...) { cat("A\\n"); message("m"); cat("B"); invisible(x) }')
    assert session.run('structure(1, class = "zz")').story == [('stderr', 'm\n'), ('execute_result', 'A\nB')]
    session.run('print.quiet <- function(x, ...) invisible(x)')
    assert session.run('structure(1, class = "quiet")').story == []
    assert session.run('sink(nullfile()); 1').story == []
    assert session.run('sink(); 2').result == '[1] 2'


def test_s4_and_reference_classes(session):
    session.run('setClass("P", representation(x = "numeric"))\n'
                'setMethod("show", "P", function(object) cat("<P", object@x, ">\\n"))')
    assert session.run('new("P", x = 1)').result == '<P 1 >'
    session.run('A <- setRefClass("A", fields = list(x = "numeric"), methods = list(show = function() cat("A:", x, "\\n")))')
    assert session.run('A$new(x = 2)').result == 'A: 2 '


def test_error_in_a_print_method(session):
    session.run('print.zz <- function(x, ...) { cat("A\\n"); stop("cannot print") }')
    r = session.run('structure(1, class = "zz"); cat("not reached")')
    assert r.story == [('stdout', 'A\n'), ('error', 'simpleError')]
    assert r.reply['evalue'] == 'cannot print'
    assert session.run('1').result == '[1] 1'


def test_input_in_a_print_method(session):
    session.run('print.zz <- function(x, ...) { cat("A\\n"); readline("p "); cat("B\\n") }')
    assert session.run('structure(1, class = "zz")', inputs=['q']).story == [
        ('stdout', 'A\n'), ('input', 'p '), ('stdout', 'B\n')]


def test_very_large_value(session):
    session.run('print.big <- function(x, ...) { s <- strrep("x", 1e6); for (i in 1:70) cat(s) }')
    r = session.run('structure(1, class = "big")', timeout=60)
    assert r.result is None and len(r.out) == 70_000_000  # above the ceiling it goes on as text
    assert session.run('1').result == '[1] 1'


def test_last_value(session):
    session.run('40 + 2')
    assert session.run('.Last.value').result == '[1] 42'
    session.run('invisible("i")')
    assert session.run('.Last.value; y <- .Last.value').story == [('display_data', '[1] "i"')]


def test_task_callbacks(session):
    session.run('invisible(addTaskCallback(function(expr, value, ok, visible) '
                '{ cat("<", deparse(expr), value, ok, visible, ">"); TRUE }))')
    assert session.run('1 + 1; x <- 3').story == [
        ('display_data', '[1] 2'), ('stdout', '< 1 + 1 2 TRUE TRUE >< x <- 3 3 TRUE FALSE >')]


def test_no_frames_of_ours(session):
    assert session.run('sys.calls()').result == 'NULL'
    assert session.run('f <- function() sys.calls(); f()').result == '[[1]]\nf()\n'
    assert session.run('sys.nframe(); environmentName(parent.frame())').story[-1] == ('execute_result', '[1] "R_GlobalEnv"')
    r = session.run('tryCatch(withCallingHandlers(stop("x"), error = function(e) print(sys.call(1))), error = function(e) 0)')
    assert r.out.startswith('tryCatch(')


def test_nothing_is_left_lying_around(session):
    assert session.run('ls(all.names = TRUE)').result == 'character(0)'
    assert '.GlobalEnv' in session.run('search()').result and 'carrack' not in session.run('search()').result
    assert session.run('exists(".Random.seed")').result == '[1] FALSE'


def test_assignment_does_not_copy(session):
    session.run('x <- c(1, 2, 3)')
    session.run('a <- tracemem(x)')
    assert session.run('x[2] <- 5').story == []


def test_keep_source(session):
    code = 'f <- function(x) {\n  # a comment\n  x   +1\n}'
    session.run(code)
    assert session.run('f').result == code.removeprefix('f <- ')
    assert session.run('getSrcLocation(f, "line")').result == '[1] 1'
    session.run('\n\n  g <- function() 1 ')
    assert session.run('getSrcLocation(g, "line"); as.character(getSrcref(g))').story == [
        ('display_data', '[1] 3'), ('execute_result', '[1] "function() 1"')]
    session.run('options(keep.source = FALSE)')
    session.run(code)
    assert '# a comment' not in session.run('f').result


def test_line_ends_of_windows(session):
    assert session.run('x <- "foo\r\nbar"\r\nnchar(x)').result == '[1] 7'


@pytest.mark.parametrize('code, evalue', [
    ('foo)', "<text>:1:4: unexpected ')'\n1: foo)\n       ^"),
    ('a\nb\n5 5', '<text>:3:3: unexpected numeric constant\n2: b\n3: 5 5\n     ^'),
    ('x <- c(1,\n  2', 'incomplete input: the bracket that begins here has no end\n1: x <- c(1,\n         ^'),
    ('"abc\n"; "de', 'incomplete input: the string or name that begins here has no end\n2: "; "de\n      ^'),
    ('x <- 1\ny <- "a\\qb"', '\'\\q\' is an unrecognized escape in character string starting ""a\\q"\n2: y <- "a\\qb"\n           ^'),
])
def test_parse_errors_name_the_place(session, code, evalue):
    r = session.run(code)
    assert r.story == [('error', 'parseError')]
    assert r.reply['evalue'] == evalue
    assert r.reply['traceback'] == ('Error: ' + evalue).split('\n')
    assert {k: r.reply[k] for k in ('ename', 'evalue', 'traceback')} == r.error


def test_a_cell_that_does_not_parse_runs_nothing(session):
    assert session.run('x <- 1; cat("no")\ny <- )').story == [('error', 'parseError')]
    assert session.run('exists("x")').result == '[1] FALSE'
    r = session.run('1 +')
    assert r.reply['evalue'].startswith('incomplete input')


def test_nul_in_code(session):
    r = session.run('x <- 1\ny <- "a\0b"')
    assert r.reply['ename'] == 'parseError' and 'NUL' in r.reply['evalue'] and 'line 2' in r.reply['evalue']


@pytest.mark.parametrize('code, status, indent', [
    ('1 + 1', 'complete', None), ('', 'complete', None), ('# c', 'complete', None),
    ('f(', 'incomplete', '  '), ('f <- function(x) {\n  if (x) {', 'incomplete', '    '), ('x <-', 'incomplete', '  '),
    ('"abc', 'incomplete', ''), ('r"(a)', 'incomplete', ''), ('`a', 'incomplete', ''), ('a |>', 'incomplete', '  '),
    ('a |>\n  f() |>', 'incomplete', '  '), ('f({\n  y <- 1', 'incomplete', '  '),
    ('foo)', 'invalid', None), ('"\\q"', 'invalid', None), ('("(" # )\n', 'incomplete', '  ')])
def test_is_complete(session, code, status, indent):
    r = session.run(code, type='is_complete_request')
    assert r.reply == ({'status': status} if indent is None else {'status': status, 'indent': indent})
    assert r.story == []


def test_other_requests(session):
    r = session.run('x', type='nonsense_request')
    assert r.reply['status'] == 'error' and r.reply['ename'] == 'NotImplemented'
    assert session.run('1').result == '[1] 1'


def test_silent(session):
    r = session.run('1; cat("a"); message("b"); x <- 9; stop("c")', silent=True)
    assert r.story == [] and r.reply['evalue'] == 'c'
    assert session.run('x').result == '[1] 9'


def test_user_expressions(session):
    r = session.run('x <- 2', user_expressions={'a': 'x + 1', 'b': 'stop("ue")', 'c': '1 +', 'd': 'invisible(3)'})
    given = r.reply['user_expressions']
    assert given['a'] == {'status': 'ok', 'data': {'text/plain': '[1] 3', 'text/markdown': '3'}, 'metadata': {}}
    assert given['b']['status'] == 'error' and given['b']['evalue'] == 'ue' and given['b']['ename'] == 'simpleError'
    assert given['c']['ename'] == 'parseError'
    assert given['d']['data']['text/plain'] == '[1] 3'
    assert r.story == []
    assert session.run('.Last.value').result == '[1] 2'
    assert 'user_expressions' not in session.run('stop("no")', user_expressions={'a': '1'}).reply


def test_time_limits_begin_anew_with_each_expression(session):
    session.run('setTimeLimit(elapsed = 0.4)')
    for _ in range(3):
        assert session.run('Sys.sleep(0.25); 1').result == '[1] 1'
    r = session.run('repeat {}')
    assert r.reply['evalue'] == 'reached elapsed time limit'
    session.run('setTimeLimit()')
    session.run('setTimeLimit(elapsed = 0.2, transient = TRUE)')
    assert session.run('for (i in 1:4) Sys.sleep(0.1); 2').result == '[1] 2'


def test_many_expressions(session):
    r = session.run('\n'.join(f'x{i} <- {i}' for i in range(3000)) + '\nx2999')
    assert r.result == '[1] 2999'
