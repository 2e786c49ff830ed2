"""The short form of the soak (soak.py): every kind of step, the laws, and the criterion of growth applied to itself."""
import random

import pytest
import soak
import steps


class Short(soak.Soak):
    """Each kind of step a few times, in an order that the seed decides."""

    def run_each(self, times):
        self.start()
        order = [step for step in steps.STEPS for _ in range(times)]
        self.random.shuffle(order)
        for n, step in enumerate(order, 1):
            step(self)
            if n % 20 == 0:
                self.turn()
        self.measure()
        return self.finish()


@pytest.mark.parametrize('seed', [1, 2])
def test_each_step(seed):
    short = Short(seed, out=lambda line: None)
    try:
        assert short.run_each(3) == []
        assert short.rows[-1]['processes'] <= 4 and short.rows[-1]['R threads'] == 1
    finally:
        short.abandon()


def test_a_few_hundred():
    """As the long one: with restarts, and with a look at what has grown. So short a time has more noise in its memory."""
    short = soak.Soak(3, out=lambda line: None)
    try:
        problems = short.run(600, 100, restarts=1)
        assert [p for p in problems if ' MB ' not in p] == []
    finally:
        short.abandon()


@pytest.mark.parametrize('name, step', [('kernel MB', 0.2), ('kernel fds', 0.2), ('processes', 0.3), ('temp files', 0.5)])
def test_the_criterion_sees_growth(name, step):
    """Growth that is hidden in noise is seen; the noise alone is not."""
    chance = random.Random(1)
    leaky, steady = soak.Soak(1), soak.Soak(1)
    for i in range(40):
        row = {'requests': i * 1000, **{n: 50 + chance.random() * most for n, most in soak.NOISE.items()}}
        steady.rows.append(row)
        leaky.rows.append({**row, name: row[name] + i * step})
    assert list(steady.problems()) == []
    assert [p for p in leaky.problems()] and all(p.startswith(name) for p in leaky.problems())
