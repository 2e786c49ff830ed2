#!/usr/bin/python3
"""A soak: very many mixed cells and other requests to one kernel with R, and a look, time and again, at all that could grow.

    tests/soak/soak.py [--cells 100000] [--seed 1] [--every 1000] [--minutes M] [--build build]

The steps (steps.py) come in an order that the seed decides. Clients come and go; the kernel is restarted a few times in
the first tenth and goes through the rest as one process. What every client heard is checked against the laws
(carrack_client/laws.py) every 150 requests: each has one reply, one busy, one idle.

Every `--every` requests, when all is quiet, it is measured: memory (Pss) of the kernel process and of the R processes, their
descriptors, threads, processes, temporary files. The criterion: over the second half, a straight line through the
measurements rises by no more than NOISE says, and all that is counted ends where it began. The last line is
`N passed, N failed`; a table is written to standard output as it goes."""
import argparse
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]
from carrack_client import Kernel, laws  # noqa: E402
from carrack_client.kernel import marked  # noqa: E402
import steps  # noqa: E402

TURN = 150  # requests until everything heard is checked and forgotten, and other clients come
RESTARTS = 4
DEATHS = 'R was ended by signal', 'abandon'

# How much a line through the second half may rise, from its begin to its end.
NOISE = {'kernel MB': 2.0, 'R MB': 20.0, 'kernel fds': 0.9, 'R fds': 0.9, 'kernel threads': 0.9, 'R threads': 0.9,
         'processes': 1.5, 'temp files': 2.0}


def pss(pid):
    """Proportional memory of a process in MB; 0 if it has ended."""
    try:
        for line in Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines():
            if line.startswith('Pss:'):
                return int(line.split()[1]) / 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0.0


def entries(*path):
    return len(os.listdir(os.path.join('/proc', *map(str, path))))


def descriptors(pid):
    """Descriptors of a process, without the connections of clients."""
    tcp = {line.split()[9] for line in Path(f'/proc/{pid}/net/tcp').read_text().splitlines()[1:]}
    found = []
    for fd in os.listdir(f'/proc/{pid}/fd'):
        try:
            found.append(os.readlink(f'/proc/{pid}/fd/{fd}'))
        except OSError:
            pass
    return sum(not (x.startswith('socket:[') and x[8:-1] in tcp) for x in found)


def rise(values):
    """How much the least-squares line through the values rises from the first to the last."""
    n = len(values)
    if n < 2:
        return 0.0
    mean_x, mean_y = (n - 1) / 2, sum(values) / n
    slope = sum((x - mean_x) * (y - mean_y) for x, y in enumerate(values)) / sum((x - mean_x) ** 2 for x in range(n))
    return slope * (n - 1)


class Soak:
    def __init__(self, seed, out=print):
        self.random, self.out = random.Random(seed), out
        self.n = self.comms = self.done = 0
        self.notes, self.counts = Counter(), Counter()
        self.rows = []
        self.vanished = []
        self.kernel, self.clients = None, []

    # ---- the kernel and its clients

    def start(self):
        """A kernel, in the home of the one before: as a restart is to Jupyter."""
        self.tmp = Path(tempfile.gettempdir(), f'carrack-soak-{os.getpid()}')
        self.home = self.tmp / 'home'
        self.home.mkdir(parents=True, exist_ok=True)
        self.kernel = Kernel(session=None, home=self.home, env={'CARRACK_LOG': 'warn', 'TMPDIR': str(self.tmp)})
        self.kernel.expect_log(*DEATHS)
        self.come()
        self.set_up()

    def come(self):
        self.clients = [self.kernel.client() for _ in range(1 if self.random.random() < 0.7 else 2)]

    def any_client(self):
        return self.random.choice(self.clients)

    def set_up(self):
        self.n = 0
        steps.run(self, steps.SETUP)

    def session(self):
        return int(steps.out(steps.run(self, 'cat(Sys.getpid())')))

    def died(self, story):
        """What was said about a death is true."""
        if 'A new R was started' in story:
            self.notes['R started anew'] += 1
            self.set_up()
        elif 'as it was before this cell' in story or 'as it was after the last cell' in story:
            self.notes['woken'] += 1
        else:
            self.longer_ago(story)
        self.same()

    def longer_ago(self, story):
        """Where forking is dear at times, a copy can be of some cells ago; it says so."""
        assert re.search(r'are lost: \d|before the last \d+ cells', story), story
        self.notes['woken, of longer ago'] += 1
        now = steps.out(steps.run(self, 'cat(if (exists("undo")) n else -1)'))
        if now == '-1':
            self.set_up()
        else:
            assert int(now) <= self.n, (now, self.n)
            self.n = int(now)

    def same(self):
        now = steps.out(steps.run(self, 'cat(n)'))
        assert now == f'{self.n}', f'n is {now} and was {self.n}'

    def turn(self):
        """All is quiet; what was heard is checked and forgotten; others come."""
        kernel = self.kernel
        for client in self.clients:
            client.request('kernel_info_request').wait()
        for client in self.clients:
            sure = [r for r in kernel.sent[client.first:] if r not in self.vanished]
            client.wait_idle(*sure)
        if self.vanished:
            self.clients[0].settle(0.3)
            heard = {m.parent_id for c in self.clients for m in c.received['iopub']}
            kernel.sent = [r for r in kernel.sent if r not in self.vanished or r.id in heard]
            for client in self.clients:
                client.wait_idle()
        self.vanished = []
        problems = kernel.violations + laws.check(kernel)
        assert not problems, '\n'.join(problems[:20])
        for client in self.clients:
            client.close()
        last = [r for r in kernel.sent if r.type == 'execute_request'][-3:]  # late text may still name them
        kernel.clients, kernel.sent = [], last
        self.come()

    def restart(self):
        """Everything of the old kernel goes, and is looked at; a new one comes."""
        self.turn()
        self.kernel.finish()
        self.notes['restarts'] += 1
        self.start()

    def finish(self):
        self.turn()
        self.kernel.finish()
        left = [p.name for p in self.tmp.iterdir() if p != self.home]
        shutil.rmtree(self.tmp)
        return left

    def abandon(self):
        """After a failure: nothing stays."""
        if self.kernel and not self.kernel.finished:
            self.kernel.kill()
        shutil.rmtree(self.tmp, ignore_errors=True)

    # ---- looking

    def measure(self):
        steps.run(self, 'invisible(gc())')
        time.sleep(0.3)  # the copy of this cell is parked, the one before has gone
        session, kernel = self.session(), self.kernel
        time.sleep(0.3)
        pids = [p for p in marked(kernel.mark.encode()) if p != kernel.pid]
        history = sum(f.stat().st_size for f in Path(self.home).rglob('history.sqlite*'))
        memory = [mb for mb in map(pss, pids) if mb]
        row = {'requests': self.done, 'kernel MB': pss(kernel.pid), 'R MB': sum(memory),
               'kernel fds': descriptors(kernel.pid), 'R fds': descriptors(session),
               'kernel threads': entries(kernel.pid, 'task'), 'R threads': entries(session, 'task'),
               'processes': 1 + len(memory), 'temp files': sum(len(f) + len(d) for _, d, f in os.walk(self.tmp)) -
               sum(len(f) + len(d) for _, d, f in os.walk(self.home)), 'history kB': history / 1024,
               'ms a request': 0.0}
        if self.rows:
            row['ms a request'] = (time.monotonic() - self.measured) * 1000 / max(1, self.done - self.rows[-1]['requests'])
        self.measured = time.monotonic()
        if not self.rows:
            self.out(' '.join(f'{name:>14}' for name in row))
        self.rows.append(row)
        self.out(' '.join(f'{v:14.1f}' if isinstance(v, float) else f'{v:14}' for v in row.values()))

    def problems(self):
        """What has grown over the second half."""
        second = [r for r in self.rows if r['requests'] >= self.rows[-1]['requests'] / 2]
        for name, most in NOISE.items():
            grown = rise([r[name] for r in second])
            if grown > most:
                yield f'{name} grew by {grown:.1f} over the second half (noise is {most})'

    # ---- the soak

    def run(self, cells, every, minutes=1e6, restarts=RESTARTS):
        names, weights = list(steps.STEPS), list(steps.STEPS.values())
        at = [cells * (i + 1) // (10 * (restarts + 1)) for i in range(restarts)]
        looks, turns, end = every, TURN, time.monotonic() + minutes * 60
        self.start()
        self.measure()
        while self.done < cells and time.monotonic() < end:
            step, before = self.random.choices(names, weights)[0], len(self.kernel.sent)
            self.counts[step.__name__] += 1
            try:
                step(self)
            except AssertionError as e:
                raise AssertionError(f'request {self.done}, {step.__name__}: {e}') from e
            self.done += len(self.kernel.sent) - before
            if at and self.done >= at[0]:
                at.pop(0)
                self.restart()
            elif self.done >= turns:
                turns += TURN
                self.turn()
            if self.done >= looks:
                looks += every
                self.measure()
        left = self.finish()
        return list(self.problems()) + [f'left in the temporary directory: {name}' for name in left]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--cells', type=int, default=100000)
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--every', type=int, default=1000)
    ap.add_argument('--minutes', type=float, default=1e6, help='end after so many, with the cells there were until then')
    ap.add_argument('--build', default='build')
    args = ap.parse_args()
    os.environ['CARRACK_BUILD'] = str(Path(args.build).resolve())
    soak = Soak(args.seed, out=lambda line: print(line, flush=True))
    begin = time.monotonic()
    try:
        problems = soak.run(args.cells, args.every, args.minutes)
    except AssertionError as e:
        problems = [str(e)]
        print(soak.kernel.log()[-3000:] if soak.kernel and not soak.kernel.finished else '')
        soak.abandon()
    print('steps: ' + ', '.join(f'{n} {name}' for name, n in soak.counts.most_common()))
    print('notes: ' + ', '.join(f'{n} {name}' for name, n in soak.notes.most_common()))
    for problem in problems:
        print(f'FAILED {problem}')
    print(f'{soak.done} requests in {time.monotonic() - begin:.0f} s')
    print(f'{int(not problems)} passed, {len(problems)} failed')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
