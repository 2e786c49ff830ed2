#!/usr/bin/python3
"""Measures tasks: what the boundary to R costs, and how long a cell waits for idle work.

    bench/tasks.py [--build build] [--rounds 200]

The rows of `boundary` are means over 2,000 (the median of five such), in microseconds. `wait` is the time from a request to its
reply while an idle task that never ends by itself is being worked on, and beside it the same with nothing to do: the difference is what the
user waits for idle work."""
import argparse, os, statistics, sys, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'tests/session'))
sys.dont_write_bytecode = True

COST = 'local({x <- .carrack_internal(test_cost(2000L)); cat(sprintf("%s|%.9g\\n", names(x), x), sep = "")})'


def boundary(session):
    """{row: [microseconds]}"""
    rows = {}
    for _ in range(6):
        for line in session.run(COST, timeout=120).out.splitlines():
            name, ns = line.split('|')
            rows.setdefault(name, []).append(float(ns) / 1000)
    return {name: values[1:] for name, values in rows.items()}  # in the first R compiles


def waits(session, rounds):
    times = []
    for i in range(rounds):
        time.sleep(0.002 + i % 7 / 1000)
        begin = time.perf_counter()
        assert session.run('0').result == '[1] 0'
        times.append((time.perf_counter() - begin) * 1000)
    return sorted(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', default=str(ROOT / 'build'))
    parser.add_argument('--rounds', type=int, default=200)
    args = parser.parse_args()
    os.environ['CARRACK_BUILD'] = args.build
    from linkdriver import Session
    with Session(env={'CARRACK_TEST': '1'}) as session:
        print('boundary, µs')
        for name, values in boundary(session).items():
            print(f'  {name:30} {statistics.median(values):9.2f}')
        quiet = waits(session, args.rounds)
        session.run('id <- .carrack_internal(test_task(function() repeat {}, "idle", 3600000L))')
        waits(session, 10)
        busy = waits(session, args.rounds)
        print('wait, ms                            median       95 %        max')
        for name, times in (('nothing to do', quiet), ('an idle task', busy)):
            print(f'  {name:30} {statistics.median(times):9.2f}  {times[len(times) * 95 // 100]:9.2f}  {times[-1]:9.2f}')


if __name__ == '__main__':
    main()
