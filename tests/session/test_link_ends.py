"""Starts and ends: profiles, arguments, q(), shutdown, signals, a kernel that is gone. R's temporary directory never stays."""
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from linkdriver import Gone, program


def texts(session):
    return [e for e in session.events if e[0] in ('stdout', 'stderr')]


def run_to_the_end(session, seconds=10):
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            session.step(0.1)
    except Gone:
        return session.end()
    raise TimeoutError


def temp_dir(session):
    return Path(session.run('d <- tempdir(); for (i in 1:3) dir.create(file.path(d, i, "a", "b"), recursive = TRUE)\n'
                            'for (i in 1:300) cat("x", file = file.path(d, 1, "a", i)); cat(d)').out)


def test_version():
    env = dict(os.environ, LD_LIBRARY_PATH=subprocess.run(['R', 'RHOME'], capture_output=True, text=True).stdout.strip() + '/lib')
    out = subprocess.run([program(), '--version'], capture_output=True, text=True, env=env)
    assert out.returncode == 0 and out.stdout.startswith('carrack-session ')


def test_by_hand():
    env = dict(os.environ, LD_LIBRARY_PATH=subprocess.run(['R', 'RHOME'], capture_output=True, text=True).stdout.strip() + '/lib')
    for args in [], ['/usr/lib/R/bin/exec/R']:
        out = subprocess.run([program(), *args], capture_output=True, text=True, env=env)
        assert out.returncode == 1 and 'carrack kernel' in out.stderr


def test_ready(session):
    assert session.ready['language_version'] == subprocess.run(
        ['Rscript', '-e', 'cat(format(getRversion()))'], capture_output=True, text=True).stdout
    assert 'R version' in session.ready['banner']
    assert texts(session) == []  # no greeting


def test_profile_runs_as_in_a_terminal(start_session, tmp_path):
    (tmp_path / '.Rprofile').write_text('cat("profile\\n"); message("hi"); options(digits = 4, askpass = 5)\n'
                                        '.First <- function() cat("first\\n")\n')
    session = start_session(args=[], cwd=tmp_path)
    assert texts(session) == [('stdout', 'profile\n'), ('stderr', 'hi\n'), ('stdout', 'first\n')]
    assert session.run('getOption("digits"); getOption("askpass"); interactive()').story == [
        ('display_data', '[1] 4'), ('display_data', '[1] 5'), ('execute_result', '[1] TRUE')]


def test_a_failing_profile_is_told_and_r_goes_on(start_session, tmp_path):
    (tmp_path / '.Rprofile').write_text('options(before = 1)\nstop("bad profile")\noptions(after = 1)\n')
    session = start_session(args=[], cwd=tmp_path)
    assert texts(session) == [('stderr', 'Error: bad profile\n')]
    assert session.run('getOption("before"); getOption("after")').story == [('display_data', '[1] 1'), ('execute_result', 'NULL')]


def test_a_question_in_the_profile_fails(start_session, tmp_path):
    (tmp_path / '.Rprofile').write_text('readline("?")\n')
    session = start_session(args=[], cwd=tmp_path)
    assert 'no cell runs' in texts(session)[0][1]


def test_quit_in_the_profile(start_session, tmp_path):
    (tmp_path / '.Rprofile').write_text('q(status = 7)\n')
    session = start_session(args=[], cwd=tmp_path, ready=False)
    assert session.wait('EXIT').head == {'status': 7} and session.end() == 7


def test_arguments(start_session):
    session = start_session(args=['--vanilla', '--args', 'a', 'b c'])
    assert session.run('commandArgs(TRUE)').result == '[1] "a"   "b c"'
    session = start_session()
    assert session.run('commandArgs(TRUE)').result == 'character(0)'


def test_environment_is_that_of_r(session):
    mine = session.run('cat(R.home(), Sys.getenv(c("R_SHARE_DIR", "R_HOME", "LD_LIBRARY_PATH")), sep = "\\n")').out
    other = subprocess.run(['R', '--vanilla', '--no-echo', '-e', 'cat(R.home(), Sys.getenv(c("R_SHARE_DIR", "R_HOME", "LD_LIBRARY_PATH")), sep = "\\n")'],
                           capture_output=True, text=True).stdout
    assert mine.rstrip('\n') == other.rstrip('\n')
    assert session.run('Sys.getenv("CARRACK_LINK_FD")').result == '[1] ""'
    assert session.run('system("ls /proc/self/fd | wc -l", intern = TRUE)').result == '[1] "4"'  # 0, 1, 2 and ls's own


def test_startup_file(start_session, tmp_path):
    (tmp_path / 'start.R').write_text('y <- 3; options(bar = y); message("started"); stop("at the end")\n')
    session = start_session(startup_file=str(tmp_path / 'start.R'))
    err = ''.join(t for _, t in texts(session))
    assert err.startswith('started\n') and 'at the end' in err
    assert session.run('getOption("bar"); ls()').story == [('display_data', '[1] 3'), ('execute_result', 'character(0)')]
    session = start_session(startup_file=str(tmp_path / 'none.R'))
    assert 'none.R' in ''.join(t for _, t in texts(session))


@pytest.mark.parametrize('repos, expected', [
    ({'kind': 'cran-url', 'value': 'https://example.org/cran'}, 'https://example.org/cran'),
    ({'kind': 'rstudio'}, 'https://cran.rstudio.com/'), ({'kind': 'none'}, '@CRAN@'), ({}, '@CRAN@')])
def test_repos(start_session, repos, expected):
    assert start_session(repos=repos).run('cat(getOption("repos")[["CRAN"]])').out == expected


def test_repos_of_a_file_and_of_the_profile(start_session, tmp_path):
    conf = tmp_path / 'repos.conf'
    conf.write_text('# comment\nCRAN = https://a.example/?x=1\nother=https://b.example\n')
    session = start_session(repos={'kind': 'conf-file', 'value': str(conf)})
    assert session.run('r <- getOption("repos"); cat(names(r), r)').out == 'CRAN other https://a.example/?x=1 https://b.example'
    (tmp_path / '.Rprofile').write_text('options(repos = c(CRAN = "https://mine.example"))\n')
    session = start_session(args=[], cwd=tmp_path, repos={'kind': 'rstudio'})
    assert session.run('cat(getOption("repos"))').out == 'https://mine.example'


def test_shutdown(session):
    place = temp_dir(session)
    session.run('.Last <- function() cat("last\\n"); reg.finalizer(globalenv(), function(e) cat("finalizer\\n"), onexit = TRUE)')
    mark = len(session.events)
    assert session.shutdown() == 0 and session.process.returncode == 0
    assert ''.join(e[1] for e in session.events[mark:] if e[0] == 'stdout') == 'last\nfinalizer\n'
    assert not place.exists()


def test_shutdown_with_a_failing_last(session):
    session.run('.Last <- function() stop("in last")')
    assert session.shutdown() == 0


def test_quit(session):
    place = temp_dir(session)
    session.begin('.Last <- function() cat("last\\n"); cat("bye\\n"); q(); cat("not reached")')
    assert run_to_the_end(session) == 0
    kinds = [e for e in session.events[session.mark:]]
    assert [k for k, _ in kinds] [-2:] == ['REPLY', 'EXIT']
    assert kinds[-2][1].content == {'status': 'ok', 'payload': [{'source': 'ask_exit', 'keepkernel': False}], 'user_expressions': {}}
    assert ''.join(t for k, t in kinds if k == 'stdout') == 'bye\nlast\n'
    assert not place.exists()


def test_quit_with_a_status(session):
    session.begin('f <- function() quit("no", status = 3); f()')
    assert run_to_the_end(session) == 3
    reply = [e[1] for e in session.events if e[0] == 'REPLY'][-1].content
    assert reply['status'] == 'error' and reply['ename'] == 'quit' and 'status 3' in reply['evalue']


def test_quit_and_save(start_session, tmp_path):
    session = start_session(cwd=tmp_path)
    session.begin('kept <- 1; q("yes")')
    assert run_to_the_end(session) == 0 and (tmp_path / '.RData').exists()


def test_quit_asks(session):
    session.begin('q("ask")')
    session.send('INPUT', session.wait('INPUT_REQUEST').seq, {'value': 'c'})
    assert session.finish().reply['status'] == 'error'
    assert session.run('1').result == '[1] 1'


def test_quit_with_a_failing_last_goes_on(session):
    session.run('.Last <- function() stop("in last")')
    r = session.run('q()')
    assert r.reply['evalue'] == 'in last'
    assert session.run('1').result == '[1] 1'


def test_shutdown_while_busy(session):
    session.begin('cat("started\\n"); Sys.sleep(30)')
    session.wait_text('stdout', 'started')
    session.send('SHUTDOWN', 0, {})
    session.interrupt()
    assert run_to_the_end(session) == 0
    assert [k for k, _ in session.events][-2:] == ['REPLY', 'EXIT']


def test_terminated_while_idle(session):
    place = temp_dir(session)
    time.sleep(0.2)
    os.kill(session.process.pid, signal.SIGTERM)
    assert run_to_the_end(session) == 128 + signal.SIGTERM
    assert session.events[-1][0] == 'EXIT' and not place.exists()


@pytest.mark.parametrize('sig', [signal.SIGTERM, signal.SIGHUP])
def test_terminated_while_busy(session, sig):
    place = temp_dir(session)
    session.begin('cat("started\\n"); repeat {}')
    session.wait_text('stdout', 'started')
    os.kill(session.process.pid, sig)
    assert run_to_the_end(session) == -sig and not place.exists()


def test_the_kernel_is_gone(session):
    place = temp_dir(session)
    session.sock.close()
    assert session.process.wait(5) == 1 and not place.exists()


def test_the_kernel_is_gone_while_busy(session):
    place = temp_dir(session)
    session.begin('for (i in 1:1e6) message(i, cat(i))')
    session.wait_text('stdout', '1')
    session.sock.close()
    for fd in list(session.pipes):
        os.close(fd)
    session.pipes = {}
    session.process.wait(5)
    assert not place.exists()


def test_the_parent_dies():
    """With the process that started it, however that died, the session goes, and what it had in /tmp."""
    code = '''import sys; sys.path.insert(0, sys.argv[1])
from linkdriver import Session
import os, signal
s = Session()
print(s.process.pid, s.run('cat(tempdir())').out, flush=True)
s.begin('repeat {}')
os.kill(os.getpid(), signal.SIGKILL)'''
    out = subprocess.run(['/usr/bin/python3', '-c', code, str(Path(__file__).parent)], capture_output=True, text=True).stdout
    pid, place = out.split()
    end = time.monotonic() + 5
    while Path(f'/proc/{pid}').exists() and time.monotonic() < end and \
            Path(f'/proc/{pid}/stat').read_text().rpartition(') ')[2][0] != 'Z':
        time.sleep(0.05)
    assert not Path(place).exists()


def test_suicide(session, c_library):
    """A fatal error of R's own."""
    place = temp_dir(session)
    session.run(c_library)
    session.begin('cat("a\\n"); c_suicide("made to fail")')
    assert run_to_the_end(session) == -signal.SIGABRT
    assert [k for k, _ in session.events][-1] == 'LOG'  # no EXIT: a death, for which the copy stands in
    assert [e for e in session.events if e[0] == 'stderr'][-1] == ('stderr', 'Fatal error: made to fail\n')
    assert place.exists()
    shutil.rmtree(place)


def test_arguments_that_r_cannot_take(start_session):
    session = start_session(args=['-f', '/does/not/exist.R'], ready=False)
    assert run_to_the_end(session) != 0
    assert 'cannot open file' in ''.join(t for _, t in texts(session))


def test_a_broken_home(start_session, tmp_path):
    """R's front end is not asked: the session itself says what is wrong."""
    library = subprocess.run(['R', 'RHOME'], capture_output=True, text=True).stdout.strip() + '/lib'
    session = start_session(command=[program(), '/x/R'], env={'R_HOME': str(tmp_path), 'LD_LIBRARY_PATH': library}, ready=False)
    assert run_to_the_end(session) == 2
    assert 'R cannot be started: R_HOME is' in ''.join(t for _, t in texts(session))
    assert any(k == 'LOG' and 'R_HOME' in f.head['text'] for k, f in session.events if k == 'LOG')


def test_a_crash_leaves_the_text(session):
    session.begin('cat("written\\n"); message("too"); tools::pskill(Sys.getpid(), 11)')
    assert run_to_the_end(session) == -11
    assert 'written\n' in ''.join(t for k, t in session.events if k == 'stdout')
