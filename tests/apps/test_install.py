"""carrack install, uninstall, and which R they find."""
import json
import os
import struct
import warnings
import xml.etree.ElementTree as ET

import pytest
from command_line import CARRACK, Shell, fake_r, ok, program, refused


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path)


def listed(shell, **env):
    """Jupyter's own list: name to directory and contents."""
    done = shell.run('/usr/bin/python3', '-m', 'jupyter_client.kernelspecapp', 'list', '--json', **env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)['kernelspecs']


def spec(directory):
    return json.loads((directory / 'kernel.json').read_text())


def other_kernel(directory, argv0='/usr/bin/python3'):
    directory.mkdir(parents=True)
    (directory / 'kernel.json').write_text(json.dumps({'argv': [argv0, '-m', 'x'], 'display_name': 'X', 'language': 'x'}))
    return directory


# What is written

def test_kernelspec(shell):
    ok(shell.carrack('install'))
    assert spec(shell.kernels / 'carrack') == {
        'argv': [str(CARRACK), 'kernel', '--session-mode', 'notebook', '{connection_file}'],
        'display_name': 'R (Carrack)', 'language': 'R', 'interrupt_mode': 'message',
        'kernel_protocol_version': '5.5', 'env': {}, 'metadata': {'supported_encryption': ['curve']}}
    assert (shell.kernels / 'carrack/kernel.json').stat().st_mode & 0o777 == 0o644


def test_jupyter_reads_it(shell):
    ok(shell.carrack('install', '--env', 'A=b'))
    from jupyter_client.kernelspec import KernelSpecManager
    manager = KernelSpecManager(kernel_dirs=[str(shell.kernels)], ensure_native_kernel=False)
    assert list(manager.find_kernel_specs()) == ['carrack']
    with warnings.catch_warnings():  # older versions do not know kernel_protocol_version (JEP 66) and say so
        warnings.simplefilter('ignore')
        found = manager.get_kernel_spec('carrack')
    assert found.interrupt_mode == 'message' and found.language == 'R' and found.env == {'A': 'b'}
    assert listed(shell)['carrack']['resource_dir'] == str(shell.kernels / 'carrack')


def test_logos(shell):
    ok(shell.carrack('install'))
    directory = shell.kernels / 'carrack'
    assert sorted(p.name for p in directory.iterdir()) == [
        'kernel.json', 'logo-32x32.png', 'logo-64x64.png', 'logo-svg.svg']
    for size in 32, 64:
        png = (directory / f'logo-{size}x{size}.png').read_bytes()
        assert png[:8] == b'\x89PNG\r\n\x1a\n' and struct.unpack('>II', png[16:24]) == (size, size)
    assert ET.fromstring((directory / 'logo-svg.svg').read_bytes()).tag == '{http://www.w3.org/2000/svg}svg'


def test_it_says_where_and_what_next(shell):
    out = ok(shell.carrack('install', '--name', 'second'))
    assert str(shell.kernels / 'second') in out
    assert 'jupyter console --kernel second' in out
    assert 'It starts R ' in out


def test_all_options(shell):
    home = fake_r(shell.home / 'r')
    ok(shell.carrack('install', '--name=R-4.3', '--display-name', 'R – größer', '--env', 'A=1', '--env=B=x=y', '--env', 'C=',
                     '--session-mode', 'console', '--r-home', 'r'))
    got = spec(shell.kernels / 'r-4.3')  # Jupyter writes names in lower case
    assert got['display_name'] == 'R – größer'
    assert got['env'] == {'A': '1', 'B': 'x=y', 'C': ''}
    assert got['argv'][1:] == ['kernel', '--session-mode', 'console', '--r-home', str(home), '{connection_file}']


def test_again_replaces(shell):
    ok(shell.carrack('install', '--env', 'A=1'))
    ok(shell.carrack('install', '--env', 'B=2'))
    assert spec(shell.kernels / 'carrack')['env'] == {'B': '2'}
    assert len(list((shell.kernels / 'carrack').iterdir())) == 4  # nothing temporary is left


def test_ark_form(shell):
    home = fake_r(shell.home / 'r')
    ok(shell.carrack('--install', '--r-home', home))
    assert str(home) in spec(shell.kernels / 'carrack')['argv']


# Where

@pytest.mark.parametrize('env, where', [
    ({'JUPYTER_DATA_DIR': '{home}/data'}, 'data'),
    ({'XDG_DATA_HOME': '{home}/xdg'}, 'xdg/jupyter'),
    ({'JUPYTER_DATA_DIR': '{home}/data', 'XDG_DATA_HOME': '{home}/xdg', 'JUPYTER_PATH': '{home}/p'}, 'data'),
    ({'JUPYTER_DATA_DIR': '', 'XDG_DATA_HOME': ''}, '.local/share/jupyter'),
])
def test_user(shell, env, where):
    env = {k: v.format(home=shell.home) for k, v in env.items()}
    ok(shell.carrack('install', '--user', **env))
    directory = shell.home / where / 'kernels/carrack'
    assert (directory / 'kernel.json').exists()
    assert listed(shell, **env)['carrack']['resource_dir'] == str(directory)


@pytest.mark.parametrize('env, prefix', [
    ({'CONDA_PREFIX': 'conda'}, 'conda'),
    ({'VIRTUAL_ENV': 'venv'}, 'venv'),
    ({'CONDA_PREFIX': 'conda', 'VIRTUAL_ENV': 'venv'}, 'conda'),
    ({'CONDA_PREFIX': 'conda', 'VIRTUAL_ENV': 'venv', 'PATH': '{home}/venv/bin:{home}/conda/bin:/usr/bin'}, 'venv'),
    ({'CONDA_PREFIX': 'conda', 'VIRTUAL_ENV': 'venv', 'PATH': '{home}/conda/bin:{home}/venv/bin:/usr/bin'}, 'conda'),
])
def test_sys_prefix(shell, env, prefix):
    env = {k: v.format(home=shell.home) if k == 'PATH' else str(shell.home / v) for k, v in env.items()}
    ok(shell.carrack('install', '--sys-prefix', **env))
    assert (shell.home / prefix / 'share/jupyter/kernels/carrack/kernel.json').exists()


def test_prefix(shell):
    out = ok(shell.carrack('install', '--prefix', 'some/where'))
    data = shell.home / 'some/where/share/jupyter'
    assert (data / 'kernels/carrack/kernel.json').exists()
    assert f'JUPYTER_PATH={data}' in out  # since Jupyter does not look there
    assert listed(shell, JUPYTER_PATH=f'/nowhere:{data}')['carrack']['resource_dir'] == str(data / 'kernels/carrack')


def test_no_home_is_the_passwd_one(shell):
    out = ok(shell.carrack('doctor', '--help', HOME=None))
    assert 'doctor' in out


# What is refused

@pytest.mark.parametrize('name', ['a b', 'a/b', '..', '.', '.hidden', 'é', 'a\n', 'x' * 101])
def test_names_refused(shell, name):
    assert 'letters, digits' in refused(shell.carrack('install', '--name', name), 2)
    assert 'letters, digits' in refused(shell.carrack('uninstall', '--name', name), 2)
    assert list(shell.home.iterdir()) == []


@pytest.mark.parametrize('words, expected', [
    (['--user', '--prefix', '/tmp/x'], 'only one of --user, --sys-prefix and --prefix'),
    (['--env', 'novalue'], 'expected NAME=VALUE'),
    (['--env', '1A=x'], 'expected NAME=VALUE'),
    (['--session-mode', 'batch'], 'console, notebook or background'),
    (['--name'], '--name needs a value'),
    (['--user=x'], 'takes no value'),
    (['--nope'], 'unknown option --nope; expected one of: --user,'),
    (['word'], "got 'word'"),
])
def test_usage(shell, words, expected):
    assert expected in refused(shell.carrack('install', *words), 2)
    assert list(shell.home.iterdir()) == []


def test_another_kernel_is_left_alone(shell):
    directory = other_kernel(shell.kernels / 'carrack')
    before = (directory / 'kernel.json').read_bytes()
    assert 'kernelspec of another kernel' in refused(shell.carrack('install'))
    assert 'kernelspec of another kernel' in refused(shell.carrack('uninstall'))
    assert [p.name for p in directory.iterdir()] == ['kernel.json']
    assert (directory / 'kernel.json').read_bytes() == before


@pytest.mark.parametrize('text', ['', '{', '[]', '{"argv": 3}', '{"argv": []}'])
def test_a_kernelspec_that_cannot_be_read_is_left_alone(shell, text):
    (shell.kernels / 'carrack').mkdir(parents=True)
    (shell.kernels / 'carrack/kernel.json').write_text(text)
    assert 'left alone' in refused(shell.carrack('install'))
    assert (shell.kernels / 'carrack/kernel.json').read_text() == text


def test_no_permission(shell):
    closed = shell.home / 'closed'
    closed.mkdir(mode=0o555)
    words = [CARRACK, 'install', '--prefix', closed]
    if os.geteuid() == 0:  # root may write anywhere unless it gives that up
        words = ['setpriv', '--bounding-set=-dac_override', '--inh-caps=-dac_override', *words]
    err = refused(shell.run(*words))
    assert f'{closed}/share: Permission denied' in err and 'To do: use --user' in err


def test_a_file_in_the_way(shell):
    (shell.home / 'file').write_text('')
    assert 'cannot make the directory' in refused(shell.carrack('install', '--prefix', 'file'))


def test_not_utf8(shell):
    assert 'UTF-8' in refused(shell.carrack('install', '--display-name', b'\xff'))
    assert 'UTF-8' in refused(shell.carrack('install', '--env', b'A=\xff'), 2)
    assert not (shell.kernels / 'carrack').exists()


# uninstall

def test_uninstall(shell):
    ok(shell.carrack('install'))
    assert str(shell.kernels / 'carrack') in ok(shell.carrack('uninstall'))
    assert not (shell.kernels / 'carrack').exists()
    assert "no kernelspec 'carrack'" in refused(shell.carrack('uninstall'))


def test_uninstall_searches_all_of_jupyters_path(shell):
    path = {'JUPYTER_PATH': f'{shell.home}/a/share/jupyter:{shell.home}/b/share/jupyter'}
    for prefix in 'a', 'b':
        ok(shell.carrack('install', '--prefix', shell.home / prefix))
    ok(shell.carrack('install', '--user'))
    assert ok(shell.carrack('uninstall', **path)).count('Removed') == 3
    assert 'carrack' not in listed(shell, **path)


def test_uninstall_in_one_place_only(shell):
    ok(shell.carrack('install', '--prefix', 'a'))
    ok(shell.carrack('install'))
    ok(shell.carrack('uninstall', '--prefix', 'a'))
    assert (shell.kernels / 'carrack').exists() and not (shell.home / 'a/share/jupyter/kernels/carrack').exists()


def test_uninstall_by_name(shell):
    ok(shell.carrack('install', '--name', 'one'))
    ok(shell.carrack('install', '--name', 'two'))
    ok(shell.carrack('uninstall', '--name', 'ONE'))
    assert [p.name for p in shell.kernels.iterdir()] == ['two']


def test_uninstall_keeps_what_others_put_there(shell):
    ok(shell.carrack('install'))
    (shell.kernels / 'carrack/kernel.js').write_text('define([])')
    assert 'Other files' in ok(shell.carrack('uninstall'))
    assert [p.name for p in (shell.kernels / 'carrack').iterdir()] == ['kernel.js']


# Which R

def found(shell, *words, **env):
    """R's home and the rule, as install says them."""
    out = ok(shell.carrack('install', *words, **env))
    line = next(s for s in out.splitlines() if s.startswith('It starts R'))
    return line.split(' in ')[1].split(' (found by: ')[0], line.split('found by: ')[1][:-2]


def test_r_on_path(shell):
    assert found(shell) == ('/usr/lib/R', 'R on PATH (/usr/bin/R)')


def test_order_of_the_rules(shell):
    asked, env, conda, path = [fake_r(shell.home / d) for d in ('asked', 'env', 'conda/lib/R', 'path/lib/R')]
    program(shell.home / 'bin/R', f'#!/bin/sh\n# R\nR_HOME_DIR="{path}"\nexit 7\n')
    variables = {'R_HOME': str(env), 'CONDA_PREFIX': str(shell.home / 'conda'), 'PATH': f'{shell.home}/bin:/usr/bin'}
    assert found(shell, '--r-home', asked, **variables) == (str(asked), '--r-home')
    assert found(shell, **variables) == (str(env), 'R_HOME')
    variables['R_HOME'] = ''
    assert found(shell, **variables) == (str(conda), f'CONDA_PREFIX ({shell.home}/conda)')
    variables['CONDA_PREFIX'] = str(shell.home)  # an environment without R
    assert found(shell, **variables) == (str(path), f'R on PATH ({shell.home}/bin/R)')


def test_the_script_on_path_is_asked_when_its_text_does_not_tell(shell):
    home = fake_r(shell.home / 'r with space')
    r = program(shell.home / 'bin/R', f'#!/bin/sh\nR_HOME_DIR=`echo /nowhere`\necho "WARNING: x"\n[ "$1" = RHOME ] && echo "{home}"\n')
    assert found(shell, PATH=f'{shell.home}/bin:/usr/bin') == (str(home), f'R on PATH ({r})')


def test_the_script_that_chooses_between_lib_and_lib64(shell):
    lib, lib64 = [fake_r(shell.home / d / 'R') for d in ('lib', 'lib64')]
    program(shell.home / 'bin/R', f'#!/bin/sh\nR_HOME_DIR={lib}\nlibnn=lib64\n[ -x {lib64}/bin/exec/R ] && R_HOME_DIR={lib64}\n'
                                  'echo $R_HOME_DIR\n')
    path = f'{shell.home}/bin:/usr/bin'
    assert found(shell, PATH=path)[0] == str(lib)
    program(lib64 / 'bin/exec/R', '')
    assert found(shell, PATH=path)[0] == str(lib64)


def test_an_r_that_does_not_answer_is_left(shell):
    program(shell.home / 'bin/R', '#!/bin/sh\nsleep 60\n')
    assert found(shell, PATH=f'{shell.home}/bin:/usr/bin') == ('/usr/lib/R', 'the usual places')


@pytest.mark.parametrize('without, expected', [
    ('bin/R', 'no program bin/R'),
    ('etc/ldpaths', 'no etc/ldpaths'),
    ('lib/libR.so', '--enable-R-shlib'),
    ('library/base/DESCRIPTION', 'library/base/DESCRIPTION'),
])
def test_incomplete_r(shell, without, expected):
    home = fake_r(shell.home / 'r', without=[without])
    err = refused(shell.carrack('install', '--r-home', home))
    assert expected in err and str(home) in err
    assert not shell.kernels.exists()


@pytest.mark.parametrize('version, good', [
    ('4.2.0', True), ('4.10.0', True), ('5.0.0', True), ('4.1.3', False), ('3.6.3', False), ('nonsense', False)])
def test_version(shell, version, good):
    home = fake_r(shell.home / 'r', version=version)
    done = shell.carrack('install', '--r-home', home)
    if good:
        assert f'It starts R {version} ' in ok(done)
    else:
        assert ('too old' if version[0] in '34' else 'Version') in refused(done)


def test_r_home_broken(shell):
    assert 'is not a directory' in refused(shell.carrack('install', '--r-home', '/nowhere'))
    # Found at each start of the kernel: installing is not wrong, and says what would happen.
    out = ok(shell.carrack('install', R_HOME='/nowhere'))
    assert 'Warning: no R' in out and 'R_HOME: /nowhere is not a directory' in out
