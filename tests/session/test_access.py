"""Who can hear, read and reach what: logs, files, directories, addresses."""
import os
import re
import stat
from pathlib import Path

MARK = 'tH1s_is_0f_the_user'


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def listening(pids):
    """(address, port) of the TCP sockets that these processes listen on."""
    inodes = set()
    for pid in pids:
        for fd in Path(f'/proc/{pid}/fd').iterdir():
            try:
                inodes.update(re.findall(r'socket:\[(\d+)\]', os.readlink(fd)))
            except OSError:
                pass
    found = []
    for family in ('tcp', 'tcp6'):
        for line in Path(f'/proc/net/{family}').read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == '0A' and fields[9] in inodes:
                address, port = fields[1].split(':')
                found.append((address, int(port, 16)))
    return found


def test_it_listens_where_it_was_told_to_and_nowhere_else(start):
    kernel = start(session=None)
    r = kernel.client()
    r.execute('library(httpuv); library(later); 1')  # packages that could
    found = listening([kernel.pid, kernel.find_session()])
    assert {address for address, _ in found} == {'0100007F'}
    assert sorted(port for _, port in found) == sorted(kernel.ports.values())


def test_no_key_and_no_code_in_the_finest_log(start):
    kernel = start(session=None, env={'CARRACK_LOG': 'debug'}, args=['--log-level', 'debug'])
    r = kernel.client()
    r.execute(f'{MARK} <- 1; cat("{MARK}"); {MARK}')
    r.execute(f'stop("{MARK}")')
    r.execute(f'{MARK} +* 2')
    r.execute(f'cat(readline("{MARK}? "))', inputs=[MARK])
    r.execute(f'message("{MARK}"); warning("{MARK}"); "{MARK}"', user_expressions={'a': f'"{MARK}"'})
    r.ask('complete_request', {'code': MARK[:5], 'cursor_pos': 5})
    r.ask('inspect_request', {'code': MARK, 'cursor_pos': 5, 'detail_level': 1})
    r.ask('is_complete_request', {'code': f'f({MARK}'})
    r.ask('history_request', {'hist_access_type': 'tail', 'n': 5, 'output': True, 'raw': True})
    log = kernel.log()
    assert 'link: REQUEST' in log or 'link:' in log
    assert MARK not in log
    assert kernel.key.decode() not in log


def test_files_and_directories_are_private(start, tmp_path):
    """Also where the umask is generous."""
    (tmp_path / 'tmp').mkdir()
    kernel = start(session=None, prefix=['sh', '-c', 'umask 000; exec "$@"', 'sh'], env={'TMPDIR': str(tmp_path / 'tmp')})
    r = kernel.client()
    r.execute('1 + 1; plot(1)')
    r.settle(1.5)  # the history is written
    [temp] = (tmp_path / 'tmp').glob('Rtmp*')
    assert mode(temp) == 0o700
    assert mode(kernel.log_file) == 0o600
    files = [p for p in Path(kernel.own).rglob('*') if p.is_file() and 'carrack' in str(p) and 'sqlite' in p.name]
    assert files
    for file in files:
        assert mode(file) == 0o600, file
        assert mode(file.parent) & 0o077 == 0, file.parent


def test_a_connection_file_that_others_can_read(start):
    kernel = start(run=False)
    kernel.file.chmod(0o644)
    kernel.start()
    kernel.client()
    assert 'the connection file, which holds the key, can be read' in kernel.log()
    kernel = start(run=False)
    kernel.file.chmod(0o600)
    kernel.start()
    kernel.client()
    assert 'the connection file' not in kernel.log()
