#!/usr/bin/python3
"""Measures how long a visible value takes, beside IRkernel: from the request to `idle`, in a notebook session.

    bench/display.py [--build build] [--rounds 15] [--rows plot,ggplot] [--markdown] [--pause 0.1]

Every row is the median of the rounds, after one round that does not count; the kernels take turns, and rest before each
cell (--pause, seconds) as they do while somebody types: Carrack forks the copy that it parks then, if it can. With --pause 0 that is part of the time. The size is that of the output
on the wire."""
import argparse, statistics, sys, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'bench'))
sys.dont_write_bytecode = True
from client import Kernel  # noqa: E402

SET_UP = '''suppressMessages({library(data.table); library(dplyr); library(ggplot2)})
f <- function(n) data.frame(i = seq_len(n), x = seq_len(n) / 7, s = rep_len(c("a", "b & c"), n), d = as.Date("2024-01-01") + seq_len(n) %% 365,
                            g = factor(rep_len(c("u", "v"), n)), stringsAsFactors = FALSE)
small <- f(10); middle <- f(1000); big <- f(1e7); wide <- as.data.frame(matrix(1:25000, 50)); mat <- matrix(rnorm(1e4), 100)
dt <- as.data.table(f(1000)); tb <- as_tibble(f(1000)); invisible(0)'''
ROWS = [('1', '1 + 1'), ('10 rows', 'small'), ('1,000 rows', 'middle'), ('10,000,000 rows', 'big'), ('500 columns', 'wide'),
        ('matrix 100 x 100', 'mat'), ('data.table 1,000', 'dt'), ('tibble 1,000', 'tb'),
        ('datatable widget', 'DT::datatable(small)'), ('plot', 'plot(1:10)'),
        ('ggplot', 'ggplot(mtcars, aes(wt, mpg, colour = factor(cyl))) + geom_point()'), ('help', '?mean')]


def measure(kernel, code):
    """(seconds, bytes)"""
    begin = time.perf_counter()
    msg_id, _ = kernel.request(code)
    size, idle, replied = 0, False, False
    while not (idle and replied):
        ready = kernel.poller.poll(120_000) or sys.exit(f'no answer to {code}')
        for s, _ in ready:
            header, parent, content = kernel._after_delimiter(s.recv_multipart())
            if msg_id not in parent:
                continue
            if s is kernel.sockets['shell']:
                replied = True
                if b'"error"' in content:
                    sys.exit(f'{code}: {content[:500]}')
            elif b'"status"' in header:
                idle = idle or b'"idle"' in content
            elif b'"execute_input"' not in header:
                size += len(content)
    return time.perf_counter() - begin, size


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--build', type=Path, default=ROOT / 'build')
    ap.add_argument('--rounds', type=int, default=15)
    ap.add_argument('--rows', help='names, separated by commas')
    ap.add_argument('--pause', type=float, default=0.1)
    ap.add_argument('--markdown', action='store_true', help='a table for a document')
    args = ap.parse_args()
    commands = {'carrack': [args.build.resolve() / 'carrack', 'kernel', '--session-mode', 'notebook', '{connection_file}'],
                'irkernel': ['R', '--slave', '-e', 'IRkernel::main()', '--args', '{connection_file}']}
    kernels = {name: Kernel(argv) for name, argv in commands.items()}
    for kernel in kernels.values():
        kernel.reply(kernel.send('shell', 'kernel_info_request', {}))
        time.sleep(0.5)  # subscriptions
        measure(kernel, SET_UP)
    if args.markdown:
        print('| value | Carrack | IRkernel | |\n|---|---:|---:|---:|')
    else:
        print(f'{"":18} {"carrack":>20} {"irkernel":>22} {"ratio":>8}')
    for name, code in ROWS:
        if args.rows and name not in args.rows.split(','):
            continue
        taken = {k: [] for k in kernels}
        for _ in range(args.rounds + 1):
            for k, kernel in kernels.items():
                time.sleep(args.pause)
                taken[k].append(measure(kernel, code))
        ms = {k: statistics.median(t for t, _ in v[1:]) * 1e3 for k, v in taken.items()}
        size = {k: v[-1][1] / 1024 for k, v in taken.items()}
        if args.markdown:
            print(f'| {name} | {ms["carrack"]:.1f} ms | {ms["irkernel"]:.1f} ms | {ms["irkernel"] / ms["carrack"]:.1f}x |', flush=True)
            continue
        print(f'{name:18} {ms["carrack"]:9.1f} ms {size["carrack"]:5.0f} kB {ms["irkernel"]:11.1f} ms {size["irkernel"]:5.0f} kB'
              f' {ms["irkernel"] / ms["carrack"]:7.1f}x', flush=True)
    for kernel in kernels.values():
        kernel.close()


main()
