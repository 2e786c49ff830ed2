"""Memory that gets short: the user is warned, the parked copies are let go, and when the system has ended R the cell says so.

Two kinds of system: one of files, which the kernel reads in place of the real one (CARRACK_SYSTEM_ROOT, base/room.h), and a real control
group with a small limit, where this machine lets us make one."""
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from carrack_client.kernel import build_path

MB = 1 << 20
SANITIZED = b'libasan' in build_path('carrack-session').read_bytes()
SLEEP = 'cat("now\\n"); while (!file.exists("{stop}")) Sys.sleep(0.05)'
# Memory that is really used, a bit at a time, as programs do it.
# Slow enough for the kernel to see it come: it looks at least every 250 ms.
EAT = 'cat("now\\n"); x <- list(); for (i in 1:200) { x[[i]] <- rep(1, 1e6); Sys.sleep(0.1) }'


class System:
    """A machine of 16 GB with a control group of version 2 whose limit is 1 GB."""

    def __init__(self, root):
        self.root = root
        self.group = root / 'sys/fs/cgroup/job'
        self.put(root / 'proc/self/mountinfo', '30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n')
        self.put(root / 'proc/self/cgroup', '0::/job\n')
        self.put(root / 'proc/meminfo', 'MemTotal: 16777216 kB\nMemAvailable: 12582912 kB\n')
        self.put(root / 'proc/vmstat', 'oom_kill 0\n')
        self.put(self.group / 'memory.max', f'{1024 * MB}\n')
        self.put(self.group / 'memory.stat', 'inactive_file 0\n')
        self.killed(0)
        self.use(200)

    def put(self, file, text):
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix('.new')
        new.write_text(text)
        new.rename(file)

    def use(self, mb):
        self.put(self.group / 'memory.current', f'{int(mb * MB)}\n')
        self.put(self.group / 'memory.peak', f'{int(mb * MB)}\n')

    def killed(self, n, full=0):
        self.put(self.group / 'memory.events', f'max 0\noom {full}\noom_kill {n}\n')


@pytest.fixture
def system(tmp_path):
    return System(tmp_path)


@pytest.fixture
def kernel(start, system):
    kernel = start(session=None, env={'CARRACK_SYSTEM_ROOT': str(system.root)})
    return kernel.expect_log('R was ended by signal 9')


def copies(kernel):
    """The process ids of the parked copies: forked from the session, first in the eyes of the memory killer."""
    out = subprocess.run(['ps', '-e', '-o', 'pid=,ppid=,stat='], capture_output=True, text=True).stdout
    below, rows = {kernel.pid}, [line.split() for line in out.splitlines()]
    for _ in range(4):
        below |= {int(pid) for pid, parent, _ in rows if int(parent) in below}
    found = []
    for pid, parent, state in rows:
        try:
            if int(pid) in below and state[0] != 'Z' and Path(f'/proc/{pid}/oom_score_adj').read_text() == '1000\n':
                found.append(int(pid))
        except OSError:
            pass
    return found


def test_a_warning_near_the_limit(kernel, system, tmp_path):
    r = kernel.client()
    stop = tmp_path / 'stop'
    cell = r.submit(SLEEP.format(stop=stop)).wait_output('now')

    def warnings():
        return cell.stderr.count('Memory is getting short')
    system.use(800)
    time.sleep(2.5)
    assert warnings() == 0
    system.use(950)
    r.wait(lambda: warnings() == 1, 'the warning')
    assert '950 MB of 1.0 GB are used, which is the memory limit of this control group' in cell.stderr
    for mb in (850, 940):  # not again for the same shortage
        system.use(mb)
        r.settle(1)
    assert warnings() == 1
    system.use(500)
    r.settle(2.5)
    system.use(930)
    r.wait(lambda: warnings() == 2, 'the second warning')
    stop.touch()
    assert cell.wait().status == 'ok'


def test_files_that_can_be_taken_back_are_not_counted(kernel, system, tmp_path):
    r = kernel.client()
    system.put(system.group / 'memory.stat', f'inactive_file {300 * MB}\nactive_file {200 * MB}\n')
    stop = tmp_path / 'stop'
    cell = r.submit(SLEEP.format(stop=stop)).wait_output('now')
    system.use(1000)
    r.settle(2.5)
    assert cell.stderr == ''
    stop.touch()
    cell.wait()


def test_copies_are_let_go_when_little_is_left(kernel, system, tmp_path):
    """... and none is made while there is no room for it."""
    r = kernel.client()
    r.execute('x <- 1')
    r.wait(lambda: copies(kernel), 'a copy')
    stop = tmp_path / 'stop'
    cell = r.submit(SLEEP.format(stop=stop)).wait_output('now')
    assert copies(kernel)
    system.use(1000)
    r.wait(lambda: not copies(kernel), 'an end of the copies')
    assert 'are let go' in kernel.log()
    os.kill(kernel.find_session(), signal.SIGKILL)
    cell.wait()
    story = '\n'.join(cell.error['traceback'])
    assert 'had been let go, because memory was short' in story and 'A new R was started' in story
    r.execute('y <- 2')
    r.settle(0.5)
    assert not copies(kernel), 'a copy was made though there is no room'


def test_copies_are_let_go_while_nothing_runs(kernel, system):
    """This system does not tell who waits for memory: it is looked at now and then, as long as there is a copy."""
    r = kernel.client()
    r.execute('x <- 1')
    r.wait(lambda: copies(kernel), 'a copy')
    r.settle(0.5)
    system.use(1000)
    r.wait(lambda: not copies(kernel), 'an end of the copies')
    assert 'are let go' in kernel.log()
    system.use(200)
    r.execute('x <- 2')
    r.wait(lambda: copies(kernel), 'a copy')


def test_nothing_is_looked_at_while_nothing_runs(kernel, system):
    r = kernel.client()
    r.execute('Sys.sleep(0.3)')
    r.settle(2.2)

    def ticks():
        fields = Path(f'/proc/{kernel.pid}/status').read_text()
        return int(re.search(r'^voluntary_ctxt_switches:\s*(\d+)', fields, re.M).group(1))
    before = ticks()
    time.sleep(2)
    assert ticks() - before <= 1


@pytest.mark.parametrize('killed, full, words', [
    (1, 1, r"the system's memory killer took it, because the memory limit of its control group .*1\.0 GB, was reached; "
           r'R had used [\d.]+ [MG]B at most, all of the group 600 MB'),
    (1, 0, r"the system's memory killer took it, because the machine's memory was used up; R had used [\d.]+ [MG]B"),
    (0, 0, r"by another process: the system's memory killer was not at work here; R had used [\d.]+ [MG]B of memory"),
])
def test_who_it_was(kernel, system, tmp_path, killed, full, words):
    r = kernel.client()
    r.execute('x <- 41')
    system.use(600)
    cell = r.submit('x <- 0; cat("now\\n"); repeat Sys.sleep(1)').wait_output('now')
    r.settle(0.5)
    system.killed(killed, full)
    os.kill(kernel.find_session(), signal.SIGKILL)
    cell.wait()
    assert re.search(r'signal 9 \(Killed\).*' + words, cell.error['evalue']), cell.error['evalue']
    assert re.search(r'peak memory [\d.]+ [MG]B of 1\.0 GB', '\n'.join(cell.error['traceback']))
    assert r.execute('cat(x)').stdout == '41'


def test_a_kill_of_before_is_not_this_one(kernel, system):
    """A worker that was taken some time ago does not make a later kill -9 the memory killer's."""
    r = kernel.client()
    cell = r.submit('cat("now\\n"); repeat Sys.sleep(1)').wait_output('now')
    system.killed(3, 3)
    r.settle(8)  # counted twice since
    os.kill(kernel.find_session(), signal.SIGKILL)
    cell.wait()
    assert 'was not at work here' in cell.error['evalue']


def test_a_system_that_does_not_count(start, tmp_path):
    kernel = start(session=None, env={'CARRACK_SYSTEM_ROOT': str(tmp_path)}).expect_log('R was ended by signal 9')
    r = kernel.client()
    cell = r.execute('tools::pskill(Sys.getpid(), 9)')
    assert "by somebody's kill, or because memory was short" in cell.error['evalue']


@pytest.mark.skipif(SANITIZED, reason='AddressSanitizer reports each allocation that is refused')
def test_a_limit_of_the_process_is_an_error_of_r(start):
    """ulimit -v: R's own error, and nothing dies."""
    kernel = start(session=None)
    r = kernel.client()
    r.execute('x <- 1')
    pid = kernel.find_session()
    size = int(re.search(r'^VmSize:\s*(\d+)', Path(f'/proc/{pid}/status').read_text(), re.M).group(1)) * 1024
    subprocess.run(['prlimit', '--pid', str(pid), f'--as={size + 200 * MB}'], check=True)
    cell = r.execute('cat("before\\n"); y <- numeric(5e7)')
    assert cell.stdout == 'before\n' and 'cannot allocate vector of size' in cell.error['evalue']
    cell = r.execute('l <- list(); for (i in 1:1000) l[[i]] <- numeric(2.5e6)')
    assert 'cannot allocate vector of size' in cell.error['evalue']
    assert r.execute('rm(l); invisible(gc()); cat(x)').stdout == '1'
    assert pid == kernel.find_session()


# ---- the memory killer's order, and its real visit ----

def score(pid):
    return int(Path(f'/proc/{pid}/oom_score_adj').read_text())


def test_who_is_taken_first(start):
    kernel = start(session=None)
    r = kernel.client()
    r.execute('x <- 1')
    r.wait(lambda: copies(kernel), 'a copy')
    mine, session = score('self'), kernel.find_session()
    assert all(score(pid) == 1000 for pid in copies(kernel))
    assert score(kernel.pid) <= mine <= score(session) <= max(mine, min(1000, mine + 20))
    assert score(kernel.pid) < score(session) or mine == 1000
    child = r.execute('cat(suppressWarnings(readLines(pipe("cat /proc/self/oom_score_adj"))))').stdout
    assert int(child) == score(session)


def test_a_woken_copy_has_the_sessions_place(start):
    kernel = start(session=None, prefix=['choom', '-n', '300', '--'])
    kernel.expect_log('R was ended by signal 9')
    r = kernel.client()
    r.execute('x <- 1')
    before = score(kernel.find_session())
    assert 300 <= before <= 320
    r.execute('tools::pskill(Sys.getpid(), 9)')
    r.execute('cat(x)')
    assert score(kernel.find_session()) == before


def own_group(version):
    for line in Path('/proc/self/cgroup').read_text().splitlines():
        number, controllers, path = line.split(':', 2)
        if controllers == '' and version == 2 or 'memory' in controllers.split(',') and version == 1:
            return path.lstrip('/')


@pytest.fixture
def group():
    """A control group with a limit of 300 MB below that of the tests. Without the right to make one, the test has nothing to run in."""
    name, why = f'carrack-test-{uuid.uuid4().hex[:8]}', []
    for version, base, limit in ((1, '/sys/fs/cgroup/memory', 'memory.limit_in_bytes'), (2, '/sys/fs/cgroup', 'memory.max')):
        path = own_group(version)
        place = Path(base, path or '', name)
        try:
            place.mkdir()
        except OSError as e:
            why.append(str(e))
            continue
        try:
            (place / limit).write_text(str(300 * MB))
        except OSError as e:
            why.append(str(e))
            place.rmdir()
            continue
        yield place
        for _ in range(100):
            try:
                place.rmdir()
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f'{place} is not empty')
    pytest.skip(f'no control group can be made here: {"; ".join(why)}')


@pytest.fixture
def small(group, start):
    if SANITIZED:
        pytest.skip('AddressSanitizer needs more memory than the group has')
    kernel = start(session=None, prefix=['sh', '-c', f'echo $$ > {group}/cgroup.procs; exec "$@"', 'sh'])
    return kernel.expect_log('R was ended by signal 9')


def test_the_memory_killers_visit(small):
    r = small.client()
    r.execute('x <- 41')
    cell = r.execute(EAT)
    assert cell.stdout == 'now\n'
    assert re.search(r"memory killer took it, because the memory limit of its control group .*, 300 MB, was reached; R had used "
                     r'\d\d\d MB at most', cell.error['evalue']), cell.error['evalue']
    assert 'Memory is getting short' in cell.stderr
    assert r.execute('cat(1 + 1)').stdout == '2'


def test_the_copy_goes_before_r(small):
    """What a copy holds and the session does not is given back before R would be ended."""
    r = small.client()
    r.execute('x <- lapply(1:12, function(i) rep(1, 1e6))')  # about 100 MB, and as much in the copy when they change
    r.settle(0.5)
    pid = small.find_session()
    cell = r.submit('cat("now\\n"); for (i in 1:12) x[[i]] <- x[[i]] + 1; y <- lapply(1:7, function(i) { Sys.sleep(0.05); rep(1, 1e6) }); cat("end")')
    cell.wait()
    assert cell.status == 'ok' and cell.stdout.endswith('end'), cell.error
    assert small.find_session() == pid


HOG = """
import os, sys
file = sys.argv[1]
with open(file, 'wb') as f:
    for _ in range(400):
        f.write(bytes(1 << 20))
while True:
    with open(file, 'rb', buffering=0) as f:
        while f.read(1 << 20):
            pass
"""


@pytest.fixture
def hog(group, tmp_path):
    """Starts somebody in the group who reads more of a file, again and again, than there is room for."""
    try:
        with open('/proc/pressure/memory', 'r+b', buffering=0) as f:
            f.write(b'some 100000 2000000\0')
    except OSError as e:
        pytest.skip(f'this system does not tell who waits for memory: {e}')
    started = []
    yield lambda: started.append(subprocess.Popen(
        ['sh', '-c', f'echo $$ > {group}/cgroup.procs; exec "$@"', 'sh', sys.executable, '-c', HOG, str(tmp_path / 'file')]))
    for process in started:
        process.kill()
        process.wait()
    (tmp_path / 'file').unlink(missing_ok=True)


def test_a_copy_is_let_go_when_others_wait_for_memory(small, hog):
    r = small.client()
    r.execute('x <- 1')
    r.wait(lambda: copies(small), 'a copy')
    hog()
    r.wait(lambda: not copies(small), 'an end of the copies')
    assert 'are let go' in small.log()
