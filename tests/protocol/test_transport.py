"""Connection files, transports, keys, and the registration handshake (JEP 66)."""
import json
import os
import stat

import pytest

from carrack_client import DELIMITER, pack, sign


@pytest.mark.parametrize('transport', ['tcp', 'ipc', 'registration'])
def test_transports(start, transport):
    client = start(transport=transport).client()
    assert client.kernel_info('control')['status'] == 'ok'
    assert client.execute('input ? ', inputs=['a']).stdout == 'a\n'
    assert client.heartbeat() == b'ping'


def test_ipc_paths(start):
    """Jupyter's form is ip-port; only the owner may connect."""
    kernel = start(transport='ipc')
    kernel.client().kernel_info()
    for port in kernel.ports.values():
        mode = os.stat(f"{kernel.connection['ip']}-{port}").st_mode
        assert stat.S_ISSOCK(mode) and not mode & 0o077


@pytest.mark.parametrize('key', [b'', b'k', b'k' * 64, b'k' * 65, b'k' * 1000, 'schlüssel-€'.encode()], ids=len)
@pytest.mark.parametrize('transport', ['tcp', 'registration'])
def test_keys(start, key, transport):
    kernel = start(key=key, transport=transport)
    client = kernel.client()
    assert client.execute('out a\nb').result == 'b'
    if key:
        client.send_raw('shell', client.frames(client.header('execute_request'), {'code': 'evil'}, key=b''))
        client.send_raw('shell', client.frames(client.header('execute_request'), {'code': 'evil'}, key=key + b'x'))
        client.settle()
        assert client.execute('c').count == 2


def test_without_a_key_signatures_do_not_matter(start):
    client = start(key=b'').client()
    frames = client.frames
    client.frames = lambda *args, **options: [b'any' if i == 1 else f for i, f in enumerate(frames(*args, **options))]
    assert client.execute('a').result == 'a'


def test_any_address(start):
    kernel = start(connection={'ip': '0.0.0.0'}).expect_log('without encryption')
    client = kernel.client()
    assert client.execute('a').result == 'a'


def test_unknown_and_missing_fields(start):
    """Keys that are not known are ignored; transport, ip and signature_scheme have Jupyter's defaults."""
    client = start(connection={'future': {'x': [1]}, 'transport': None, 'ip': None, 'signature_scheme': None}).client()
    assert client.execute('a').result == 'a'


def refused(start, *words, **options):
    kernel = start(wait=False, **options).expect_log('')
    kernel.exit_code = 1
    assert kernel.wait_exit() == 1
    log = kernel.log()
    missing = [w for w in words if w not in log]
    assert not missing, f'{missing} are not in: {log}'
    return log


@pytest.mark.parametrize('scheme', ['hmac-md5', 'hmac-sha512', 'none', ''])
def test_unknown_signature_schemes_are_refused(start, scheme):
    refused(start, 'signature_scheme', 'hmac-sha256', scheme, connection={'signature_scheme': scheme})


@pytest.mark.parametrize('field, value', [
    ('transport', 'udp'), ('transport', 3), ('shell_port', None), ('shell_port', 'x'), ('shell_port', -1),
    ('hb_port', 65536), ('iopub_port', 1.5), ('ip', 3), ('ip', 'x' * 1000), ('key', 3), ('signature_scheme', 3)])
def test_broken_fields_are_named(start, field, value):
    refused(start, field, connection={field: value})


def test_an_address_that_is_not_ours(start):
    refused(start, '203.0.113.7', connection={'ip': '203.0.113.7'})


def test_a_port_that_is_taken(start):
    import socket
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        log = refused(start, str(port), connection={'iopub_port': port})
    assert 'iopub' in log


@pytest.mark.parametrize('text', [b'', b'{', b'[]', b'null', b'\xff\xfe', b'{}', b'x' * 1_000_000, b'{"key": "\xff"}'])
def test_broken_files(start, text):
    kernel = start(run=False)
    kernel.expect_log('')
    kernel.exit_code = 1
    kernel.file.write_bytes(text)
    kernel.start()
    assert kernel.wait_exit() == 1
    assert 'connection.json' in kernel.log()


@pytest.mark.parametrize('path', ['/nonexistent/file', '/', ''])
def test_files_that_cannot_be_read(start, path):
    kernel = start(run=False)
    kernel.expect_log('')
    kernel.command[kernel.command.index(str(kernel.file))] = path
    kernel.start()
    kernel.exit_code = kernel.wait_exit()
    assert kernel.exit_code in (1, 2) and kernel.log()


def test_the_form_of_ark(start):
    kernel = start(run=False)
    kernel.command = [kernel.command[0], '--connection_file', str(kernel.file), '--session-mode', 'notebook',
                      '--log', str(kernel.log_file), '--', '--no-save']
    kernel.start()
    assert kernel.client().execute('a').result == 'a'


def test_registration(start):
    kernel = start(transport='registration', wait=False, connection={'kernel_id': 'k-42'})
    identity, content = kernel.registration()
    assert content['kernel_id'] == 'k-42'
    assert set(content) == {'kernel_id'} | {f'{c}_port' for c in ('shell', 'control', 'stdin', 'iopub', 'hb')}
    ports = [content[key] for key in content if key.endswith('_port')]
    assert all(isinstance(p, str) and 0 < int(p) < 65536 for p in ports) and len(set(ports)) == 5
    kernel.ports = {key.removesuffix('_port'): int(p) for key, p in content.items() if key.endswith('_port')}
    ack = pack({'status': 'ok', 'anything': [1]})
    kernel.registrar.send_multipart([identity, DELIMITER, sign(kernel.key, [ack]), ack])
    assert kernel.client().execute('a').result == 'a'


@pytest.mark.parametrize('answer', [
    lambda k, ack: [DELIMITER, sign(b'wrong', [ack]), ack],
    lambda k, ack: [DELIMITER, b'', ack],
    lambda k, ack: [DELIMITER, sign(k.key, [ack])],
    lambda k, ack: [DELIMITER],
    lambda k, ack: [b'', b'', b''],
    lambda k, ack: [b'x' * 100_000] * 10,
])
def test_an_acknowledgement_that_is_not_the_launchers(start, answer):
    kernel = start(transport='registration', wait=False).expect_log('')
    kernel.exit_code = 1
    identity, _ = kernel.registration()
    kernel.registrar.send_multipart([identity, *answer(kernel, pack({'status': 'ok'}))])
    assert kernel.wait_exit() == 1
    assert 'registration' in kernel.log()


def test_no_acknowledgement(start):
    """The launcher is silent: the kernel says so and ends, R with it."""
    refused(start, 'registration', transport='registration')


def test_the_connection_file_may_be_removed(start):
    kernel = start()
    client = kernel.client()
    kernel.file.unlink()
    assert client.execute('kill9', stop_on_error=False).status == 'error'
    kernel.expect_log('signal 9')
    assert client.execute('a').result == 'a'


@pytest.mark.parametrize('env', [{'LANG': 'C', 'LC_ALL': None}, {'LANG': None}, {'LC_ALL': 'POSIX'},
                                 {'LANG': 'nonsense', 'LC_ALL': 'xx_YY'}])
def test_any_locale(start, env):
    """cron, containers and ssh start programs in the C locale or in one that does not exist."""
    client = start(env=env).client()
    assert client.execute('out é€𐍈').stdout == 'é€𐍈\n'


@pytest.mark.parametrize('missing', ['HOME', 'PATH', 'XDG_DATA_HOME'])
def test_a_bare_environment(start, missing):
    client = start(env={missing: None}).client()
    assert client.execute('a').result == 'a'


def test_the_connection_file_holds_json_of_jupyter(kernel):
    """What this suite writes is what jupyter_client writes: the names of the fields, ports as numbers."""
    fields = json.loads(kernel.file.read_text())
    assert {'shell_port', 'control_port', 'stdin_port', 'iopub_port', 'hb_port', 'transport', 'ip', 'key',
            'signature_scheme'} <= set(fields)
