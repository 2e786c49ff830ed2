"""Forked children of the session write to 1 and 2 and touch nothing else."""
from pathlib import Path


def test_mclapply(session):
    r = session.run('unlist(parallel::mclapply(1:4, function(i) { cat(paste0("child ", i, "\\n")); i^2 }, mc.cores = 2))')
    assert r.result == '[1]  1  4  9 16'
    assert sorted(r.out.split('\n')[:-1]) == [f'child {i}' for i in range(1, 5)]


def test_an_error_in_a_child(session):
    r = session.run('x <- parallel::mclapply(1:2, function(i) if (i == 2) stop("child fails") else i, mc.cores = 2)')
    assert r.status == 'ok' and 'encountered error' in r.err
    assert session.run('inherits(x[[2]], "try-error")').result == '[1] TRUE'


def test_ends_of_children(session):
    session.run('library(parallel); d <- tempdir()')
    assert session.run('mccollect(mcparallel({ quit("no", status = 1) }))').status == 'ok'
    assert session.run('mccollect(mcparallel({ invokeRestart("abort") }))').status == 'ok'
    assert session.run('mccollect(mcparallel({ tools::pskill(Sys.getpid()) }))').status == 'ok'
    assert session.run('file.exists(d)').result == '[1] TRUE'
    assert session.run('1').result == '[1] 1'


def test_a_child_cannot_ask_or_publish(session):
    r = session.run('parallel::mccollect(parallel::mcparallel({ readline("? "); scan(quiet = TRUE) }))[[1]]')
    assert r.status == 'ok' and not any(k == 'INPUT_REQUEST' for k, _ in r.events)
    r = session.run('x <- parallel::mccollect(parallel::mcparallel({ message("m"); warning("w"); print(1); 2 }))')
    assert r.err.startswith('m\n') and r.out == '[1] 1\n'


def test_a_child_that_outlives_its_cell(session):
    session.run('p <- parallel::mcparallel({ Sys.sleep(0.5); cat("late\\n"); 7 })')
    session.mark = len(session.events)
    session.wait_text('stdout', 'late\n')
    assert session.run('unname(unlist(parallel::mccollect(p)))').result == '[1] 7'


def test_forked_children_do_not_keep_the_temporary_directory(session):
    place = Path(session.run('parallel::mclapply(1:2, function(i) tempfile()); cat(tempdir())').out.split('\n')[-1])
    assert place.exists()
    session.shutdown()
    assert not place.exists()
