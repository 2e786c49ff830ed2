"""To R code, what the kernel reads is a terminal that shows colours (src/session/terminal.c); to C code and children it is not."""
import subprocess

import pytest

ESC = '\033['


@pytest.fixture
def r(start):
    return start(session=None, args=['--session-mode', 'notebook']).client()


def value(r, code):
    return r.execute(code).result


def test_r_is_told_of_a_terminal_and_others_are_not(r, tmp_path):
    (tmp_path / 'tty.c').write_text('#include <Rinternals.h>\n#include <unistd.h>\n'
                                    'SEXP c_tty(void) { return Rf_ScalarInteger(isatty(1) + isatty(2)); }\n')
    subprocess.run(['R', 'CMD', 'SHLIB', 'tty.c'], cwd=tmp_path, check=True, capture_output=True)
    assert value(r, 'c(isatty(stdout()), isatty(stderr()), isatty(stdin()))') == '[1]  TRUE  TRUE FALSE'
    assert value(r, f'dyn.load("{tmp_path}/tty.so"); .Call("c_tty")') == '[1] 0'
    assert value(r, '(system("test -t 1 || test -t 2"))') == '[1] 1'
    assert value(r, 'f <- file(tempfile(), "w"); sink(f); x <- isatty(stdout()); sink(); close(f); x') == '[1] FALSE'


def test_colours_are_used_where_they_are_seen(r):
    assert f'{ESC}3mhello{ESC}23m' in r.execute('cli::cat_line(cli::style_italic("hello"))').stdout
    assert ESC in value(r, 'tibble::tibble(x = -1)')
    assert ESC not in value(r, 'capture.output(print(tibble::tibble(x = -1)))')
    assert ESC not in r.execute('cat(knitr::knit(text = "```{r}\\ntibble::tibble(x = -1)\\n```", quiet = TRUE))').stdout


def test_who_wants_none_has_none(start):
    r = start(session=None, env={'NO_COLOR': '1'}).client()
    assert ESC not in value(r, 'tibble::tibble(x = -1)')


def test_an_error_has_its_colours_in_the_traceback_only(r):
    cell = r.execute('suppressMessages(library(dplyr)); filter(mtcars, nothing_like_this > 3)')
    assert 'nothing_like_this' in cell.error['evalue'] and ESC not in cell.error['evalue']
    assert cell.reply['evalue'] == cell.error['evalue']
    assert ESC in ''.join(cell.error['traceback'])


def test_a_progress_bar_stays_in_its_line(r):
    cell = r.execute('options(cli.progress_show_after = 0); for (i in cli::cli_progress_along(1:8, "work")) Sys.sleep(0.3)')
    text = cell.stdout + cell.stderr
    assert text.count('\rwork') > 2 and '\n' not in text.strip()
    assert f'{ESC}?25l' not in text  # the cursor is nobody's
