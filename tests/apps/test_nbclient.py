"""nbclient, as nbconvert, papermill, Voilà and book builders use it."""
import asyncio
import time

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from jupyter_apps import FACTOR, errors, notebook, stream, values

pytestmark = pytest.mark.usefixtures('jupyter_here')


def execute(nb, **options):
    options = {'timeout': int(60 * FACTOR), 'kernel_name': 'carrack', **options}
    try:
        NotebookClient(nb, **options).execute()
    finally:
        nbformat.validate(nb)
    return nb.cells


def test_values_text_and_counts():
    cells = execute(notebook('cat("text\\n"); 1:3', 'invisible(7)', '.Last.value', ''))
    assert stream(cells[0], 'stdout') == 'text\n'
    assert values(cells[0]) == ['[1] 1 2 3']
    assert cells[1].outputs == []
    assert values(cells[2]) == ['[1] 7']
    assert [c.execution_count for c in cells[:3]] == [1, 2, 3]


def test_an_error_stops_the_notebook():
    nb = notebook('1', 'stop("half way")', 'cat("not this one")')
    with pytest.raises(CellExecutionError) as caught:
        execute(nb)
    assert caught.value.evalue == 'half way'
    assert 'half way' in caught.value.traceback
    assert errors(nb.cells[1])[0].ename == caught.value.ename
    assert nb.cells[2].outputs == [] and nb.cells[2].execution_count is None


def test_a_syntax_error_runs_nothing():
    nb = notebook('cat("no")\nx <- (1 +\n]\n')
    with pytest.raises(CellExecutionError):
        execute(nb)
    assert stream(nb.cells[0]) == ''
    assert '3' in errors(nb.cells[0])[0].evalue  # the line


def test_allow_errors_goes_on():
    cells = execute(notebook('x <- 1; stop("a"); x <- 2', 'x', 'f <- function() stop("b")\nf()', 'x + 1'), allow_errors=True)
    assert [e.evalue for c in cells for e in errors(c)] == ['a', 'b']
    assert values(cells[1]) == ['[1] 1'] and values(cells[3]) == ['[1] 2']
    assert any('f()' in line for line in errors(cells[2])[0].traceback)


def test_raises_exception_tag():
    cells = execute(notebook(('stop("on purpose")', 'raises-exception'), '"on"'))
    assert errors(cells[0])[0].evalue == 'on purpose'
    assert values(cells[1]) == ['[1] "on"']


def test_no_input_is_an_error_and_quick():
    begin = time.monotonic()
    cells = execute(notebook('readline("name? ")', 'scan()', '1'), allow_errors=True)
    assert errors(cells[0]), cells[0].outputs
    assert values(cells[2]) == ['[1] 1']
    assert time.monotonic() - begin < 20 * FACTOR


def test_streams_keep_their_order():
    cells = execute(notebook('for (i in 1:3) { cat("out", i, "\\n"); message("err ", i) }'))
    seen = [(o.name, line.strip()) for o in cells[0].outputs for line in o.text.splitlines()]
    assert seen == [(n, f'{t} {i}') for i in (1, 2, 3) for n, t in (('stdout', 'out'), ('stderr', 'err'))]


def test_text_and_values_keep_their_order():
    cells = execute(notebook('cat("a\\n"); 1; cat("b\\n"); 2; system("echo c"); 3'))
    seen = []
    for o in cells[0].outputs:
        seen += o.text.split() if o.output_type == 'stream' else [o.data['text/plain'].split()[-1]]
    assert seen == ['a', '1', 'b', '2', 'c', '3']


def test_warnings_come_with_their_cell():
    cells = execute(notebook('as.integer("x")', '1'))
    assert 'NAs introduced by coercion' in stream(cells[0], 'stderr')
    assert stream(cells[1]) == ''


def test_a_megabyte_of_lines_is_complete():
    cells = execute(notebook('for (i in 1:20000) cat("this is line number", i, "of twenty thousand\\n")'))
    lines = stream(cells[0], 'stdout').splitlines()
    assert lines == [f'this is line number {i} of twenty thousand' for i in range(1, 20001)]


def test_timeout():
    nb = notebook('Sys.sleep(60)')
    begin = time.monotonic()
    with pytest.raises(CellTimeoutError):
        execute(nb, timeout=2)
    assert time.monotonic() - begin < 20 * FACTOR


def test_interrupt_on_timeout_and_the_next_cell_runs():
    # The limit has to be enough for the other cells.
    cells = execute(notebook('x <- "kept"', 'cat("begun\\n"); Sys.sleep(60); x <- "lost"', 'x'),
                    timeout=int(4 * FACTOR), interrupt_on_timeout=True, allow_errors=True)
    assert stream(cells[1], 'stdout') == 'begun\n'
    assert errors(cells[1])
    assert values(cells[2]) == ['[1] "kept"']


def test_q_ends_the_cell_with_a_reply():
    nb = notebook('cat("bye\\n"); q("no")', '1')
    begin = time.monotonic()
    try:
        execute(nb, allow_errors=True, timeout=int(20 * FACTOR))
    except DeadKernelError:
        pass  # as soon as nbclient notices
    assert stream(nb.cells[0], 'stdout') == 'bye\n'
    assert time.monotonic() - begin < 20 * FACTOR


def test_death_of_r_is_an_error_of_the_cell():
    cells = execute(notebook('cat("last words\\n"); tools::pskill(Sys.getpid(), 9); Sys.sleep(10)', '1 + 1'),
                    allow_errors=True)
    assert 'last words\n' in stream(cells[0], 'stdout')
    assert errors(cells[0])
    assert values(cells[1]) == ['[1] 2']


def test_a_client_can_be_used_again():
    nb = notebook('if (!exists("n")) n <- 0; n <- n + 1; n')
    client = NotebookClient(nb, timeout=int(60 * FACTOR), kernel_name='carrack')
    for _ in range(2):
        client.execute()
        assert values(nb.cells[0]) == ['[1] 1']  # a fresh kernel each time


def test_notebooks_side_by_side():
    books = [notebook(f'x <- {i}; Sys.sleep(0.3)', 'x * 10; Sys.getpid()') for i in range(3)]

    async def all_of_them():
        await asyncio.gather(*(NotebookClient(nb, timeout=int(60 * FACTOR), kernel_name='carrack').async_execute()
                               for nb in books))

    asyncio.run(all_of_them())
    assert [values(nb.cells[1])[0] for nb in books] == [f'[1] {i * 10}' for i in range(3)]
    assert len({values(nb.cells[1])[1] for nb in books}) == 3
