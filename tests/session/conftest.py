"""Sessions for the tests of the R process: each test has its own, started through R's front end and driven by linkdriver.py."""
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from linkdriver import Session  # noqa: E402


@pytest.fixture
def start_session():
    """Starts sessions; takes the arguments of linkdriver.Session."""
    sessions = []

    def start(**options):
        sessions.append(Session(**options))
        return sessions[-1]
    yield start
    for session in sessions:
        session.close()


@pytest.fixture
def session(start_session):
    return start_session()


C_CODE = r'''
#include <stdio.h>
#include <unistd.h>
#include <R.h>
#include <Rinternals.h>
#include <Rinterface.h>
SEXP c_out(SEXP text) { printf("%s", CHAR(STRING_ELT(text, 0))); return R_NilValue; }
SEXP c_err(SEXP text) { fprintf(stderr, "%s", CHAR(STRING_ELT(text, 0))); return R_NilValue; }
SEXP c_raw(SEXP text) { const char *s = CHAR(STRING_ELT(text, 0)); return ScalarInteger((int)write(1, s, strlen(s))); }
SEXP c_suicide(SEXP text) { R_Suicide(CHAR(STRING_ELT(text, 0))); return R_NilValue; }
SEXP c_try(SEXP call) { int failed; R_tryEval(call, R_GlobalEnv, &failed); return ScalarLogical(failed); }
'''


@pytest.fixture(scope='session')
def c_library(tmp_path_factory):
    """Compiled C code that prints without asking R; the R code that loads it."""
    place = tmp_path_factory.mktemp('c')
    (place / 'prints.c').write_text(C_CODE)
    subprocess.run(['R', 'CMD', 'SHLIB', 'prints.c'], cwd=place, check=True, capture_output=True)
    return f'''dyn.load("{place}/prints.so")
c_out <- function(x) invisible(.Call("c_out", x)); c_err <- function(x) invisible(.Call("c_err", x))
c_raw <- function(x) invisible(.Call("c_raw", x)); c_try <- function(x) .Call("c_try", substitute(x))
c_suicide <- function(x) .Call("c_suicide", x)'''
