"""carrack doctor: what it finds, and what it says to do."""
import os
import re
import shutil

import pytest
from command_line import CARRACK, Shell, fake_r, ok, program, refused, session_program

# A session that gives each request's code to the R that the front end would have started, with a change beforehand.
RUNS_R = """
{before}
call(17, 0, {{'language_version': '4.2.2', 'banner': ''}})
while True:
    kind, request, parts = take()
    if kind == 3:
        code = json.loads(parts[1])['code']
        subprocess.run([sys.argv[1], '--interactive', '--no-readline', '--no-echo', '--no-save', '--no-restore'],
                       input=code.encode(), stdout=subprocess.DEVNULL)
        call(22, request, {{'type': 'execute_reply'}}, {reply})
    elif kind == 5:
        call(23, 0, {{'status': 0}})
        sys.exit()
"""


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path)


@pytest.fixture
def with_session(shell, tmp_path):
    """Runs the doctor of a carrack that has this session beside it; returns the exit status and the report."""
    def run(before='', reply="{'status': 'ok'}", **env):
        there = tmp_path / 'with space'
        there.mkdir()
        shutil.copy(CARRACK, there)
        session_program(there / 'carrack-session', RUNS_R.format(before=before, reply=reply))
        ok(shell.run(there / 'carrack', 'install'))
        done = shell.run(there / 'carrack', 'doctor', TMPDIR=str(tmp_path), **env)
        assert done.stderr == ''
        assert not list(tmp_path.glob('carrack-doctor-*'))
        return done.returncode, done.stdout
    return run


def problems(report):
    """The problems, each with what to do."""
    return re.findall(r'^  PROBLEM +(.*)\n    to do: +(.*)$', report, re.M)


def test_all_is_well(shell):
    ok(shell.carrack('install'))
    report = ok(shell.carrack('doctor', timeout=90))
    assert problems(report) == [] and report.endswith('All is well.\n')
    assert '/usr/lib/R' in report and re.search(r'start +ready after \d+ ms, language version 4', report)
    assert 'compared           the same as R' in report
    assert f'starts {CARRACK}' in report


def test_the_same(with_session):
    status, report = with_session()
    assert problems(report) == [] and status == 0
    assert 'compared           the same as R' in report


def test_a_locale_that_is_not_utf8_is_changed_by_intent(with_session):
    status, report = with_session(LC_ALL='C')
    assert problems(report) == [] and status == 0
    assert 'by intent          UTF-8: R has FALSE, the session TRUE' in report


def test_differences(with_session):
    status, report = with_session("os.environ.update(R_LIBS_USER='/elsewhere', API_KEY='secret')")
    assert status == 1
    assert re.search(r'differs +variable R_LIBS_USER\n +R: .*\n +session: /elsewhere\n', report)
    assert 'variable API_KEY' in report and 'secret' not in report
    assert [p[0] for p in problems(report)] == ['the session differs from R in 2 things']


def test_a_session_that_dies_at_start(with_session):
    status, report = with_session("print('last words', flush=True); sys.exit(3)")
    assert status == 1
    assert [p[0] for p in problems(report)] == ['the session ended by itself with exit status 3']
    assert '| last words' in report


def test_a_session_that_is_killed_at_start(with_session):
    status, report = with_session('os.kill(os.getpid(), 11)')
    assert status == 1 and 'ended by signal 11' in problems(report)[0][0]


def test_a_session_that_answers_with_an_error(with_session):
    status, report = with_session(reply="{'status': 'error', 'ename': 'simpleError', 'evalue': 'no'}")
    assert status == 1 and 'simpleError: no' in problems(report)[0][0]


def test_a_profile_that_fails(shell):
    (shell.home / '.Rprofile').write_text("message('hello'); stop('broken profile')\n")
    report = shell.carrack('doctor', timeout=90).stdout
    assert any('broken profile' in p and '.Rprofile' in to_do for p, to_do in problems(report))
    assert '| hello' in report and 'the same as R' in report


def test_a_profile_that_quits(shell):
    (shell.home / '.Rprofile').write_text('q(status = 3)\n')
    report = shell.carrack('doctor', timeout=90).stdout
    assert 'R ended with exit status 3 without a report' in problems(report)[0][0]
    assert 'the session ended by itself with exit status 3' in problems(report)[1][0]


def test_no_session(shell, tmp_path):
    shutil.copy(CARRACK, tmp_path)
    report = shell.run(tmp_path / 'carrack', 'doctor').stdout
    assert any('carrack-session is missing' in p for p, _ in problems(report))


def test_another_session(shell):
    report = shell.carrack('doctor', CARRACK_SESSION='/nowhere').stdout
    assert any('CARRACK_SESSION is /nowhere' in p for p, _ in problems(report))


def test_no_r(shell):
    report = shell.carrack('doctor', '--r-home', '/nowhere').stdout
    assert '--r-home: /nowhere is not a directory' in problems(report)[0][0]
    assert 'not tried, since there is no R' in report


def test_an_r_that_does_not_run(shell):
    home = fake_r(shell.home / 'r')
    report = shell.carrack('doctor', '--r-home', home).stdout
    assert 'without a report' in problems(report)[0][0]


def test_an_r_that_starts_another(shell):
    home = fake_r(shell.home / 'r')
    program(home / 'bin/R', '#!/bin/sh\nexec /usr/lib/R/bin/R "$@"\n')
    report = shell.carrack('doctor', '--r-home', home, timeout=90).stdout
    assert any(p.endswith('starts the R in /usr/lib/R') for p, _ in problems(report))


def test_kernelspecs(shell):
    home = fake_r(shell.home / 'r')
    path = f'{shell.home}/p/share/jupyter'
    ok(shell.carrack('install', '--name', 'good'))
    ok(shell.carrack('install', '--name', 'pinned', '--prefix', 'p', '--r-home', home))
    ok(shell.carrack('install', '--name', 'stale'))
    stale = shell.kernels / 'stale/kernel.json'
    stale.write_text(stale.read_text().replace(str(CARRACK), '/gone/carrack'))
    shutil.rmtree(home)
    report = shell.carrack('doctor', JUPYTER_PATH=path, timeout=90).stdout
    found = dict(problems(report))
    assert f'{path}/kernels/pinned' in report and str(shell.kernels / 'good') in report
    assert '--name stale' in found["the kernelspec 'stale' starts a program that is not there"]
    assert '--name pinned' in found[f"the R of the kernelspec 'pinned': {home} is not a directory; "
                                    'expected R\'s home, as `R RHOME` prints it']


def test_no_kernelspec(shell):
    report = refused_report(shell.carrack('doctor', timeout=90))
    assert ('no kernelspec starts Carrack, so Jupyter does not show it', 'carrack install') in problems(report)


def refused_report(done):
    refused(done)
    return done.stdout


def test_it_changes_nothing(shell):
    shell.carrack('doctor', timeout=90)
    assert os.listdir(shell.home) == []


def test_usage(shell):
    assert 'unknown option' in refused(shell.carrack('doctor', '--fix'), 2)
    assert "got 'x'" in refused(shell.carrack('doctor', 'x'), 2)
