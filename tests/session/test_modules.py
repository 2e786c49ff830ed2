"""The R code that comes with the session (src/modules/) is parsed function by function, when one is used: each must be found as
R itself finds it in the file, and each must be there."""
import re
import subprocess
from pathlib import Path

import pytest

MODULES = Path(__file__).resolve().parents[2] / 'src/modules'
NAME = re.compile(r'([A-Za-z0-9_.]+) <- function\(')


def names_by_r(file):
    """The names of the functions that the top level of a file defines, and how many expressions it has."""
    code = '''e <- parse(commandArgs(TRUE), keep.source = FALSE)
        f <- Filter(function(x) is.call(x) && identical(x[[1]], quote(`<-`)) && is.name(x[[2]]) && is.call(x[[3]]) &&
                                identical(x[[3]][[1]], quote(`function`)), e)
        cat(length(e), vapply(f, function(x) as.character(x[[2]]), ""), sep = "\\n")'''
    out = subprocess.run(['Rscript', '--vanilla', '-e', code, str(file)], capture_output=True, text=True, check=True).stdout
    n, *names = out.split()
    return int(n), names


@pytest.mark.parametrize('file', sorted(MODULES.glob('*.R')), ids=lambda f: f.name)
def test_expressions_begin_where_lines_do(file):
    begins = [line for line in file.read_text().splitlines() if line and line[0] not in ' \t#})']
    n, names = names_by_r(file)
    assert len(begins) == n
    assert [m[1] for m in map(NAME.match, begins) if m] == names


def test_every_function_is_there(start):
    r = start(session=None).client()
    done = r.execute('''e <- environment(.carrack_internal)
        all <- ls(e, all.names = TRUE)
        cat(all[vapply(all, function(n) is.function(get(n, e)), NA)])''')
    assert done.reply['status'] == 'ok', done.reply
    there = set(done.text('stdout').split())
    files = [f for f in MODULES.glob('*.R') if f.name != 'boundary.R']
    assert len(there) > 100
    assert {name for f in files for name in names_by_r(f)[1]} <= there
