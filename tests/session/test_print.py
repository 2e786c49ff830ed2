"""Data frames and matrices are printed without R's code for it, and every byte is what R prints."""
import time
from pathlib import Path

import pytest

RANDOM = Path(__file__).with_name('random_tables.R')


@pytest.fixture
def notebook(start):
    return start(session=None, args=['--session-mode', 'notebook']).client()


def shown(client, code):
    """The text of the value that a cell shows."""
    cell = client.execute(code)
    assert cell.status == 'ok', cell.story()
    return cell.of_type('execute_result')[0]['data']['text/plain']


def printed(client, expression='x'):
    return client.execute(f'print({expression}); invisible()').stdout.removesuffix('\n')


def random_tables(client, seeds, n):
    client.execute(f'source("{RANDOM}", encoding = "UTF-8")')
    for seed in seeds:
        cell = client.execute(f'check_tables({n}, {seed})')
        assert cell.status == 'ok' and cell.stdout.startswith('the same: '), (cell.stdout, cell.story())
        assert int(cell.stdout.split()[2]) > n / 4, cell.stdout  # that the session did itself


def test_random_tables(notebook):
    random_tables(notebook, range(1, 6), 300)


def test_random_tables_in_another_encoding(start):
    client = start(session=None, args=['--session-mode', 'notebook'], env={'LC_ALL': 'C'}).client()
    client.execute(f'source("{RANDOM}", encoding = "UTF-8")')
    cell = client.execute('check_tables(300, 7)')
    assert cell.stdout.startswith('the same: '), (cell.stdout, cell.story())


TABLES = ['mtcars', 'iris', 'as.matrix(mtcars)', 'matrix(rnorm(1e4), 100)', 'volcano', 'state.x77', 'ToothGrowth', 'airquality',
          'as.data.frame(matrix(1:25000, 50))', 'data.frame(s = c("tab\\t", "\\u4e2d\\u6587", "a\\\\b", NA, "\\U1F600"))',
          'data.frame(when = as.POSIXct("2024-01-01 10:00", tz = "UTC") + c(0, NA, 86400), took = as.difftime(c(1, 2, NA), units = "mins"))',
          'data.frame(i = 1:20000, x = (1:20000) / 7)', 'data.frame(f = factor(c("u", NA), exclude = NULL), l = c(TRUE, NA))',
          'data.frame()', 'data.frame(a = 1)[0, , drop = FALSE]', 'structure(list(a = 1:2, b = 1), class = "data.frame", row.names = 1:2)',
          'data.frame(m = I(matrix(1:4, 2)))', 'structure(list(a = 5), names = "", class = "data.frame", row.names = 1L)']


def test_what_a_cell_shows(notebook):
    for table in TABLES:
        assert shown(notebook, f'x <- {table}; x') == printed(notebook), table
    notebook.execute('options(digits = 3, width = 60, scipen = 3, OutDec = ",", max.print = 200)')
    for table in TABLES:
        assert shown(notebook, f'x <- {table}; x') == printed(notebook), table


def test_the_usual_ones_are_not_printed_by_r(notebook):
    notebook.execute('native <- environment(getOption("jupyter.base_display_func"))$native')
    for table in TABLES[:12]:
        assert notebook.execute(f'invisible(capture.output(done <- .Call(native$print_sample, {table}))); cat(done)').stdout == 'TRUE', table


@pytest.mark.parametrize('code', [
    'print.data.frame <- function(x, ...) cat("mine\\n")',
    'format.numeric <- function(x, ...) rep("mine", length(x))',
    'print.matrix <- function(x, ...) cat("mine\\n")',
    'registerS3method("print", "data.frame", function(x, ...) cat("mine\\n"), envir = baseenv())',
    'registerS3method("print", "matrix", function(x, ...) cat("mine\\n"), envir = baseenv())',
    'assignInNamespace("format.data.frame", function(x, ...) matrix("mine", 1, 1), "base")',
    'unlockBinding("print.default", baseenv()); assign("print.default", function(x, ...) cat("mine\\n"), baseenv())',
    'trace(print.data.frame, quote(cat("mine\\n")), print = FALSE)'])
def test_methods_that_print_meets(notebook, code):
    """Whoever replaces one sees what it makes."""
    assert 'mine' not in shown(notebook, 'x <- data.frame(a = c(1.5, 2)); x')
    assert notebook.execute(code).status == 'ok'
    assert 'mine' in shown(notebook, 'x')


def test_methods_that_print_does_not_meet(notebook):
    assert shown(notebook, 'format.Date <- function(x, ...) "mine"; x <- data.frame(d = as.Date("2024-02-29")); x') == printed(notebook)


def test_a_sink_gets_the_text(notebook, tmp_path):
    file = tmp_path / 'sink'
    notebook.execute(f'sink("{file}"); options(width = 40)\ndata.frame(a = 1:2, b = c("x", "y"))\nmatrix(1:4, 2)\nsink()')
    assert file.read_text() == '  a b\n1 1 x\n2 2 y\n     [,1] [,2]\n[1,]    1    3\n[2,]    2    4\n'


def test_an_interrupt(notebook):
    """A table that takes long is left where it is."""
    notebook.execute('options(max.print = 1e8); x <- data.frame(a = seq_len(2e7) / 7)')
    cell = notebook.submit('x')
    cell.wait_started()
    time.sleep(0.5)
    notebook.interrupt()
    assert cell.wait().error['ename'] == 'interrupt'
    assert notebook.execute('1').result == '[1] 1'
