#!/usr/bin/python3
"""Measures completion and inspection as a client sees them: from the request to its reply, with packages attached.

    bench/complete.py [--build build] [--rounds 40] [--irkernel] [--packages dplyr,data.table,ggplot2] [--limit] [--markdown]

Each request of the list is sent once a round; the first round, in which R and we read what is read only once, is told
apart. Times are milliseconds. --markdown prints the sums only, as a table. With --limit it fails if the median is above 2 ms or the 99th percentile above 15 ms."""
import argparse, builtins, os, statistics, sys, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'bench'))
sys.dont_write_bytecode = True
from client import Kernel  # noqa: E402

BEFORE = ('wide <- as.data.frame(matrix(1, 2, 500)); dt <- as.data.frame(mtcars); l <- list(a = list(b = 1))\n'
          'if ("data.table" %in% .packages()) dt <- data.table::as.data.table(mtcars)\n'
          'for (i in 1:500) assign(paste0("variable_", i), i)\nf <- function(x, y = 2, ...) x')
COMPLETE = ['m', 'me', 'mea', 'data.f', 'ggplo', 'gg', 'readcsv', 'xyzzy', 'variable_4', 'wide$', 'wide$V4', 'mtcars$', 'l$a$', 'f(',
            'lm(', 'summary(mtcars, ', 'stats::', 'dplyr::mu', 'dplyr:::a', 'data.table::f', 'library(', 'library("gg', 'mtcars |> filter(',
            'mtcars %>% group_by(cyl) %>% summarise(m = mean(', 'ggplot(mtcars, aes(x = ', 'ggplot(mtcars) + geom_point(aes(', 'dt[, m',
            'mtcars[["', 'read.csv("', 'options(', 'Sys.getenv("', 'g <- function(alpha) {\n  x <- 1\n  ' * 30 + 'al']
INSPECT = ['mean', 'lm(', 'mtcars', 'wide', 'f', 'filter(mtcars, ', 'ggplot', 'l$a', 'nosuch']


def measure(kernel, rounds):
    """{request: [ms of each round]}"""
    times = {}
    for round_ in range(rounds + 1):
        for kind, codes in (('complete', COMPLETE), ('inspect', INSPECT)):
            for code in codes:
                content = {'code': code, 'cursor_pos': len(code), 'detail_level': 0}
                begin = time.perf_counter()
                kernel.reply(kernel.send('shell', kind + '_request', content))
                times.setdefault((kind, code), []).append((time.perf_counter() - begin) * 1e3)
    return times


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p / 100))]


def report(name, times, quiet):
    print = (lambda *_: None) if quiet else builtins.print
    print(f'\n{name:62} {"first":>8} {"median":>8} {"p99":>8} {"most":>8}')
    all_ = {'complete': [], 'inspect': []}
    for (kind, code), values in times.items():
        first, rest = values[0], values[1:]
        all_[kind] += rest
        label = f'{kind} {code[-45:]!r}'
        print(f'{label:62} {first:8.2f} {statistics.median(rest):8.2f} {percentile(rest, 99):8.2f} {max(rest):8.2f}')
    result = {}
    for kind, values in all_.items():
        result[kind] = statistics.median(values), percentile(values, 99)
        print(f'{kind + ", all":62} {"":8} {result[kind][0]:8.2f} {result[kind][1]:8.2f} {max(values):8.2f}')
    return result


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--build', default='build')
    ap.add_argument('--rounds', type=int, default=40)
    ap.add_argument('--packages', default='dplyr,data.table,ggplot2')
    ap.add_argument('--irkernel', action='store_true', help='measure IRkernel too (3 rounds)')
    ap.add_argument('--limit', action='store_true')
    ap.add_argument('--markdown', action='store_true')
    args = ap.parse_args()
    os.environ['PATH'] = '/usr/bin:' + os.environ.get('PATH', '')
    runners = [('carrack', [(ROOT / args.build).resolve() / 'carrack', 'kernel', '{connection_file}'], args.rounds)]
    if args.irkernel:
        runners.append(('irkernel', ['R', '--slave', '-e', 'IRkernel::main()', '--args', '{connection_file}'], 3))
    fine, sums = True, {}
    for name, argv, rounds in runners:
        with Kernel(argv) as kernel:
            kernel.run('\n'.join(f'invisible(suppressMessages(require({p}, quietly = TRUE)))' for p in args.packages.split(',')))
            kernel.run(BEFORE)
            result = sums[name] = report(name, measure(kernel, rounds), args.markdown)
            median, p99 = result['complete']
            fine = fine and (name != 'carrack' or (median <= 2 and p99 <= 15))
    if args.markdown:
        print('| request | ' + ' | '.join(f'{name}: median | p99' for name in sums) + ' |\n|---' + '|---:|---:' * len(sums) + '|')
        for kind in ('complete', 'inspect'):
            print(f'| {kind} | ' + ' | '.join(f'{s[kind][0]:.2f} ms | {s[kind][1]:.2f} ms' for s in sums.values()) + ' |')
    if args.limit and not fine:
        print('\nabove the limit: median 2 ms, 99th percentile 15 ms')
        return 1
    return 0


sys.exit(main())
