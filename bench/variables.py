#!/usr/bin/python3
"""What the variables comm costs R: the processor time of the session for a cell that changes one variable, with the comm open less the
same without it. Prints milliseconds, the median of the rounds.

    bench/variables.py [--variables 10000] [--rounds 40]"""
import argparse
import os
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'tests'))
from carrack_client import Kernel  # noqa: E402

KINDS = {'numbers': 'i + 0.5', 'text': 'paste("number", i)', 'vectors of 1000': 'runif(1000)',
         'lists': 'list(a = i, b = list(1, "x"))', 'data frames': 'head(mtcars)'}


def rounds(client, kernel, n):
    """Nanoseconds on a processor, per cell. The session is asked for, since the kernel may have parked copies of it."""
    pid = int(client.execute('cat(Sys.getpid())').stdout)
    times = []
    for i in range(n):
        before = int(Path(f'/proc/{pid}/schedstat').read_text().split()[0])
        client.execute(f'v00001 <- {i}')
        times.append(int(Path(f'/proc/{pid}/schedstat').read_text().split()[0]) - before)
    return times


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--variables', type=int, default=10000)
    ap.add_argument('--rounds', type=int, default=40)
    args = ap.parse_args()
    for name, value in KINDS.items():
        kernel = Kernel(session=None)
        try:
            client = kernel.client()
            client.execute(f'for (i in 1:{args.variables}) assign(sprintf("v%05d", i), {value}); rm(i)')
            without = rounds(client, kernel, args.rounds)
            opened = client.request('comm_open', {'comm_id': 'v', 'target_name': 'positron.variables', 'data': {}})
            client.wait_idle(opened)
            with_comm = rounds(client, kernel, args.rounds)
            a, b = statistics.median(without) / 1e6, statistics.median(with_comm) / 1e6
            print(f'{args.variables} {name}: {b - a:.2f} ms ({a:.2f} without the comm, {b:.2f} with it; least {(min(with_comm) - min(without)) / 1e6:.2f})')
        finally:
            kernel.kill()


main()
