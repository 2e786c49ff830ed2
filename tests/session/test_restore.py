"""After a crash R goes on from the copy that was parked before the cell. What packages and libraries hold in memory, in threads and in
open files is what makes that hard: each is used before the crash, and must work in the session that follows."""
import http.server
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

KEPT = 'The session goes on as it was before this cell'
C_CODE = r'''
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <fcntl.h>
#include <unistd.h>
#include <R.h>
#include <Rinternals.h>
/* As code is that asks for its threads itself, whatever omp_set_num_threads said. */
SEXP c_omp(SEXP n)
{
	int threads = 0;
	double sum = 0;
#pragma omp parallel for num_threads(Rf_asInteger(n)) reduction(+ : sum)
	for (int i = 0; i < 1000000; i++) {
		sum += 1;
		if (i == 0)
			threads = omp_get_num_threads();
	}
	SEXP out = PROTECT(Rf_allocVector(REALSXP, 2));
	REAL(out)[0] = sum;
	REAL(out)[1] = threads;
	UNPROTECT(1);
	return out;
}
static void *pointed(SEXP p) { return R_ExternalPtrAddr(p); }
SEXP c_pointer(void)
{
	int *p = malloc(sizeof *p);
	*p = 7;
	return R_MakeExternalPtr(p, R_NilValue, R_NilValue);
}
SEXP c_add(SEXP p) { return Rf_ScalarInteger(++*(int *)pointed(p)); }
static char path[1000];
static void finalize(SEXP p)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	(void)!write(fd, "x", 1);
	close(fd);
}
SEXP c_final(SEXP file)
{
	strncpy(path, CHAR(STRING_ELT(file, 0)), sizeof path - 1);
	SEXP p = PROTECT(R_MakeExternalPtr(path, R_NilValue, R_NilValue));
	R_RegisterCFinalizerEx(p, finalize, TRUE);
	UNPROTECT(1);
	return p;
}
static char *mapped[2];
SEXP c_map(SEXP file)
{
	int fd = open(CHAR(STRING_ELT(file, 0)), O_RDWR);
	mapped[0] = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	mapped[1] = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	close(fd);
	return R_NilValue;
}
SEXP c_mapped(void) { char s[3] = {++mapped[0][0], ++mapped[1][0] + 'a', 0}; return Rf_mkString(s); }
'''


@pytest.fixture(scope='module')
def library(tmp_path_factory):
    place = tmp_path_factory.mktemp('restore')
    (place / 'restore.c').write_text(C_CODE)
    subprocess.run(['R', 'CMD', 'SHLIB', 'restore.c'], cwd=place, check=True, capture_output=True,
                   env={**os.environ, 'PKG_CFLAGS': '-fopenmp', 'PKG_LIBS': '-fopenmp'})
    return f'invisible(dyn.load("{place}/restore.so"))'


@pytest.fixture
def kernel(start):
    return start(session=None).expect_log('R was ended by signal')


@pytest.fixture
def r(kernel):
    return kernel.client()


def run(r, code):
    cell = r.execute(code)
    assert cell.status == 'ok', (code, cell.error, cell.stderr)
    return cell.stdout


def crash(r, code=''):
    """A cell that ends R, after some other work; the lines that say what is kept and what is not."""
    r.settle(0.3)
    cell = r.execute(f'{code}\ntools::pskill(Sys.getpid(), 11); Sys.sleep(20)')
    assert cell.error['ename'] == 'SessionDied' and KEPT in '\n'.join(cell.error['traceback']), cell.error
    return [line for line in cell.error['traceback'] if line.startswith('Not kept')]


def test_what_is_in_memory(r):
    """Options, random numbers, attached and loaded packages, debugging and tracing, directory, environment, S4 and R6 objects."""
    run(r, 'library(stats4); library(R6); invisible(loadNamespace("digest")); set.seed(3); a <- runif(3); options(digits = 4, scipen = 7)')
    run(r, 'old <- setwd(tempdir()); Sys.setenv(OF_THE_TEST = "1"); Sys.setlocale("LC_COLLATE", "C"); f <- function(n) n + 1; debug(f); g <- function(n) n')
    run(r, 'setClass("P", representation(x = "numeric")); setGeneric("area", function(o) standardGeneric("area")); '
           'setMethod("area", "P", function(o) o@x^2); p <- new("P", x = 3)')
    run(r, 'Counter <- R6Class("Counter", public = list(n = 0, add = function() { self$n <- self$n + 1; invisible(self) })); k <- Counter$new(); k$add()$add()')
    run(r, 'e <- new.env(); e$self <- e; makeActiveBinding("act", function() 42, e); delayedAssign("lazy", {forced <<- TRUE; 5}); forced <- FALSE')
    run(r, 'long <- 1:1e9; deferred <- as.character(1:10); w <- .Machine$integer.max; invisible(trace(g, quote(cat("traced\\n")), print = FALSE))')
    crash(r, 'set.seed(9); runif(5); options(digits = 9); detach("package:stats4"); undebug(f); suppressMessages(untrace(g)); setwd(old); '
             'Sys.setenv(OF_THE_TEST = "2"); k$add(); p@x <- 0; removeMethod("area", "P"); rm(e); lazy; long <- 1')
    assert run(r, 'cat(getOption("digits"), getOption("scipen"), "package:stats4" %in% search(), "digest" %in% loadedNamespaces())') == '4 7 TRUE TRUE'
    assert run(r, 'b <- runif(2); set.seed(3); invisible(runif(3)); cat(identical(b, runif(2)))') == 'TRUE'
    assert run(r, 'cat(isdebugged(f), is(g, "functionWithTrace"), normalizePath(getwd()) == normalizePath(tempdir()), Sys.getenv("OF_THE_TEST"))') == 'TRUE TRUE TRUE 1'
    assert run(r, 'x <- g(3); cat(x)') == 'traced\n3'
    assert run(r, 'cat(area(p), k$add()$n, identical(e, e$self), e$act, forced, lazy, forced)') == '9 3 TRUE 42 FALSE 5 TRUE'
    assert run(r, 'cat(length(long), long[1e9], deferred[10])') == '1000000000 1000000000 10'


def test_debugging_goes_on(r):
    run(r, 'f <- function(n) {\n  m <- n * 2\n  m + 1\n}\ndebug(f)')
    crash(r, 'undebug(f)')
    cell = r.execute('cat(f(4))', inputs=['n', 'n', 'm', 'c'])
    assert '8' in cell.stdout and cell.stdout.endswith('9'), cell.stdout


def test_data_table_and_its_threads(r):
    run(r, 'library(data.table); setDTthreads(2); d <- data.table(a = 1:2e5, g = rep(1:100, 2000)); x <- d[, sum(a), by = g]; setkey(d, g)')
    crash(r, 'd[, a := 0L]; d <- 1')
    assert run(r, 'cat(nrow(d), d[, sum(as.numeric(a))], nrow(d[, sum(a), by = g]), key(d))') == '200000 20000100000 100 g'
    assert run(r, 'setDTthreads(2); d[, b := a * 2L]; f <- tempfile(); fwrite(d, f); cat(identical(fread(f)$b, d$b), d[order(-a)]$a[1])') == 'TRUE 200000'


def test_threads_of_openmp(r, library):
    """The pool of threads is let go before the copy is made: it has them anew, also where code asks for a number of its own."""
    run(r, library)
    assert run(r, 'cat(.Call("c_omp", 2L))') == '1e+06 2'
    lost = crash(r, '.Call("c_omp", 2L)')
    assert not [line for line in lost if 'threads' in line]
    assert run(r, 'cat(.Call("c_omp", 2L)); cat(" "); cat(.Call("c_omp", 4L))') == '1e+06 2 1e+06 4'
    crash(r)
    assert run(r, 'cat(.Call("c_omp", 3L))') == '1e+06 3'


def test_blas(r):
    run(r, 'm <- matrix(as.numeric(1:250000), 500); a <- m %*% m; s <- solve(crossprod(m[, 1:20]) + diag(20))')
    crash(r, 'a <- m %*% m')
    assert run(r, 'cat(identical(a, m %*% m), dim(solve(crossprod(m[, 1:20]) + diag(20))), length(svd(m[, 1:50])$d))') == 'TRUE 20 20 50'


@pytest.fixture
def openblas(start):
    """A session whose BLAS is OpenBLAS with a pool of threads."""
    [place] = Path('/usr/lib').glob('*/openblas-pthread')  # of the package libopenblas0-pthread
    home = subprocess.run(['R', 'RHOME'], check=True, capture_output=True, text=True).stdout.strip()
    env = {'R_LD_LIBRARY_PATH': f'{place}:{home}/lib', 'OPENBLAS_NUM_THREADS': '4'}
    r = start(session=None, env=env).expect_log('R was ended by signal').client()
    assert 'openblas' in run(r, 'cat(extSoftVersion()[["BLAS"]])')
    return r


THREADS = f'length(list.files("/proc/self/task")) >= {min(os.cpu_count(), 4)}'  # OpenBLAS has no more than cores


def test_a_blas_with_threads(openblas):
    """Its pool is ended before each fork, and there again when it is needed: in the session, after a crash, and in a copy that serves."""
    r = openblas
    run(r, 'm <- matrix(as.numeric(1:250000), 500); a <- m %*% m')
    run(r, f'b <- m %*% m; stopifnot(identical(a, b), {THREADS})')
    lost = crash(r, 'a <- m %*% m')
    assert not [line for line in lost if 'threads' in line], lost
    assert run(r, f'cat(identical(a, m %*% m), {THREADS}, length(svd(m[, 1:50])$d))') == 'TRUE TRUE 50'
    crash(r)
    assert run(r, 'cat(identical(a, m %*% m))') == 'TRUE'
    s = r.subshell()
    assert s.execute('cat(identical(a, m %*% m), dim(solve(crossprod(m[, 1:20]) + diag(20))))').stdout == 'TRUE 20 20'
    cell = r.submit('cat("begun\\n"); repeat m %*% m')
    cell.wait_output('begun')
    other = r.subshell()
    assert other.execute('cat(identical(a, m %*% m))').stdout == 'TRUE'
    r.interrupt()
    assert cell.wait().error['ename'] == 'interrupt'


def test_files_that_are_open(r, tmp_path):
    """Who reads goes on where it was before the cell; what was written stays."""
    (tmp_path / 'in').write_text(''.join(f'line {i}\n' for i in range(5000)))
    subprocess.run(['gzip', '-k', tmp_path / 'in'], check=True)
    run(r, f'a <- file("{tmp_path}/in", "r"); b <- gzfile("{tmp_path}/in.gz", "r"); o <- file("{tmp_path}/out", "w"); z <- gzfile("{tmp_path}/out.gz", "w")')
    run(r, 'x <- c(readLines(a, 1), readLines(b, 1)); cat("one\\n", file = o); cat("one\\n", file = z); t <- textConnection("p\\nq\\nr"); '
           'readLines(t, 1); v <- textConnection("got", "w"); cat("k\\n", file = v); w <- rawConnection(raw(0), "w"); writeBin(1:2, w)')
    crash(r, 'readLines(a, 4000); readLines(b, 4000); readLines(t); cat("two\\n", file = o); flush(o); close(v); close(w)')
    assert run(r, 'cat(readLines(a, 1), length(readLines(a)), readLines(b, 1), length(readLines(b)))') == 'line 1 4998 line 1 4998'
    assert run(r, 'cat(readLines(t), length(rawConnectionValue(w))); cat("l\\n", file = v); close(v); cat("", got)') == 'q r 8 k l'
    run(r, 'cat("three\\n", file = o); cat("three\\n", file = z); close(o); close(z); close(a); close(b)')
    assert (tmp_path / 'out').read_text() == 'one\ntwo\nthree\n'
    assert run(r, f'cat(readLines("{tmp_path}/out.gz"))') == 'one three'


def test_connections_to_others_end(r, tmp_path):
    """They are said to be lost, reading them gives the end and writing an error, nothing hangs, and new ones work."""
    listener = socket.create_server(('127.0.0.1', 0))
    server = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)
    server.RequestHandlerClass.log_message = lambda *a: None
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        run(r, f'p <- pipe("while :; do echo a; sleep 0.05; done", "r"); s <- socketConnection("127.0.0.1", {listener.getsockname()[1]}, open = "r+"); readLines(p, 1)')
        lost = crash(r)
        assert any('pipes or sockets' in line for line in lost)
        assert run(r, 'cat(length(suppressWarnings(readLines(s, 1))))') == '0'
        assert run(r, 'cat(length(suppressWarnings(readLines(p))) < 1000); try(cat("x\\n", file = s), silent = TRUE)') == 'TRUE'
        run(r, 'close(s); invisible(close(p))')
        assert run(r, f'cat(length(readLines(url("http://127.0.0.1:{server.server_address[1]}/"))) > 0, system("echo new", intern = TRUE))') == 'TRUE new'
    finally:
        server.shutdown()
        listener.close()


def test_later(r):
    """Its thread is gone; what was planned and what is planned anew is called all the same."""
    run(r, 'library(later); invisible(later(function() cat("old\\n"), 1.5)); n <- 0')
    crash(r)
    run(r, 'invisible(later(function() cat("new\\n"), 0.2))')
    r.wait(lambda: {'old', 'new'} <= set(''.join(m.content.get('text', '') for m in r.of_type('stream')).split()), 'both callbacks')
    assert run(r, 'later(function() n <<- 5, 0); run_now(1); cat(n)') == '5'


def test_httpuv(r):
    """A server of before has ended, and says so by refusing; R goes on. A new one is made after the package was loaded anew."""
    run(r, 'library(httpuv); app <- list(call = function(req) list(status = 200L, headers = list("Content-Type" = "text/plain"), body = "hello")); '
           'port <- randomPort(); s <- startServer("127.0.0.1", port, app)')
    lost = crash(r)
    assert any('threads' in line and 'httpuv' in line for line in lost), lost
    assert run(r, 'cat(1 + 1)') == '2'


def test_an_embedded_interpreter(r):
    """Tcl, as tcltk has it in R's process; reticulate's Python is of the same kind."""
    run(r, 'suppressWarnings(library(tcltk)); invisible(.Tcl("set a 5")); invisible(.Tcl("proc double {x} {expr {$x * 2}}")); f <- function() 7; cb <- .Tcl.callback(f)')
    crash(r, 'invisible(.Tcl("set a 6"))')
    assert run(r, 'cat(tclvalue(.Tcl("double $a")), tclvalue(.Tcl(paste("double", 3.5))), tclvalue(.Tcl("clock seconds")) > 0)') == '10 7.0 TRUE'


PYTHON = r'''
#include <dlfcn.h>
#include <Rinternals.h>
static void *library;
static void *function(const char *name) { return dlsym(library, name); }
SEXP c_begin(SEXP path)
{
	library = dlopen(CHAR(STRING_ELT(path, 0)), RTLD_NOW | RTLD_GLOBAL);
	if (!library)
		Rf_error("%s", dlerror());
	((void (*)(int))function("Py_InitializeEx"))(0);
	return R_NilValue;
}
SEXP c_run(SEXP code) { return Rf_ScalarInteger(((int (*)(const char *))function("PyRun_SimpleString"))(CHAR(STRING_ELT(code, 0)))); }
'''


def test_python_inside_r(r, tmp_path):
    """libpython in R's process, as reticulate has it: its state is R's, so are its threads; and what ends it ends R."""
    (tmp_path / 'py.c').write_text(PYTHON)
    subprocess.run(['R', 'CMD', 'SHLIB', 'py.c'], cwd=tmp_path, check=True, capture_output=True, env={**os.environ, 'PKG_LIBS': '-ldl'})
    [path] = sorted(Path('/usr/lib').glob('*/libpython3.*.so.1.0'))[:1]
    run(r, f'dyn.load("{tmp_path}/py.so"); invisible(.Call("c_begin", "{path}")); py <- function(code) stopifnot(.Call("c_run", code) == 0L)')
    run(r, """py("import ctypes, hashlib, json, threading\\nclass Box:\\n    n = 1\\nbox = Box(); words = {'a': [1, 2]}; f = open('/etc/passwd')")""")
    run(r, """py("t = threading.Thread(target=threading.Event().wait, daemon=True); t.start()")""")
    for code in ('py("box.n = 99; words.clear()")', """py("box.n = 98; ctypes.string_at(0)")""", 'x <- 1'):
        lost = crash(r, code)
        assert any('threads' in line for line in lost) == (code == 'py("box.n = 99; words.clear()")')
        assert run(r, """py("print(box.n, json.dumps(words), hashlib.md5(b'a').hexdigest()[:4], len(f.read()) > 0, flush=True); f.seek(0)")""") \
            == '1 {"a": [1, 2]} 0cc1 True\n'
    run(r, """py("u = threading.Thread(target=lambda: words.update(b=3)); u.start(); u.join(); print(len(words), flush=True)")""")
    assert r.subshell().execute("""py("box.n = 5; print(box.n, flush=True)")""").stdout == '5\n'
    assert run(r, 'py("print(box.n, flush=True)")') == '1\n'


def test_a_plot_that_is_being_drawn(r):
    cell = r.execute('plot(1:3, main = "before")')
    assert len(cell.of_type('display_data')) == 1
    crash(r, 'lines(3:1)')
    cell = r.execute('lines(c(1, 3), c(2, 2), col = 2)')
    assert cell.status == 'ok' and len(cell.of_type('display_data')) == 1, (cell.outputs, cell.stderr)
    assert run(r, 'cat(length(recordPlot()[[1]]) > 0, names(dev.cur()) != "null device")') == 'TRUE TRUE'
    assert r.execute('dev.off()').status == 'ok'
    assert len(r.execute('plot(1)').of_type('display_data')) == 1


def test_pointers_maps_and_finalizers(r, library, tmp_path):
    """Memory of C code is kept. A finalizer runs once at the end of R, not once in each process that ever had the object."""
    (tmp_path / 'map').write_text('a' * 4096)
    ran = tmp_path / 'ran'
    run(r, f'{library}; p <- .Call("c_pointer"); .Call("c_add", p); .Call("c_map", "{tmp_path}/map"); m <- .Call("c_mapped"); '
           f'keep <- .Call("c_final", "{ran}"); reg.finalizer(globalenv(), function(e) cat("y", file = "{ran}", append = TRUE), onexit = TRUE)')
    for _ in range(2):
        crash(r, '.Call("c_add", p); .Call("c_mapped")')
    assert run(r, 'cat(.Call("c_add", p), .Call("c_mapped"))') == '9 cc'
    assert not ran.exists()
    r.shutdown()
    r.kernel.wait_exit()
    assert sorted(ran.read_text()) == ['x', 'y']


def temp_dirs(kernel, expected=None):
    """R's temporary directories; they are removed by a program that takes its time."""
    end = time.monotonic() + 20
    while expected is not None and len(temp_dirs(kernel)) != expected and time.monotonic() < end:
        time.sleep(0.05)
    return [str(p) for p in Path(kernel.environment['TMPDIR']).glob('Rtmp*')]


@pytest.fixture
def own_tmp(start, tmp_path):
    """A kernel with a directory for temporary files of its own."""
    (tmp_path / 'tmp').mkdir()

    def make(*args):
        return start(session=None, env={'TMPDIR': str(tmp_path / 'tmp')}, args=list(args)).expect_log('R was ended by signal')
    return make


def test_temporary_files(own_tmp):
    kernel = own_tmp()
    r = kernel.client()
    run(r, 'f <- tempfile(); writeLines("of before", f)')
    for _ in range(2):
        crash(r, 'writeLines("in the cell", tempfile())')
        assert run(r, 'cat(readLines(f), file.exists(tempdir()), file.create(tempfile()))') == 'of before TRUE TRUE'
    assert len(temp_dirs(kernel)) == 1
    assert os.stat(temp_dirs(kernel)[0]).st_mode & 0o777 == 0o700
    r.shutdown()
    kernel.wait_exit()
    assert temp_dirs(kernel, 0) == []


def test_temporary_files_of_a_session_that_is_lost(own_tmp):
    """Nobody has them any longer: they go with it."""
    kernel = own_tmp('--no-snapshots')
    r = kernel.client()
    run(r, 'writeLines("x", tempfile()); dir.create(file.path(tempdir(), "a/b"), recursive = TRUE); invisible(file.symlink("/etc", file.path(tempdir(), "link")))')
    before = temp_dirs(kernel)
    r.execute('tools::pskill(Sys.getpid(), 9); Sys.sleep(20)')
    run(r, '1')
    assert len(temp_dirs(kernel, 1)) == 1 and temp_dirs(kernel) != before
    assert Path('/etc/passwd').exists()
    cell = r.submit('cat("now\\n"); tools::pskill(Sys.getpid(), 19)').wait_output('now')  # it does not react to the end
    r.shutdown()
    kernel.wait_exit()
    assert cell.replies and temp_dirs(kernel, 0) == []


def test_two_hundred_megabytes(r):
    run(r, 'x <- lapply(1:25, function(i) rep(i + 0, 1e6)); y <- as.character(1:2e5)')
    crash(r, 'x <- NULL; y <- 1')
    assert run(r, 'cat(length(x), sum(x[[25]]), y[2e5])') == '25 2.5e+07 200000'


@pytest.mark.skipif('CARRACK_LARGE' not in os.environ, reason='CARRACK_LARGE=1: needs 6 GB of memory')
def test_two_gigabytes(r):
    run(r, 'x <- lapply(1:256, function(i) rep(i + 0, 2^20))')
    crash(r, 'x[[1]][1] <- 0')
    assert run(r, 'cat(length(x), x[[1]][1], sum(x[[256]]) == 256 * 2^20)') == '256 1 TRUE'


# ---- carrack.undo() ----

UNDO = 'undo <- .carrack_internal(tools())$carrack.undo'


def undo(r):
    cell = r.execute('undo()')
    assert cell.status == 'ok' and 'as it was before the last' in cell.stderr, (cell.error, cell.stderr)
    return cell


def test_undo_twice_and_after_errors(r):
    run(r, f'{UNDO}; x <- 1')
    r.settle(0.3)
    assert r.execute('x <- 2; stop("half way")').status == 'error'
    r.settle(0.3)
    undo(r)
    assert run(r, 'cat(x)') == '1'
    run(r, 'x <- 3; options(digits = 3)')
    r.settle(0.3)
    undo(r)
    assert run(r, 'cat(x, getOption("digits"))') == '1 7'
    r.settle(0.3)
    run(r, 'x <- 4')
    crash(r, 'x <- 5')
    assert run(r, 'cat(x)') == '4'


def test_undo_of_plots(r):
    run(r, UNDO)
    assert len(r.execute('plot(1:3)').of_type('display_data')) == 1
    r.settle(0.3)
    assert len(r.execute('abline(h = 2); x <- 1').of_type('display_data')) == 1
    r.settle(0.3)
    undo(r)
    cell = r.execute('points(2, 2, pch = 19); cat(exists("x"))')
    assert cell.stdout == 'FALSE' and len(cell.of_type('display_data')) == 1
    r.settle(0.3)
    run(r, 'graphics.off()')
    r.settle(0.3)
    undo(r)
    assert len(r.execute('points(1, 1)').of_type('display_data')) == 1
