"""Looking into a session that is busy, and subshells (JEP 91) with R in them."""
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from carrack_client.kernel import descendants

LOOP = 'i <- 0; cat("begun\\n"); while (TRUE) i <- i + 1'
C_CODE = r'''
#include <Rinternals.h>
static int *volatile nowhere;
SEXP c_segv(void) { return ScalarInteger(*nowhere + 1); }
static volatile int never;
SEXP c_loop(void) { while (!never) {} return R_NilValue; }
'''


@pytest.fixture(scope='module')
def library(tmp_path_factory):
    place = tmp_path_factory.mktemp('subshell')
    (place / 'sub.c').write_text(C_CODE)
    subprocess.run(['R', 'CMD', 'SHLIB', 'sub.c'], cwd=place, check=True, capture_output=True)
    return f'dyn.load("{place}/sub.so")'


@pytest.fixture
def r(start):
    return start(session=None).client()


def begin(r, code=LOOP):
    cell = r.submit(code)
    cell.wait_output('begun')
    return cell


def stop(r, cell):
    r.interrupt()
    cell.wait()
    assert cell.error['ename'] == 'interrupt' and cell.story()[0] == 'out:begun\n'


def complete(r, code):
    return r.ask('complete_request', {'code': code, 'cursor_pos': len(code)})['matches']


def comm(r, id, method, **params):
    """A request of the contract of Positron's comms; returns the request and what answered it."""
    message = r.request('comm_msg', {'comm_id': id, 'data': {'jsonrpc': '2.0', 'id': '1', 'method': method, 'params': params}})
    message.wait(reply=False)
    answers = [m.content['data'] for m in message.window() if m.type == 'comm_msg' and 'result' in m.content['data']]
    return message, answers[0]['result'] if answers else None


def variables(r):
    r.request('comm_open', {'comm_id': 'v', 'target_name': 'positron.variables', 'data': {}}).wait(reply=False)


def value_of(r, name):
    _, result = comm(r, 'v', 'list')
    return next((v['display_value'] for v in result['variables'] if v['display_name'] == name), None)


def test_completion_and_inspection_while_a_loop_runs(r):
    r.execute('apple_of_mine <- 1:10')
    cell = begin(r)
    assert complete(r, 'apple_of_') == ['apple_of_mine']
    shown = r.ask('inspect_request', {'code': 'apple_of_mine', 'cursor_pos': 3, 'detail_level': 0})
    assert shown['found'] and 'apple_of_mine' in str(shown['data'])
    assert r.ask('is_complete_request', {'code': 'f('})['status'] == 'incomplete'
    assert complete(r, 'apple_of_') == ['apple_of_mine'] and not cell.done
    stop(r, cell)
    assert r.execute('cat(i > 0, apple_of_mine[10])').stdout == 'TRUE 10'


def test_completion_while_sys_sleep_waits(r):
    r.execute('apple_of_mine <- 1')
    begun = time.monotonic()
    cell = begin(r, 'cat("begun\\n"); Sys.sleep(6); cat("slept\\n"); 6 * 7')
    assert complete(r, 'apple_of_') == ['apple_of_mine'] and not cell.done
    cell.wait()
    assert cell.story() == ['out:begun\nslept\n', 'execute_result'] and cell.result == '[1] 42'
    assert time.monotonic() - begun >= 6


def test_what_never_comes_to_a_safe_point_is_answered_by_the_parked_copy(r, library):
    r.execute(library + '; apple_of_mine <- 1')
    time.sleep(1)  # until a copy is parked
    cell = begin(r, 'apple_of_yours <- 2; cat("begun\\n"); system("sleep 8"); cat("slept\\n")')
    assert complete(r, 'apple_of_') == ['apple_of_mine'] and not cell.done  # from before the cell
    cell.wait()
    assert cell.stdout == 'begun\nslept\n'
    assert sorted(complete(r, 'apple_of_')) == ['apple_of_mine', 'apple_of_yours']


def test_a_cell_is_not_disturbed_by_many_looks(r):
    cell = begin(r, 'cat("begun\\n"); on.exit(cat("exit\\n")); s <- 0; n <- 0; end <- Sys.time() + 6; x <- 1:1000\n'
                    'withCallingHandlers(while (Sys.time() < end) { n <- n + 1; s <- s + sum(x); if (n %% 2000 == 0) message(sprintf("%d", n)) }, '
                    'message = function(m) { cat(conditionMessage(m)); invokeRestart("muffleMessage") })\n'
                    'stopifnot(s == n * 500500); warning("at the end"); .Last.value; "fine"')
    looks = 0
    while not cell.done:
        assert r.ask('complete_request', {'code': 'mea', 'cursor_pos': 3})['matches']
        looks += 1
    assert cell.status == 'ok' and cell.result == '[1] "fine"' and looks > 3
    numbers = [int(line) for line in cell.stdout.split() if line.isdigit()]
    assert numbers == list(range(2000, 2000 * len(numbers) + 1, 2000)) and numbers
    assert cell.stderr.count('at the end') == 1


def test_a_variables_pane_shows_the_progress(r):
    variables(r)
    cell = begin(r)
    seen = [float(value_of(r, 'i'))]
    end = time.monotonic() + 60
    while len(set(seen)) < 3 and time.monotonic() < end:
        time.sleep(0.3)
        seen.append(float(value_of(r, 'i')))
    assert len(set(seen)) >= 3 and seen == sorted(seen) and not cell.done
    stop(r, cell)
    assert float(value_of(r, 'i')) >= seen[-1]


def test_what_does_more_than_look_waits(r):
    """clear changes the session: it is done there, after the cell, and what comes after it for this comm comes after it."""
    variables(r)
    cell = begin(r, 'cat("begun\\n"); i <- 5; Sys.sleep(4); i <- i + 1')
    clear = r.request('comm_msg', {'comm_id': 'v', 'data': {'jsonrpc': '2.0', 'id': '1', 'method': 'clear', 'params': {}}})
    listed = r.request('comm_msg', {'comm_id': 'v', 'data': {'jsonrpc': '2.0', 'id': '2', 'method': 'list', 'params': {}}})
    assert complete(r, 'mea') and not cell.done and not clear.messages() and not listed.messages()
    for message in (cell.wait(), clear.wait(reply=False), listed.wait(reply=False)):
        assert message.done
    assert clear.messages()[0].date > cell.messages()[-1].date and listed.messages()[0].date > clear.messages()[-1].date
    assert r.execute('cat(exists("i"))').stdout == 'FALSE'


def test_quick_cells_keep_the_order_of_the_channel(r):
    for n in range(20):
        cell = r.submit(f'apple_{n} <- 1; Sys.sleep(0.02)')
        assert complete(r, f'apple_{n}') == [f'apple_{n}']
        assert cell.wait().status == 'ok'


# ---- subshells


def test_a_subshell_runs_code_beside_the_main_shell(r):
    r.execute('x <- 1')
    cell = begin(r)
    s = r.subshell()
    first = s.execute('x <- x + 10; y <- exists("i"); cat("here\\n"); message("there"); f <- function() sys.nframe(); x + f()')
    assert first.status == 'ok' and first.count == 1 and first.result == '[1] 12'
    assert first.story() == ['out:here\n', 'err:there\n', 'execute_result']
    assert 'stays in this subshell' in first.replies[0].metadata['carrack']['subshell']
    second = s.execute('cat(x, y, sys.nframe()); stop("no")')
    assert second.stdout == '11 TRUE 0' and second.count == 2 and second.error['evalue'] == 'no'
    assert s.ask('inspect_request', {'code': 'f', 'cursor_pos': 1, 'detail_level': 0})['found']
    assert not cell.done
    stop(r, cell)
    after = r.execute('cat(x, exists("y")); 1')
    assert after.stdout == '1 FALSE' and after.count == 3
    assert s.execute('cat(x, exists("i"))').stdout == '11 TRUE'
    assert 'subshell' not in after.replies[0].metadata['carrack']


def test_each_has_its_own_order_and_its_own_state(r):
    r.execute('x <- 0')
    cell = begin(r)
    shells = [r.subshell() for _ in range(3)]
    cells = [[s.submit(f'x <- x + {n + 1}; Sys.sleep(0.1); cat(x)') for _ in range(3)] for n, s in enumerate(shells)]
    for c in sum(cells, []):
        c.wait()
    for n, mine in enumerate(cells):
        assert [c.stdout for c in mine] == [str((n + 1) * k) for k in (1, 2, 3)]
        assert [c.count for c in mine] == [1, 2, 3]
    stop(r, cell)


def test_an_error_aborts_the_subshells_cells_and_no_others(r):
    s, t = r.subshell(), r.subshell()
    cells = [s.submit('Sys.sleep(0.5); stop("e")'), s.submit('1'), t.submit('2'), r.submit('3')]
    r.wait_idle(*cells)
    assert [c.wait().status for c in cells] == ['error', 'aborted', 'ok', 'ok']


def test_displays_plots_warnings_and_input(r):
    cell = begin(r)
    s = r.subshell()
    plot = s.execute('plot(1:3); data.frame(a = 1:2)')
    assert [t for t, _ in plot.outputs] == ['display_data', 'execute_result']
    assert 'image/png' in plot.outputs[0][1]['data'] or 'image/svg+xml' in plot.outputs[0][1]['data']
    assert 'careful' in s.execute('warning("careful")').stderr
    assert s.execute('cat(readline("name? "))', inputs=['Ada']).stdout == 'Ada'
    assert not cell.done
    stop(r, cell)
    assert r.execute('length(dev.list())').result == '[1] 0'


def test_the_warnings_of_the_cell_that_runs_are_its_own(r):
    cell = begin(r, 'f <- function() { warning("of the cell"); cat("begun\\n"); Sys.sleep(5) }; f()')
    assert r.subshell().execute('1').story() == ['execute_result']
    assert 'of the cell' in cell.wait().stderr


def test_a_crash_in_a_subshell(r, library):
    r.kernel.expect_log('subshell')
    r.execute(library + '; x <- 1')
    s = r.subshell()
    s.execute('x <- 2')
    died = s.execute('cat("before\\n"); f <- function() .Call("c_segv"); f()')
    assert died.error['ename'] == 'SubshellDied' and 'signal 11 (Segmentation fault)' in died.error['evalue']
    assert died.story() == ['out:before\n', 'error'] and 'R: f()' in died.error['traceback']
    assert s.execute('cat(x)').stdout == '1'  # a new copy
    killed = s.execute('tools::pskill(Sys.getpid(), 9); Sys.sleep(5)')
    assert killed.error['ename'] == 'SubshellDied'
    assert r.execute('cat(x, file.exists(tempdir()))').stdout == '1 TRUE'


def test_q_in_a_subshell(r):
    r.execute('x <- 1; .Last <- function() cat("last\\n"); reg.finalizer(globalenv(), function(e) cat("finalizer\\n"), onexit = TRUE)')
    s = r.subshell()
    s.execute('x <- 2')
    left = s.execute('cat("bye\\n"); q()')
    assert left.status == 'ok' and left.reply['payload'] == [] and left.story() == ['out:bye\n']
    assert s.execute('cat(x)').stdout == '1'
    assert s.execute('q(status = 3)').status == 'error'
    assert r.execute('cat(x, file.exists(tempdir()))').stdout == '1 TRUE'
    r.execute('rm(.Last)')


def test_an_interrupt_is_for_the_main_shell_if_it_runs_something(r):
    s = r.subshell()
    main, sub = begin(r), s.submit('cat("sub\\n"); while (TRUE) 1').wait_output('sub')
    stop(r, main)
    assert not sub.done
    r.interrupt()
    assert sub.wait().error['ename'] == 'interrupt'
    assert s.execute('cat("alive")').stdout == 'alive'


def test_an_interrupt_that_names_a_subshell(r):
    """... is for its cell alone, whatever else runs."""
    a, b = r.subshell(), r.subshell()
    main, one, two = begin(r), *(s.submit('cat("sub\\n"); while (TRUE) 1').wait_output('sub') for s in (a, b))
    assert a.ask('interrupt_request', channel='control') == {'status': 'ok'}
    assert one.wait().error['ename'] == 'interrupt' and not main.done and not two.done
    b.ask('interrupt_request', channel='control')
    assert two.wait().error['ename'] == 'interrupt' and not main.done
    stop(r, main)
    b.delete()
    assert b.ask('interrupt_request', channel='control')['ename'] == 'SubshellNotFound'
    assert a.execute('cat("alive")').stdout == 'alive'


def test_a_subshells_cell_that_never_looks_for_interrupts(r, library):
    r.execute(library + '; x <- 1')
    s, other = r.subshell(), r.subshell()
    other.execute('y <- 5')
    s.execute('x <- 2')
    cell = s.submit('x <- 3; cat("deaf\\n"); .Call("c_loop")').wait_output('deaf')
    waiting = s.submit('cat(x)', stop_on_error=False)
    r.interrupt()
    r.wait(lambda: 'Interrupt once more' in cell.stderr, 'where R is')
    assert re.search(r'C: #\d+ +sub\.so +c_loop', cell.stderr) and "subshell's process" in cell.stderr
    r.interrupt()
    assert cell.wait().error['ename'] == 'interrupt' and 'abandoned' in cell.error['evalue']
    assert waiting.wait().status == 'aborted'  # as after any error
    assert s.execute('cat(x)').stdout == '1'  # a new copy
    assert other.execute('cat(y)').stdout == '5' and r.execute('cat(x)').stdout == '1'
    cell = s.submit('cat("soft\\n"); repeat 1').wait_output('soft')  # the count begins anew
    r.interrupt()
    assert cell.wait().error['ename'] == 'interrupt' and cell.stderr == ''


def test_cells_while_the_main_shell_comes_to_no_safe_point(r):
    """They run in a copy of the parked process, and say so; it stays when that one is replaced."""
    r.execute('x <- 1')
    time.sleep(0.5)
    main = begin(r, 'x <- 2; cat("begun\\n"); system("sleep 600")')
    s = r.subshell()
    cell = s.execute('cat(x); y <- 5')
    assert cell.stdout == '1' and not main.done
    assert 'before the cell that was running' in cell.replies[0].metadata['carrack']['subshell']
    r.interrupt()
    main.wait()
    for i in range(3):
        r.execute('x <- x + 1')
        time.sleep(0.3)
    assert s.execute('cat(x, y)').stdout == '1 5'
    sub = s.submit('cat("sub\\n"); repeat 1').wait_output('sub')
    assert s.delete() == {'status': 'ok'} and sub.wait().status == 'error'
    other = r.subshell().execute('cat(x)')
    assert 'before' not in other.replies[0].metadata['carrack']['subshell'] and int(other.stdout) >= 4


@pytest.mark.parametrize('full', ['usage[["current"]] > 0.9 * usage[["size"]]', 'usage[["eval_depth"]] > 460'])
def test_copies_that_are_made_deep_in_a_recursion(r, full):
    """They have R's stacks for themselves."""
    r.execute('f <- function() { usage <- Cstack_info(); if (%s) { cat("begun\\n"); Sys.sleep(600) } else f() }; '
              'g <- function(n) if (n == 0) 0 else 1 + g(n - 1); options(expressions = %d)'
              % (full, 5000 if 'current' in full else 500))
    cell = begin(r, 'f()')
    assert 'median' in complete(r, 'medi')
    s = r.subshell()
    deep = s.execute('cat(g(100), round(summary(lm(dist ~ speed, cars))$r.squared, 3))')
    assert (deep.status, deep.stdout) == ('ok', '100 0.651'), deep.reply
    assert s.execute('h <- function() h(); r <- tryCatch(h(), error = function(e) "too deep"); cat(r)').stdout == 'too deep'
    assert s.execute('cat(Cstack_info()[["current"]] < 1e6)').stdout == 'TRUE'
    stop(r, cell)


def test_deleting_one_that_runs(r):
    s = r.subshell()
    cells = [s.submit('cat("sub\\n"); repeat 1').wait_output('sub'), s.submit('2'), s.request('complete_request', {'code': 'x'})]
    assert s.delete() == {'status': 'ok'}
    r.wait_idle(*cells)
    assert [c.wait().status for c in cells] == ['error'] * 3
    assert cells[0].error['ename'] == 'SubshellDeleted'
    assert s.ask('complete_request', {'code': 'x'})['ename'] == 'SubshellNotFound'
    assert r.execute('cat(1)').stdout == '1'


def test_the_end_of_the_main_session_ends_them(r):
    r.kernel.expect_log('R was ended by signal')
    r.execute('x <- 1')
    s = r.subshell()
    s.execute('x <- 2')
    running, waiting = s.submit('cat("sub\\n"); repeat 1').wait_output('sub'), s.submit('cat(x)', stop_on_error=False)
    assert r.execute('tools::pskill(Sys.getpid(), 9); Sys.sleep(9)').status == 'error'
    assert running.wait().status == 'error' and waiting.wait().status == 'aborted'
    assert s.execute('cat(x)').stdout == '1'
    assert r.execute('cat(x)').stdout == '1'


def test_a_shutdown_ends_them(r):
    s = r.subshell()
    main, sub = begin(r), s.submit('cat("sub\\n"); repeat 1').wait_output('sub')
    r.shutdown()
    r.kernel.wait_exit()
    assert main.status == 'error' and sub.status == 'error'


def test_no_more_than_sixteen_run_code(r):
    shells = [r.subshell() for _ in range(17)]
    for s in shells[:16]:
        assert s.execute('Sys.getpid()').status == 'ok'
    assert '16 subshells' in shells[16].execute('1').error['evalue']
    shells[3].delete()
    assert shells[16].execute('1').status == 'ok'


def test_a_hundred_subshells_leave_nothing(r):
    session = int(r.execute('cat(Sys.getpid())').stdout)
    kernel = r.kernel

    def count():
        fds = [os.readlink(f) for f in Path(f'/proc/{kernel.pid}/fd').iterdir() if f.is_symlink()]
        return len([f for f in fds if 'history' not in f]), len(descendants(kernel.pid))
    time.sleep(1)
    before = count()
    for n in range(100):
        s = r.subshell()
        if n % 4 == 0:
            assert s.execute(f'cat({n})').stdout == str(n)
        assert s.delete()['status'] == 'ok'
    assert r.ask('list_subshell_request', channel='control')['subshell_id'] == []
    end = time.monotonic() + 20
    while count() != before and time.monotonic() < end:
        time.sleep(0.2)
    assert count() == before
    time.sleep(1)  # the last parked copy that was replaced is reaped
    children = Path(f'/proc/{session}/task/{session}/children').read_text().split()
    states = [Path(f'/proc/{c}/stat').read_text().rsplit(')', 1)[1].split()[0] for c in children]
    assert 'Z' not in states


def test_widgets_as_jupyterlab_sends_them(r):
    """JupyterLab 4 makes a subshell for comms: what is opened, sent and closed there is the session's."""
    s = r.subshell()
    opened = s.request('comm_open', {'comm_id': 'v', 'target_name': 'positron.variables', 'data': {}}).wait(reply=False)
    assert [m.content['data']['method'] for m in opened.window() if m.type == 'comm_msg'] == ['refresh']
    assert 'v' in r.ask('comm_info_request', {})['comms']
    r.execute('x <- 3')
    cell = begin(r)
    assert value_of(s, 'x') == '3' and float(value_of(s, 'i')) >= 0 and not cell.done
    deleted = s.request('comm_msg', {'comm_id': 'v', 'data': {'jsonrpc': '2.0', 'id': '9', 'method': 'delete', 'params': {'names': ['x']}}})
    r.settle(0.5)
    assert not deleted.messages()
    stop(r, cell)
    deleted.wait(reply=False)
    assert r.execute('cat(exists("x"))').stdout == 'FALSE'
    s.request('comm_close', {'comm_id': 'v', 'data': {}}).wait(reply=False)
    assert r.ask('comm_info_request', {})['comms'] == {}
    assert s.delete() == {'status': 'ok'}


def test_forks_threads_and_children_in_a_subshell(r):
    s = r.subshell()
    cell = begin(r)
    assert s.execute('cat(unlist(parallel::mclapply(1:4, function(i) i^2, mc.cores = 2)))').stdout == '1 4 9 16'
    assert s.execute('cat(system("echo out; echo err >&2", intern = TRUE))').stdout == 'out'
    assert s.execute('f <- tempfile(); cat("a", file = f); cat(readLines(f, warn = FALSE))').stdout == 'a'
    stop(r, cell)


def test_a_killed_kernel_leaves_no_copy(r):
    s = r.subshell()
    s.submit('cat("sub\\n"); repeat 1').wait_output('sub')
    begin(r)
    r.kernel.killed = True
    os.kill(r.kernel.pid, signal.SIGKILL)
    r.kernel.process.wait()
    assert r.kernel.left() == []
