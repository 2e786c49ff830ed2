"""Every way in which R's process can end: what was written before is seen, the error says how, reply and idle come, and the next cell runs
with the variables of before."""
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from carrack_client.kernel import build_path

KEPT = 'The session goes on as it was'

C_CODE = r'''
#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <R.h>
#include <Rinternals.h>
#include <Rinterface.h>
static int *volatile nowhere;
static volatile int zero;
static volatile size_t far = 200;
SEXP c_segv(void) { return ScalarInteger(*nowhere + 1); }
SEXP c_abort(void) { abort(); }
SEXP c_quick_exit(void) { quick_exit(3); }
SEXP c_exit(void) { exit(4); }
SEXP c_assert(void) { assert(zero == 1); return R_NilValue; }
SEXP c_bus(void)
{
	char name[] = "/tmp/carrack-bus-XXXXXX";
	int fd = mkstemp(name);
	unlink(name);
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	p[4096] = 1;
	return R_NilValue;
}
SEXP c_fpe(void) { return ScalarInteger((int)far / zero); }
SEXP c_ill(void) { __builtin_trap(); }
__attribute__((noinline)) static void smash(char *p) { memset(p, 'x', far); }
SEXP c_smash(void) { char small[16]; smash(small); return ScalarInteger(small[3]); }
static int deep(volatile char *p) { volatile char big[4096]; big[0] = *p; return deep(big) + big[0]; }
SEXP c_deep(void) { char c = 1; return ScalarInteger(deep(&c)); }
SEXP c_free(void) { char *volatile p = malloc(24); free(p); free(p); return R_NilValue; }
SEXP c_exec(void) { execl("/bin/sleep", "sleep", "100", (char *)NULL); return R_NilValue; }
SEXP c_exec_true(void) { execl("/bin/true", "true", (char *)NULL); return R_NilValue; }
SEXP c_stop(void) { raise(SIGSTOP); return R_NilValue; }
SEXP c_suicide(void) { R_Suicide("of our own"); return R_NilValue; }
SEXP c_cpu(void)
{
	signal(SIGXCPU, SIG_DFL);
	raise(SIGXCPU);
	return R_NilValue;
}
static void *faulty(void *p) { usleep(20000); return (void *)(long)*nowhere; }
SEXP c_thread(void)
{
	pthread_t t;
	pthread_create(&t, NULL, faulty, NULL);
	pthread_join(t, NULL);
	return R_NilValue;
}
static void finalize(SEXP p) { c_segv(); }
SEXP c_finalizer(void)
{
	R_RegisterCFinalizer(R_MakeExternalPtr(NULL, R_NilValue, R_NilValue), finalize);
	return R_NilValue;
}
SEXP c_close_all(void) { for (int fd = 3; fd < 100; fd++) close(fd); return R_NilValue; }
'''
CPP_CODE = r'''
#include <stdexcept>
#include <exception>
#include <vector>
#include <R.h>
#include <Rinternals.h>
extern "C" SEXP cpp_throw(void) { throw std::runtime_error("nobody catches this"); }
extern "C" SEXP cpp_terminate(void) { std::terminate(); }
static void quiet() noexcept { throw 1; }
extern "C" SEXP cpp_noexcept(void) { quiet(); return R_NilValue; }
'''


def compile_library(place, name, code):
    (place / name).write_text(code)
    subprocess.run(['R', 'CMD', 'SHLIB', name], cwd=place, check=True, capture_output=True,
                   env={**os.environ, 'PKG_CFLAGS': '-O1 -fstack-protector-all -pthread -UNDEBUG -Wno-infinite-recursion',
                        'PKG_LIBS': '-pthread'})
    return f'invisible(dyn.load("{place}/{Path(name).stem}.so"))'


@pytest.fixture(scope='module')
def library(tmp_path_factory):
    place = tmp_path_factory.mktemp('deaths')
    return compile_library(place, 'deaths.c', C_CODE) + '; ' + compile_library(place, 'throws.cpp', CPP_CODE)


@pytest.fixture
def kernel(start):
    kernel = start(session=None)
    return kernel.expect_log('R was ended', 'R ended unexpectedly', 'the session is ended', 'R ends itself', 'was abandoned')


@pytest.fixture
def r(kernel, library):
    client = kernel.client()
    assert client.execute(library + '; x <- 41; library(stats4)').status == 'ok'
    return client


def check_alive(r, how):
    after = r.execute('cat(x, "package:stats4" %in% search())')
    assert after.stdout == '41 TRUE', (how, after.stdout, after.stderr, after.error)


def check_death(r, code, words, before='before\n'):
    r.execute('x <- 41')
    cell = r.execute(f'x <- 0; cat("before\\n"); {code}')
    story = '\n'.join(cell.error['traceback'])
    assert cell.status == 'error' and cell.stdout == before, (code, cell.stdout)
    assert cell.outputs[-1][0] == 'error' and cell.error['ename'] == 'SessionDied', (code, cell.error)
    assert re.search(words, cell.error['evalue']), (code, cell.error['evalue'])
    assert KEPT in story and 'For a bug report' in story, (code, story)
    check_alive(r, code)
    return cell


ABORTED, FAULT = r'signal 6 \(Aborted\)', r'signal 11 \(Segmentation fault\)'
WAYS = [
    ('.Call("c_segv")', FAULT),
    ('.Call("c_deep")', FAULT),
    ('.Call("c_thread")', FAULT),
    ('.Call("c_abort")', ABORTED),
    ('.Call("c_assert")', ABORTED),
    ('.Call("c_free")', ABORTED),
    ('.Call("c_smash")', ABORTED),
    ('.Call("cpp_throw")', ABORTED),
    ('.Call("cpp_terminate")', ABORTED),
    ('.Call("cpp_noexcept")', ABORTED),
    ('.Call("c_bus")', r'signal 7 \(Bus error\)'),
    ('.Call("c_fpe")', r'signal 8 \(Floating point exception\)'),
    ('.Call("c_ill")', r'signal 4 \(Illegal instruction\)'),
    ('.Call("c_cpu")', r'signal 24 \(CPU time limit exceeded\)'),
    ('.Call("c_quick_exit")', 'exit status 3'),
    ('.Call("c_exit")', 'exit status 4'),
    ('.Call("c_exec_true")', 'ended'),
    ('.Call("c_exec")', 'signal 9'),
    ('.Call("c_close_all")', ''),
    ('tools::pskill(Sys.getpid(), 9)', r'signal 9 \(Killed\)'),
    ('tools::pskill(Sys.getpid(), 15); Sys.sleep(5)', r'signal 15|ended'),
]


if b'libasan' in build_path('carrack-session').read_bytes():  # it is AddressSanitizer that ends R then, and rightly
    WAYS = [way for way in WAYS if way[0] not in ('.Call("c_free")', '.Call("c_smash")')]


@pytest.mark.parametrize('part', range(3))
def test_in_a_cell(r, part):
    for code, words in WAYS[part::3]:
        check_death(r, code, words)


PLACES = {
    'the display of a value': ('print.deadly <- function(x, ...) { cat("before\\n"); .Call("c_segv") }; x <- 41', 'structure(1, class = "deadly")'),
    'a plot': ('', 'plot(1:3, panel.first = { cat("before\\n"); .Call("c_segv") })'),
    'a finalizer': ('', '.Call("c_finalizer"); cat("before\\n"); invisible(gc())'),
    'a user interrupt handler': ('', 'cat("before\\n"); tryCatch(stop("e"), error = function(e) .Call("c_abort"))'),
    'a task callback': ('invisible(addTaskCallback(function(...) { if (isTRUE(get0("armed"))) { cat("before\\n"); .Call("c_segv") }; TRUE }))',
                        'armed <- TRUE'),
    'on.exit': ('', 'local({ on.exit(.Call("c_segv")); cat("before\\n"); stop("x") })'),
    'a callback of later': ('library(later)', 'later(function() { cat("before\\n"); .Call("c_segv") }, 0); run_now(1)'),
}


def test_in_odd_places(r):
    for place, (prepare, code) in PLACES.items():
        assert r.execute(f'x <- 41; {prepare}').status == 'ok', place
        cell = r.execute(code)
        assert cell.error, (place, cell.outputs, cell.reply)
        story = '\n'.join(cell.error['traceback'])
        assert cell.error['ename'] == 'SessionDied' and KEPT in story, (place, story)
        assert 'before\n' in cell.stdout, (place, cell.stdout)
        check_alive(r, place)


def test_in_the_loading_of_a_package(r, tmp_path):
    """.onLoad, as a package with a broken library has it."""
    package = tmp_path / 'source/deadly'
    (package / 'R').mkdir(parents=True)
    (package / 'DESCRIPTION').write_text('Package: deadly\nVersion: 1.0\nTitle: It Ends R\nDescription: On purpose.\nLicense: GPL-2\n'
                                         'Author: A\nMaintainer: A <a@b.c>\n')
    (package / 'NAMESPACE').write_text('')
    (package / 'R/load.R').write_text('.onLoad <- function(lib, pkg) { cat("before\\n"); tools::pskill(Sys.getpid(), 11); Sys.sleep(5) }\n')
    subprocess.run(['R', 'CMD', 'INSTALL', '--no-test-load', f'--library={tmp_path}', str(package)], check=True, capture_output=True)
    check_death(r, f'library(deadly, lib.loc = "{tmp_path}")', FAULT, 'before\nbefore\n')
    assert r.execute('cat("deadly" %in% loadedNamespaces())').stdout == 'FALSE'


def test_while_a_question_waits(r, kernel):
    cell = r.submit('x <- 0; cat("before\\n"); a <- readline("? ")')
    question = r.wait_input(cell)
    os.kill(kernel.find_session(), signal.SIGKILL)
    assert cell.wait().status == 'error' and cell.stdout == 'before\n'
    r.answer(question, 'too late')
    check_alive(r, 'readline')
    assert r.execute('cat(readline("? "))', inputs=['b']).stdout.endswith('b')


def test_during_a_task(r, kernel):
    """A request that is no cell: it has its empty reply, and the variables are still there."""
    for type, content in (('complete_request', {'code': 'x', 'cursor_pos': 1}), ('inspect_request', {'code': 'x', 'cursor_pos': 1, 'detail_level': 0}),
                          ('is_complete_request', {'code': 'x'})):
        r.execute('x <- 41')
        r.settle(0.3)
        pid = kernel.find_session()
        os.kill(pid, signal.SIGSTOP)
        request = r.request(type, content)
        r.settle(0.1)
        os.kill(pid, signal.SIGKILL)
        request.wait()
        check_alive(r, type)


def test_in_a_handler_of_a_comm(r):
    r.execute('m <- getOption("jupyter.comm_manager", NULL); cm <- IRkernel::comm_manager(); '
              'cm$register_target("deadly", function(comm, data) { cat("before\\n"); .Call("c_segv") })')
    r.settle(0.3)
    request = r.request('comm_open', {'comm_id': 'c1', 'target_name': 'deadly', 'data': {}})
    request.wait(reply=False)
    assert 'before\n' in request.stdout, request.outputs
    check_alive(r, 'comm')


def test_while_idle_of_a_callback(r):
    cell = r.execute('library(later); later(function() { cat("late\\n"); .Call("c_segv") }, 0.5)')
    r.wait(lambda: any('while no cell ran' in m.content.get('text', '') for m in r.of_type('stream')), 'the news')
    assert cell.status == 'ok'
    check_alive(r, 'later')


def test_a_stopped_process(r, kernel):
    """As a debugger leaves it: nothing answers, until the user gives the cell up."""
    cell = r.submit('x <- 0; cat("before\\n"); .Call("c_stop")').wait_output('before')
    r.settle(0.3)
    r.interrupt()
    r.wait(lambda: 'Interrupt once more' in cell.stderr, 'what is going on')
    r.interrupt()
    cell.wait()
    assert cell.error['ename'] == 'interrupt' and 'abandoned' in cell.error['evalue']
    check_alive(r, 'stop')


def test_r_ends_itself(r, kernel):
    """R_Suicide is R's own decision that it cannot go on; a crash like others for the user."""
    cell = check_death(r, '.Call("c_suicide")', ABORTED)
    assert cell.stderr == 'Fatal error: of our own\n'
    assert any('libR.so  R_Suicide' in line for line in cell.error['traceback'])


def test_at_start_three_times(start, tmp_path):
    profile = tmp_path / 'profile.R'
    profile.write_text('cat("in the profile\\n"); tools::pskill(Sys.getpid(), 11); Sys.sleep(10)\n')
    kernel = start(session=None, env={'R_PROFILE_USER': str(profile)}).expect_log('')
    r = kernel.client()
    cell = r.execute('1')
    assert cell.status == 'error'
    for words in ('signal 11', 'for the third time', 'in the profile', 'carrack doctor'):
        assert words in cell.error['evalue'], cell.error['evalue']
    assert r.kernel_info()['status'] == 'ok'
