#!/usr/bin/python3
"""Measures Carrack beside IRkernel, the echo session and the floors, in one run.

    bench/bench.py [--build build] [--rounds 5] [--rows start,trip,…] [--markdown]

Everything is repeated in rounds, and in each round every contestant has its turn, so that a machine that is busy for a
while is busy for all of them. The table has medians. bench/README.md says what each row is. Results with all single
measurements go to bench/results.json."""
import argparse, json, os, platform, pty, select, statistics, subprocess, sys, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'bench'))
sys.dont_write_bytecode = True
from client import CONTEXT, Kernel, clean_environment, cpu, free_ports, memory, tree  # noqa: E402

IRKERNEL = ['R', '--slave', '-e', 'IRkernel::main()', '--args', '{connection_file}']
LINES = 100_000
LINE = 80
BIG, BIG_IRKERNEL = 50_000_000, 5_000_000


class Contestant:
    """A kernel under measurement: how it is started, and how it is told to do the same thing as the others."""

    def __init__(self, name, argv, env=None, big=BIG, trips=200, floods=99, echo=False):
        self.name, self.argv, self.env, self.trips = name, argv, env or {}, trips
        self.big, self.floods = big, floods  # bytes of the big cell; in how many rounds it floods
        self.value = 'result 0' if echo else '0'
        self.empty = ''
        # The last lines are known, so that it can be told whether all of it arrived.
        self.flood = f'flood {LINES}' if echo else f'for (i in 1:{LINES}) cat(i, "\\n")'
        self.flood_tail = f'{LINES - 1}\\n' if echo else f'{LINES} \\n'
        self.big_before = None if echo else f'x <- strrep(paste0(strrep("o", {LINE - 1}), "\\n"), {big // LINE}); invisible(x)'
        self.big_code = f'big {big}' if echo else 'cat(x)'

    def start(self):
        return Kernel(self.argv, self.env)


def contestants(build):
    carrack = [build / 'carrack', 'kernel', '{connection_file}']
    return [
        Contestant('carrack', carrack),
        Contestant('irkernel', IRKERNEL, big=BIG_IRKERNEL, trips=50, floods=2),
        Contestant('echo', carrack, env={'CARRACK_SESSION': str(build / 'examples/echo-session')}, echo=True),
    ]


# ── what is measured of a kernel; each returns {row: value} ──────────────────────────────────────────────────────────

def start(c):
    """From the birth of the process to the answer to kernel_info, and to that of `0`."""
    with c.start() as k:
        k.reply(k.send('shell', 'kernel_info_request', {}))
        info = time.perf_counter() - k.started
    with c.start() as k:
        answer = k.reply(k.request(c.value)[0])
        first = time.perf_counter() - k.started
    if b'"ok"' not in answer:
        raise RuntimeError(f'{c.name}: {answer.decode()[:300]}')
    return {'info': info * 1e3, 'first': first * 1e3}


def trip(c):
    """An empty cell, from sending it to having its reply and its idle."""
    with c.start().ready() as k:
        for _ in range(20):
            k.run(c.empty)
        times = []
        for _ in range(c.trips):
            begin = time.perf_counter()
            k.run(c.empty)
            times.append(time.perf_counter() - begin)
    return {'trip': statistics.median(times) * 1e6}


def flood(c):
    """Lines a second of many small writes; MB a second of one big one."""
    with c.start().ready() as k:
        k.run(c.value)
        begin = time.perf_counter()
        out = k.run(c.flood, 600)
        rate = LINES / (time.perf_counter() - begin)
        verify(c, 'lines', out, LINES, c.flood_tail)
        if c.big_before:
            k.run(c.big_before)
        begin, before = time.perf_counter(), [cpu(p)[0] for p in ([k.process.pid], k.pids())]
        out = k.run(c.big_code, 600)
        big = c.big / 1e6 / (time.perf_counter() - begin)
        own, all_ = (cpu(p)[0] - b for p, b in zip(([k.process.pid], k.pids()), before))
        verify(c, 'big', out, c.big // LINE, '\\n')
    return {'lines': rate, 'big': big, 'own': own / c.big * 1e6, 'all': all_ / c.big * 1e6}


def verify(c, row, out, lines, tail):
    if out.lines != lines or not out.tail.rstrip(b' }').rsplit(b'"text":', 1)[-1].count(tail.encode()):
        raise RuntimeError(f'{c.name}: {row}: {out.lines} of {lines} lines arrived, the last is {out.tail[-80:]!r}')


def footprint(c):
    """Memory and processor time at rest, after a first value. No garbage is collected that would not be anyway."""
    with c.start().ready() as k:
        k.run(c.value)
        time.sleep(2)
        pids = k.pids()
        pss, private = memory(pids)
        ran, woken = cpu(pids)
        time.sleep(10)
        ran2, woken2 = cpu(pids)
    return {'pss': pss, 'private': private, 'idle': ran2 - ran, 'woken': woken2 - woken}


# ── the floors ───────────────────────────────────────────────────────────────────────────────────────────────────────

def bare_start():
    begin = time.perf_counter()
    subprocess.run(['R', '--vanilla', '-e', '0'], env=clean_environment('/nonexistent'), stdin=subprocess.DEVNULL,
                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return {'first': (time.perf_counter() - begin) * 1e3}


def bare_trip(build):
    """A ZeroMQ message there and back, with the number of frames that a request has."""
    import zmq
    program = build / 'bench-pingpong'
    subprocess.run(['cc', '-O2', '-o', program, ROOT / 'bench/pingpong.c', '-lzmq'], check=True)
    endpoint = f'tcp://127.0.0.1:{free_ports(1)[0]}'
    server, s = subprocess.Popen([program, endpoint]), CONTEXT.socket(zmq.DEALER)
    try:
        s.setsockopt(zmq.RECONNECT_IVL, 1)
        s.linger = 0
        s.connect(endpoint)
        times = []
        for i in range(220):
            begin = time.perf_counter()
            s.send_multipart([b'<IDS|MSG>', b'0' * 64, b'h' * 150, b'{}', b'{}', b'c' * 120])
            s.recv_multipart()
            times.append(time.perf_counter() - begin)
    finally:
        s.close()
        server.kill()
        server.wait()
    return {'trip': statistics.median(times[20:]) * 1e6}


def bare_flood():
    """Rscript writing into a pipe; its start is not counted."""
    out = {}
    jobs = {'lines': (f'for (i in 1:{LINES}) cat(i, "\\n")', LINES),
            'big': (f'x <- strrep(paste0(strrep("o", {LINE - 1}), "\\n"), {BIG // LINE})', BIG / 1e6)}
    for row, (code, amount) in jobs.items():
        code = f'{code}; cat("go\\n"); cat(x)' if row == 'big' else f'cat("go\\n"); {code}'
        p = subprocess.Popen(['Rscript', '--vanilla', '-e', code], stdout=subprocess.PIPE, bufsize=0,
                             env=clean_environment('/nonexistent'))
        got = p.stdout.read(3)
        begin = time.perf_counter()
        while got := p.stdout.read(1 << 20):
            end = time.perf_counter()
        p.wait()
        out[row] = amount / (end - begin)
    return out


def bare_footprint():
    """R at its prompt in a terminal, after `0`."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execvpe('R', ['R', '--no-save', '--no-restore'], clean_environment('/nonexistent'))
    try:
        seen = b''
        os.write(fd, b'0\n')
        while b'[1] 0' not in seen and select.select([fd], [], [], 30)[0]:
            seen += os.read(fd, 65536)
        time.sleep(2)
        pids = tree(pid)
        pss, private = memory(pids)
        ran, woken = cpu(pids)
        time.sleep(10)
        ran2, woken2 = cpu(pids)
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(fd)
    return {'pss': pss, 'private': private, 'idle': ran2 - ran, 'woken': woken2 - woken}


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────

# row: what it is called, how it is printed, the aims: (text, test over the medians of that row, keyed by contestant)
ROWS = {
    'info': ('kernel_info after process start', '{:.1f} ms', [('≤ 25 ms', lambda m: m['carrack'] / 25)]),
    'first': ('first value after process start', '{:.0f} ms', [('≤ 1.15 × bare R', lambda m: m['carrack'] / m['floor'] / 1.15)]),
    'trip': ('an empty cell, there and back', '{:.0f} µs', [('≤ 1.5 × echo', lambda m: m['carrack'] / m['echo'] / 1.5),
                                                           ('≤ IRkernel / 10', lambda m: m['carrack'] / m['irkernel'] * 10)]),
    'lines': ('lines a second, one `cat` each', '{:,.0f}', [('≥ 100 × IRkernel', lambda m: 100 * m['irkernel'] / m['carrack'])]),
    'big': ('one big `cat`', '{:.1f} MB/s', [('≥ 20 × IRkernel', lambda m: 20 * m['irkernel'] / m['carrack'])]),
    'own': ('its processor time a GB, the kernel process alone', '{:.2f} s', []),
    'all': ('the same with R', '{:.2f} s', []),
    'pss': ('memory at rest (Pss)', '{:.1f} MB', [('≤ bare R + 8 MB', lambda m: (m['carrack'] - m['floor']) / 8)]),
    'private': ('memory at rest (private)', '{:.1f} MB', []),
    'idle': ('processor time in 10 s at rest', '{:.2f} ms', [('0', lambda m: 0 if m['carrack'] < 0.5 else 2)]),
    'woken': ('wake-ups in 10 s at rest', '{:.0f}', []),
}
HIGHER_IS_BETTER = ('lines', 'big')
FLOORS = {'first': 'R --vanilla -e 0', 'trip': 'bare ZeroMQ', 'lines': 'Rscript to a pipe', 'big': 'Rscript to a pipe',
          'pss': 'R at its prompt', 'private': 'R at its prompt', 'idle': 'R at its prompt', 'woken': 'R at its prompt'}
GROUPS = {'start': (start, bare_start, ('info', 'first')), 'trip': (trip, 'bare_trip', ('trip',)),
          'flood': (flood, bare_flood, ('lines', 'big', 'own', 'all')),
          'rest': (footprint, bare_footprint, ('pss', 'private', 'idle', 'woken'))}


def ratio(row, ours, theirs):
    """How many times better (>1) or worse (<1) we are, in words."""
    if not theirs or not ours:
        return ''
    r = ours / theirs if row in HIGHER_IS_BETTER else theirs / ours
    return f'{r:.0f}×' if r >= 10 else f'{r:.2f}×'


def table(median, names):
    lines = [['', 'Carrack', 'IRkernel', 'echo session', 'floor', 'better than IRkernel', 'to reach', '']]
    for row, (label, form, aims) in ROWS.items():
        m = {n: median[n][row] for n in names if row in median.get(n, {})}
        if 'carrack' not in m:
            continue
        cells = [form.format(m[n]) if n in m else '–' for n in ('carrack', 'irkernel', 'echo', 'floor')]
        if 'floor' in m:
            cells[3] += f' ({FLOORS[row]})'
        met, texts = [], []
        for text, test in aims:
            try:
                met.append('yes' if test(m) <= 1 else 'NO')
                texts.append(text)
            except KeyError:
                pass
        lines.append([label, *cells, ratio(row, m['carrack'], m.get('irkernel')), ', '.join(texts), ', '.join(met)])
    return lines


def show(lines, markdown):
    if markdown:
        lines.insert(1, ['---'] + ['---:'] * 5 + ['---'] * 2)
        return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)
    width = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return '\n'.join('  '.join(c.ljust(w) if i in (0, 6, 7) else c.rjust(w) for i, (c, w) in enumerate(zip(line, width))).rstrip()
                     for line in lines)


def machine():
    model = next((line.split(':')[1].strip() for line in Path('/proc/cpuinfo').read_text().splitlines()
                  if line.startswith('model name')), platform.machine())
    r = subprocess.run(['R', '--version'], capture_output=True, text=True).stdout.split('\n')[0]
    return {'processor': f'{os.cpu_count()} × {model}', 'system': f'{platform.system()} {platform.release()}', 'R': r,
            'load before': os.getloadavg()[0]}


def spread(values):
    """Half of all measurements lie within this part of the median."""
    if len(values) < 4 or not statistics.median(values):
        return 0.0
    q = statistics.quantiles(values, n=4)
    return (q[2] - q[0]) / statistics.median(values)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--build', default='build')
    ap.add_argument('--rounds', type=int, default=5)
    ap.add_argument('--rows', default=','.join(GROUPS), help=f'groups of rows: {", ".join(GROUPS)}')
    ap.add_argument('--without', default='', help='contestants to leave out: carrack, irkernel, echo')
    ap.add_argument('--markdown', action='store_true', help='print the table as Markdown')
    args = ap.parse_args()
    os.environ['PATH'] = '/usr/bin:' + os.environ.get('PATH', '')
    build = (ROOT / args.build).resolve()
    runners = [c for c in contestants(build) if c.name not in args.without.split(',')]
    names = [c.name for c in runners] + ['floor']
    samples = {n: {} for n in names}
    about = machine()

    def note(name, values):
        for row, value in values.items():
            samples[name].setdefault(row, []).append(value)

    for group in args.rows.split(','):
        measure, floor, _ = GROUPS[group]
        rounds = min(args.rounds, 3) if group == 'rest' else args.rounds  # each is half a minute of doing nothing
        for round_ in range(rounds):
            print(f'\r\033[K{group}: round {round_ + 1} of {rounds}', end='', file=sys.stderr, flush=True)
            for c in runners:
                if (group == 'rest' and c.name == 'echo') or (group == 'flood' and round_ >= c.floods):
                    continue
                note(c.name, measure(c))
            note('floor', bare_trip(build) if floor == 'bare_trip' else floor())
    print('\r\033[K', end='', file=sys.stderr)

    about['load after'] = os.getloadavg()[0]
    median = {n: {r: statistics.median(v) for r, v in rows.items()} for n, rows in samples.items()}
    lines = table(median, names)
    print(show(lines, args.markdown))
    print('\n' + '; '.join(f'{k}: {v}' for k, v in about.items()))
    noisy = [f'{n} {r} {spread(v):.0%}' for n, rows in samples.items() for r, v in rows.items()
             if r not in ('idle', 'woken') and spread(v) > 0.15]
    if noisy:
        print('Noisy (half of the measurements differ by more than 15 % of the median): ' + ', '.join(noisy))
    (ROOT / 'bench/results.json').write_text(json.dumps(
        {'machine': about, 'median': median, 'samples': samples, 'lines': LINES, 'bytes': BIG}, indent=1) + '\n')
    return 1 if any('NO' in line[-1] for line in lines[1:]) else 0


if __name__ == '__main__':
    sys.exit(main())
