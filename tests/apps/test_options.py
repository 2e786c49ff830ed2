"""The command line of `carrack kernel`, in its own form and in ark's."""
import json
import signal
import subprocess
import time

import pytest
from command_line import CARRACK, Shell, ok, refused, session_program
from jupyter_apps import FACTOR

@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path)


@pytest.fixture
def told(shell, tmp_path):
    """Starts the kernel with these words and returns the CONFIG that its session gets."""
    out, file = tmp_path / 'config.json', tmp_path / 'connection.json'
    session = session_program(tmp_path / 'session', f"""
with open('{out}.part', 'w') as f:
    json.dump(config(), f)
os.rename('{out}.part', '{out}')
receive()
""")
    file.write_text(json.dumps({
        'transport': 'ipc', 'ip': str(tmp_path / 'socket'), 'key': 'k', 'signature_scheme': 'hmac-sha256',
        **{f'{c}_port': i for i, c in enumerate(['shell', 'control', 'stdin', 'iopub', 'hb'], 1)}}))

    def run(*words):
        env = {**shell.env, 'CARRACK_SESSION': str(session)}
        kernel = subprocess.Popen([CARRACK, *[str(file) if w == 'FILE' else w for w in words]], env=env,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            until = time.monotonic() + 10 * FACTOR
            while not out.exists() and kernel.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
        finally:
            kernel.send_signal(signal.SIGTERM)
            try:
                text = kernel.communicate(timeout=10 * FACTOR)[0]
            except subprocess.TimeoutExpired:
                kernel.kill()
                raise
        assert out.exists(), text.decode(errors='replace')
        return json.loads(out.read_text())
    return run


def test_own_form(told):
    config = told('kernel', '--session-mode', 'notebook', 'FILE')
    assert config['mode'] == 'notebook'
    assert config['args'] == []
    assert config.get('startup_file') is None
    assert config['repos'] == {'kind': 'auto'}
    assert config['version'] == '0.1.0'


def test_arks_form_as_a_front_end_writes_it(told, tmp_path):
    config = told('--connection_file', 'FILE', '--session-mode', 'console', '--log', str(tmp_path / 'log'),
                  '--startup-file', '/x/start.R', '--default-repos', 'none', '--', '--interactive', '--no-save', '-x')
    assert config['mode'] == 'console'
    assert config['args'] == ['--interactive', '--no-save', '-x']
    assert config['startup_file'] == '/x/start.R'
    assert config['repos'] == {'kind': 'none'}
    assert (tmp_path / 'log').stat().st_mode & 0o777 == 0o600


def test_console_is_the_mode_if_none_is_given(told):
    assert told('--connection_file', 'FILE')['mode'] == 'console'


def test_equals_and_underscores(told):
    config = told('--session_mode=background', '--startup_file=a=b', '--connection-file', 'FILE', '--no_capture_streams')
    assert config['mode'] == 'background' and config['startup_file'] == 'a=b'


@pytest.mark.parametrize('words, repos', [
    (['--default-repos', 'rstudio'], {'kind': 'rstudio'}),
    (['--default-repos', 'posit-ppm'], {'kind': 'posit-ppm'}),
    (['--default-repos=auto'], {'kind': 'auto'}),
    (['--repos-conf', '/x/repos.conf'], {'kind': 'conf-file', 'value': '/x/repos.conf'}),
    (['--default-ppm-repo', 'https://p.example/cran/2024-01-01/'],
     {'kind': 'ppm-url', 'value': 'https://p.example/cran/2024-01-01/'}),
    (['--default-cran-repo', 'https://cloud.r-project.org'], {'kind': 'cran-url', 'value': 'https://cloud.r-project.org'}),
])
def test_repos(told, words, repos):
    assert told('kernel', *words, 'FILE')['repos'] == repos


@pytest.mark.parametrize('words, expected', [
    ([], 'expected a connection file'),
    (['a', 'b'], "got also 'b'"),
    (['--connection_file', 'a', 'b'], "got also 'b'"),
    (['a', '--connection_file', 'b'], 'expected one connection file'),
    (['a', '--session-mode', 'batch'], "console, notebook or background, got 'batch'"),
    (['a', '--session-mode'], '--session-mode needs a value'),
    (['a', '--session-mode', '--log', 'x'], '--session-mode needs a value'),
    (['a', '--log='], 'not empty'),
    (['a', '--log-level', 'loud'], 'error, warn, info or debug'),
    (['a', '--no-capture-streams=yes'], 'takes no value'),
    (['a', '--verbose'], 'unknown option --verbose; expected one of: --connection-file FILE'),
    (['a', '-x'], 'unknown option -x'),
    (['a', '--sess', 'console'], 'unknown option --sess'),
    (['a', '--default-repos', 'cran'], 'rstudio, posit-ppm, none or auto'),
    (['a', '--default-repos', 'none', '--repos-conf', 'f'], 'cannot be given together'),
    (['a', '--default-cran-repo', 'https://x', '--default-ppm-repo', 'https://x/a/b'], 'cannot be given together'),
    (['a', '--default-cran-repo', 'cran.example'], 'expected a URL'),
    (['a', '--default-ppm-repo', 'https://x'], 'repository and a snapshot'),
    (['a', '--default-ppm-repo', 'https://x/a/b/c'], 'repository and a snapshot'),
])
def test_usage(shell, words, expected):
    err = refused(shell.carrack('kernel', *words), 2)
    assert expected in err and 'carrack help kernel' in err


def test_usage_in_arks_form(shell):
    assert 'unknown option --frobnicate' in refused(shell.carrack('--connection_file', 'f', '--frobnicate'), 2)
    assert 'expected a connection file' in refused(shell.carrack('--session-mode', 'console'), 2)


def test_no_such_connection_file(shell):
    assert 'nowhere.json' in refused(shell.carrack('kernel', 'nowhere.json'))


def test_a_bad_connection_file(shell):
    (shell.home / 'c.json').write_text('{"transport": "carrier pigeon"}')
    assert 'c.json' in refused(shell.carrack('--connection_file', 'c.json'))


def test_version(shell):
    for words in ['--version'], ['version'], ['kernel', '--version'], ['--connection_file', 'f', '--version', '--nope']:
        assert ok(shell.carrack(*words)) == 'carrack 0.1.0\n'


def test_help_fits_a_terminal(shell):
    page = ok(shell.carrack('--help'))
    for words in ['-h'], ['help']:
        assert ok(shell.carrack(*words)) == page
    pages = [page]
    for command in 'kernel', 'install', 'uninstall', 'doctor':
        assert command in page
        pages.append(ok(shell.carrack('help', command)))
        assert ok(shell.carrack(command, '--help')) == pages[-1]
    for text in pages:
        assert text.isascii() and max(map(len, text.splitlines())) <= 80
    assert len(page.splitlines()) <= 40


def test_unknown_command(shell):
    err = refused(shell.carrack('frobnicate'), 2)
    assert "unknown command 'frobnicate'" in err and 'install' in err
    assert 'expected a command' in refused(shell.carrack(), 2)
    assert "no command 'x'" in refused(shell.carrack('help', 'x'), 2)
