"""A crash costs the cell, not the session: what dies, what is said about it, and what is still there afterwards."""
import os
import re
import signal
import subprocess
import time

import pytest

LOST = 'A new R was started'
KEPT = 'The session goes on as it was before this cell'

C_CODE = r'''
#include <stdlib.h>
#include <signal.h>
#include <R.h>
#include <Rinternals.h>
static int *volatile nowhere;
SEXP c_segv(void) { return ScalarInteger(*nowhere + 1); }
SEXP c_abort(void) { abort(); }
SEXP c_quick_exit(void) { quick_exit(3); }
SEXP c_exit(void) { _exit(0); }
static volatile int never;
SEXP c_loop(void) { while (!never) {} return R_NilValue; }
extern int R_interrupts_pending;
SEXP c_late(void)
{
	while (!*(volatile int *)&R_interrupts_pending) {}
	for (volatile int i = 0; i < 3000000; i++) {} /* the signal to the process group is over */
	int status = system("sleep 600");
	R_CheckUserInterrupt();
	return ScalarInteger(status);
}
static int deep(volatile char *p) { volatile char big[4096]; big[0] = *p; return deep(big) + big[0]; }
SEXP c_deep(void) { char c = 1; return ScalarInteger(deep(&c)); }
'''


@pytest.fixture(scope='module')
def library(tmp_path_factory):
    place = tmp_path_factory.mktemp('crash')
    (place / 'crash.c').write_text(C_CODE)
    subprocess.run(['R', 'CMD', 'SHLIB', 'crash.c'], cwd=place, check=True, capture_output=True)
    return f'dyn.load("{place}/crash.so")'


@pytest.fixture
def r(start):
    kernel = start(session=None)
    kernel.expect_log('R was ended by signal', 'R ended unexpectedly', 'abandon', 'was abandoned')
    return kernel.client()


@pytest.mark.parametrize('how, words', [
    ('.Call("c_segv")', r'signal 11 \(Segmentation fault\)'),
    ('.Call("c_abort")', r'signal 6 \(Aborted\)'),
    ('.Call("c_quick_exit")', r'exit status 3'),
    ('.Call("c_exit")', r'exit status 0'),
    ('.Call("c_deep")', r'signal 11 \(Segmentation fault\)'),
    ('tools::pskill(Sys.getpid(), 9)', r'signal 9 \(Killed\).*memory'),
])
def test_the_crash_costs_the_cell(r, library, how, words):
    assert r.execute(library + '; x <- 41; set.seed(1); invisible(runif(1)); options(digits = 4); library(stats4)').status == 'ok'
    assert r.execute('here <- setwd(tempdir()); f <- function() 1; debug(f)').status == 'ok'
    cell = r.execute(f'cat("before\\n"); x <- 0; g <- function() {how}; g()')
    assert cell.status == 'error' and cell.stdout == 'before\n'
    assert cell.error['ename'] == 'SessionDied'
    assert re.search(words, cell.error['evalue'])
    story = '\n'.join(cell.error['traceback'])
    assert KEPT in story and LOST not in story and 'For a bug report' in story
    after = r.execute('cat(x, runif(1), getOption("digits"), "package:stats4" %in% search(), isdebugged(f), '
                      'normalizePath(getwd()) == normalizePath(tempdir()))')
    assert after.stdout == '41 0.3721 4 TRUE TRUE TRUE'
    assert r.execute('set.seed(1); y <- runif(2)[2]; cat(y)').stdout == '0.3721'


def test_the_report_names_frames_and_calls(r, library):
    r.execute(library)
    cell = r.execute('inner <- function() .Call("c_segv"); outer <- function() inner(); outer()')
    lines = cell.error['traceback']
    assert any(re.match(r'C: #\d+ +crash\.so +c_segv', line) for line in lines)
    assert [line for line in lines if line.startswith('R: ')][-2:] == ['R: inner()', 'R: outer()']


def test_again_and_again(r, library):
    r.execute(library + '; n <- 0')
    for i in range(5):
        assert r.execute('n <- n + 1').status == 'ok'
        assert KEPT in '\n'.join(r.execute('n <- 100; .Call("c_abort")').error['traceback'])
    assert r.execute('cat(n)').stdout == '5'


def test_queued_at_once(r, library):
    """Cells that a client sends without waiting: the copy is of the moment before the one that dies."""
    cells = [r.submit(code, stop_on_error=False) for code in
             (library, 'a <- 1', 'a <- a + 1', 'a <- 100; .Call("c_segv")', 'cat(a)')]
    r.wait_idle(*cells)
    assert cells[-1].stdout == '2'


def test_death_while_idle(r):
    r.execute('x <- 7')
    time.sleep(0.3)
    pid = int(r.execute('cat(Sys.getpid())').stdout)
    time.sleep(0.3)
    os.kill(pid, signal.SIGKILL)
    r.wait(lambda: any('while no cell ran' in m.content.get('text', '') for m in r.of_type('stream')), 'the news')
    assert r.execute('cat(x)').stdout == '7'


def test_without_snapshots(start, library):
    kernel = start(session=None, args=['--no-snapshots'])
    kernel.expect_log('R was ended by signal')
    r = kernel.client()
    r.execute(library + '; x <- 1')
    assert LOST in '\n'.join(r.execute('.Call("c_segv")').error['traceback'])
    assert r.execute('cat(exists("x"))').stdout == 'FALSE'


def test_the_option_turns_copies_off(r, library):
    r.execute(library + '; options(carrack.snapshots = FALSE)')
    r.execute('x <- 1')
    story = '\n'.join(r.execute('.Call("c_segv")').error['traceback'])
    assert 'lost: 2' in story or LOST in story and KEPT not in story
    assert r.execute('cat(exists("x"))').stdout == 'FALSE'


def test_a_cell_that_never_looks_for_interrupts(r, library):
    r.execute(library + '; x <- 1')
    cell = r.submit('x <- 2; cat("now\\n"); .Call("c_loop")')
    cell.wait_output('now')
    time.sleep(0.3)
    r.interrupt()
    r.wait(lambda: 'Interrupt once more' in cell.stderr, 'where R is')
    assert re.search(r'C: #\d+ +crash\.so +c_loop', cell.stderr)
    r.interrupt()
    cell.wait()
    assert cell.error['ename'] == 'interrupt' and 'abandoned' in cell.error['evalue']
    assert r.execute('cat(x)').stdout == '1'


def test_an_interrupt_just_before_a_child_is_started(r, library):
    """R does not look before it waits for one."""
    r.execute(library)
    cell = r.submit('cat("now\\n"); .Call("c_late"); cat("not here\\n")')
    cell.wait_output('now')
    r.interrupt()
    assert cell.wait().error['ename'] == 'interrupt' and 'Interrupt once more' not in cell.stderr and cell.stdout == 'now\n'


def test_a_stopped_child(r):
    r.execute('x <- 1')
    cell = r.submit('x <- 2; system("kill -STOP $$")')
    cell.wait_started()
    time.sleep(0.5)
    r.interrupt()
    r.wait(lambda: 'Interrupt once more' in cell.stderr or cell.done, 'what is going on')
    if not cell.done:
        r.interrupt()
    cell.wait()
    assert cell.status == 'error'
    assert r.execute('cat(x)').stdout in ('1', '2')


def test_a_parked_copy_holds_no_pipe_open(r, tmp_path):
    """close() on a pipe waits for its program, which waits for the end of the pipe."""
    r.execute(f'con <- pipe("cat > {tmp_path}/out", "w")')
    time.sleep(0.3)
    r.execute('cat("text", file = con)')
    time.sleep(0.3)
    assert r.execute('close(con)').status == 'ok'
    assert (tmp_path / 'out').read_text() == 'text'


def test_what_is_not_kept_is_said(r, library, tmp_path):
    r.execute(library + f'; con <- pipe("cat > {tmp_path}/out", "w")')
    story = '\n'.join(r.execute('.Call("c_segv")').error['traceback'])
    assert 'Not kept: 1 pipes or sockets' in story
    assert r.execute('try(cat("x", file = con), silent = TRUE); cat(1)').stdout == '1'


def test_no_copies_are_left(r, library):
    r.execute(library)
    for i in range(20):
        r.execute(f'x <- {i}')
    children = subprocess.run(['ps', '-o', 'stat=', '--ppid', str(int(r.execute('cat(Sys.getpid())').stdout))],
                              capture_output=True, text=True).stdout.split()
    assert len(children) <= 10
    assert len([s for s in children if not s.startswith('Z')]) <= 4


def test_restored_code_that_forks_and_uses_threads(r, library):
    r.execute(library + '; library(parallel); library(data.table); d <- data.table(a = 1:1e5, g = 1:10); d[, sum(a), by = g]')
    r.execute('.Call("c_segv")')
    assert r.execute('cat(unlist(mclapply(1:3, function(i) i^2, mc.cores = 2)))').stdout == '1 4 9'
    assert r.execute('cat(nrow(d[, sum(a), by = g]))').stdout == '10'
    assert r.execute('m <- matrix(1, 200, 200); cat(sum(m %*% m))').stdout == '8e+06'


def test_undo(start):
    kernel = start(session=None)
    r = kernel.client()
    assert 'no copy' in r.execute('.carrack_internal(tools())$carrack.undo()').error['evalue']
    r.execute('undo <- .carrack_internal(tools())$carrack.undo; x <- "first"')
    r.execute('x <- "second"; y <- 1')
    cell = r.execute('undo()')
    assert cell.status == 'ok' and 'as it was before the last cell' in cell.stderr
    assert r.execute('cat(x, exists("y"))').stdout == 'first FALSE'
    r.execute('x <- "third"')
    assert r.execute('cat(x)').stdout == 'third'
    r.execute('undo()')
    assert r.execute('cat(x)').stdout == 'third'


def test_undo_counts_the_users_cells(start):
    """What a client runs beside them (completion, silent code) is not what the user wants undone."""
    r = start(session=None).client()
    r.execute('undo <- .carrack_internal(tools())$carrack.undo; x <- "first"')
    time.sleep(0.3)
    r.execute('x <- "second"')
    time.sleep(0.3)
    r.ask('complete_request', {'code': 'x', 'cursor_pos': 1})
    r.execute('z <- 1', store_history=False)
    time.sleep(0.3)
    r.execute('z <- 2', silent=True)
    time.sleep(0.3)
    assert r.execute('undo()').status == 'ok'
    assert r.execute('cat(x, exists("z"))').stdout == 'first FALSE'
