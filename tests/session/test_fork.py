"""Forks: results are right, children's text is in the cell, and no child can harm the session or what the client hears."""
import subprocess

import pytest


@pytest.fixture
def r(start):
    return start(session=None).client()


def children(r):
    pid = r.execute('cat(Sys.getpid())').stdout
    return subprocess.run(['ps', '-o', 'stat=,comm=', '--ppid', pid], capture_output=True, text=True).stdout.splitlines()


@pytest.mark.parametrize('code, result', [
    ('unlist(parallel::mclapply(1:4, function(i) i^2, mc.cores = 2))', '1 4 9 16'),
    ('parallel::pvec(1:10, sqrt, mc.cores = 2)[c(1, 4, 9)]', '1 2 3'),
    ('unlist(parallel::mccollect(list(parallel::mcparallel(1 + 1), parallel::mcparallel(2 + 2))))', '2 4'),
    ('{cl <- parallel::makeForkCluster(2); x <- unlist(parallel::parLapply(cl, 1:3, function(i) i * 2)); parallel::stopCluster(cl); x}',
     '2 4 6'),
    ('{cl <- parallel::makePSOCKcluster(1); x <- unlist(parallel::parLapply(cl, 1:3, function(i) i * 2)); parallel::stopCluster(cl); x}',
     '2 4 6'),
    ('{future::plan("multicore", workers = 2); x <- future::value(future::future(6 * 7)); future::plan("sequential"); x}', '42'),
    ('{library(foreach, quietly = TRUE); doMC::registerDoMC(2); foreach(i = 1:3, .combine = c) %dopar% i^3}', '1 8 27'),
    ('callr::r(function(x) x + 1, list(1))', '2'),
    ('as.integer(trimws(processx::run("echo", "7")$stdout))', '7'),
    ('as.integer(system("echo 8", intern = TRUE))', '8'),
])
def test_results(r, code, result):
    cell = r.execute(f'options(parallelly.fork.enable = TRUE); x <- {code}; cat(x)')
    assert cell.stdout == result and cell.status == 'ok', (cell.stderr, cell.error)
    assert r.execute('cat("next")').stdout == 'next'


def test_text_of_children_is_in_the_cell(r):
    cell = r.execute('x <- parallel::mclapply(1:3, function(i) { cat(sprintf("child %d\\n", i)); message("to stderr ", i); print(i) }, mc.cores = 3); cat("end")')
    assert sorted(cell.stdout.splitlines()) == sorted(['[1] 1', '[1] 2', '[1] 3', 'child 1', 'child 2', 'child 3', 'end'])
    assert sorted(cell.stderr.splitlines()) == ['to stderr 1', 'to stderr 2', 'to stderr 3']


@pytest.mark.parametrize('what', ['stop("in the child")', 'q("no", status = 3)', 'quit()', 'tools::pskill(Sys.getpid(), 11)',
                                  'tools::pskill(Sys.getpid(), 9)', 'plot(1)', 'readline("?")', 'invokeRestart("abort")',
                                  'for (i in 1:20000) cat("line", i, "\\n")', 'warning("w")', 'browser()', 'gc()'])
def test_children_that_do_harm(r, what):
    cell = r.execute(f'p <- parallel::mcparallel({what}); x <- suppressWarnings(parallel::mccollect(p)); cat("after")')
    assert cell.status == 'ok' and cell.stdout.endswith('after')
    cell = r.execute('cat(file.exists(tempdir()), 1 + 1)')
    assert cell.stdout == 'TRUE 2'
    assert not [c for c in children(r) if 'rsession' in c]


def test_a_million_lines_of_a_child(r):
    cell = r.execute('p <- parallel::mcparallel(for (i in 1:1000) cat(rep("x", 1000), "\\n")); x <- parallel::mccollect(p)')
    assert cell.stdout.count('\n') == 1000 and cell.stdout.count('x') == 1000000


def test_a_thousand_forks_leave_nothing(r):
    before = r.execute('cat(length(list.files("/proc/self/fd")))').stdout
    cell = r.execute('n <- 0; for (i in 1:250) n <- n + sum(unlist(parallel::mclapply(1:4, identity, mc.cores = 4))); cat(n)')
    assert cell.stdout == '2500'
    assert int(r.execute('cat(length(list.files("/proc/self/fd")))').stdout) <= int(before) + 1
    assert len(children(r)) <= 10


def test_a_daemon_outlives_its_cell(r):
    assert r.execute('system("(sleep 0.5; echo late) &"); cat("cell")').stdout == 'cell'
    r.wait(lambda: any('late' in m.content.get('text', '') for m in r.of_type('stream')), 'the late line')


def test_interrupt_ends_children_too(r):
    cell = r.submit('cat("go\\n"); x <- parallel::mclapply(1:2, function(i) Sys.sleep(600), mc.cores = 2); cat("not here")')
    cell.wait_output('go')
    r.wait(lambda: True, 'a moment')
    r.settle(0.5)
    r.interrupt()
    cell.wait()
    assert cell.status == 'error' and 'not here' not in cell.stdout
    assert r.execute('cat("next")').stdout == 'next'
