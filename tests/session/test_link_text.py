"""Text: order between stdout, stderr and frames, whoever writes; bytes, floods."""
import time

import pytest


def test_stdout_and_stderr_take_turns(session):
    story = session.run('for (i in 1:3) { cat(i); message(i) }').story
    assert story == [('stdout', '1'), ('stderr', '1\n'), ('stdout', '2'), ('stderr', '2\n'), ('stdout', '3'), ('stderr', '3\n')]


def test_children_take_turns_with_r(session):
    r = session.run('cat("a\\n"); system("echo b; echo c >&2"); cat("d\\n"); message("e"); system("echo f"); "g"')
    assert r.out == 'a\nb\nd\nf\n' and r.err == 'c\ne\n'
    assert r.story[-1] == ('execute_result', '[1] "g"')
    text = ''.join(t for k, t in r.story if k != 'execute_result')
    assert text.index('b') < text.index('d') < text.index('e') < text.index('f') and text.index('c') < text.index('d')


@pytest.mark.parametrize('late', [False, True])
def test_a_message_is_there_before_the_child_that_it_announces(session, late):
    session.late = late
    story = session.run('for (i in 1:20) { message("now ", i); system(paste("echo", i)) }').story
    assert story == [e for i in range(1, 21) for e in (('stderr', f'now {i}\n'), ('stdout', f'{i}\n'))]


def test_c_code_is_in_order(session, c_library):
    session.run(c_library)
    story = session.run('c_out("1\\n"); cat("2\\n"); message("3"); c_out("4"); message("5"); cat("6"); c_raw("7\\n"); 8').story
    assert story == [('stdout', '1\n2\n'), ('stderr', '3\n'), ('stdout', '4'), ('stderr', '5\n'), ('stdout', '67\n'),
                     ('execute_result', '[1] 8')]
    story = session.run('c_out("a"); print(1); c_err("b"); cat("c\\n")').story
    assert story == [('stdout', 'a[1] 1\n'), ('stderr', 'b'), ('stdout', 'c\n')]
    assert session.run('c_out("no line end")').story == [('stdout', 'no line end')]


def test_text_is_there_before_a_value_and_after(session):
    assert session.run('cat("a"); 1; cat("b"); 2').story == [
        ('stdout', 'a'), ('display_data', '[1] 1'), ('stdout', 'b'), ('execute_result', '[1] 2')]


def test_text_streams_while_the_cell_runs(session):
    session.begin('cat("."); Sys.sleep(1.5); cat(".")')
    session.wait_text('stdout', '.', timeout=1)
    assert session.finish().out == '..'


def test_bytes_that_are_not_utf8(session):
    assert session.run('cat("\\xe9\\n")').out == '\\xe9\n'
    assert session.run('"ok"').result == '[1] "ok"'


def test_flood(session):
    r = session.run('for (i in 1:20000) cat(i, "\\n")')
    assert r.out == ''.join(f'{i} \n' for i in range(1, 20001))
    assert len(session.run('cat(strrep("x", 2e7))').out) == 20_000_000
    assert session.run('for (i in 1:2000) { cat("a"); message("b", appendLF = FALSE) }').story == [
        ('stdout', 'a'), ('stderr', 'b')] * 2000


def test_r_waits_for_a_reader_that_does_not_read(session):
    session.begin('cat(strrep("x", 3e6)); cat("end")')
    time.sleep(0.5)
    assert len(session.finish().out) == 3_000_003


def test_warnings_come_after_the_value(session):
    assert session.run('log(-1)').story == [
        ('execute_result', '[1] NaN'), ('stderr', 'Warning message:\nIn log(-1) : NaNs produced\n')]
    assert session.run('warning("one"); warning("two")').err == 'Warning message:\none \nWarning message:\ntwo \n'
    r = session.run('f <- function() { warning("a"); warning("b"); 1 }; f()')
    assert r.err == 'Warning messages:\n1: In f() : a\n2: In f() : b\n'
    assert session.run('warnings()').result.startswith('Warning messages:\n1: In f() : a')


def test_option_warn(session):
    assert session.run('options(warn = 1); f <- function() { warning("w"); cat("after\\n") }; f()').story == [
        ('stderr', 'Warning in f() : w\n'), ('stdout', 'after\n')]
    r = session.run('options(warn = 2); as.integer("a")')
    assert r.story == [('error', 'simpleError')] and '(converted from warning)' in r.reply['evalue']
    assert session.run('options(warn = -1); as.integer("a")').story == [('execute_result', '[1] NA')]


def test_sinks(session):
    assert session.run('x <- capture.output({ print(1); cat("b\\n") }); x').result == '[1] "[1] 1" "b"    '
    assert session.run('tc <- textConnection("got", "w"); sink(tc, type = "message"); message("m"); '
                       'sink(type = "message"); close(tc); got').story == [('execute_result', '[1] "m"')]
