"""Memory is refused to the kernel process, at each of its requests for some: it serves on, or ends and says why. It never owes an answer
in silence."""
import time

import pytest
from faultlib import DEATH, STRIDE, Control, sanitized

ENOMEM = 12
CELL = 'out a\nresult 1\nerr b\ndisplay {"data":{"text/plain":"x"},"metadata":{}}'
WORDS = ('out of memory', 'memory is short', 'OUT OF MEMORY', 'bad_alloc', 'no memory', 'Cannot allocate', 'failed to allocate')

pytestmark = pytest.mark.skipif(sanitized(), reason='AddressSanitizer has its own malloc')


def requests(client):
    """One of each kind, all sent at once."""
    client.submit(CELL, stop_on_error=False)
    client.request('complete_request', {'code': 'a', 'cursor_pos': 1})
    client.request('comm_open', {'comm_id': 'c', 'target_name': 'echo', 'data': {}})
    client.request('comm_msg', {'comm_id': 'c', 'data': {}})
    client.request('comm_close', {'comm_id': 'c', 'data': {}})
    client.request('comm_info_request', {})
    client.request('history_request', {'hist_access_type': 'tail', 'n': 3, 'output': False, 'raw': True})
    client.request('kernel_info_request', channel='control')
    client.submit('input ? ', stop_on_error=False)


def over(client, kernel):
    """A question that was asked twice is answered twice; the second answer is for nobody."""
    answered = set()

    def condition():
        for m in client.received['stdin']:
            if m.id not in answered:
                answered.add(m.id)
                client.answer(m, 'an answer')
        return kernel.process.poll() is not None or all(
            r.done and (r.replies or r.type.startswith('comm_')) for r in kernel.sent if r.client is client)
    return condition


class Trial:
    def __init__(self, start):
        self.start, self.ends = start, 0
        self.control = Control()
        self.fresh()

    def fresh(self):
        self.control.refuse_nothing()
        self.kernel = self.start(env=self.control.environment(memory=True)).expect_log(*DEATH, *WORDS, 'history', 'sqlite')
        self.client = self.kernel.client()
        requests(self.client)
        self.client.wait(over(self.client, self.kernel), 'the first round')

    def count(self):
        self.control.refuse('alloc')
        requests(self.client)
        self.client.wait(over(self.client, self.kernel), 'the counted round')
        return self.control.counted('alloc')

    def at(self, nth, times):
        """A round in which the nth request for memory is refused, and those after it."""
        self.control.refuse('alloc', nth, times, ENOMEM)
        requests(self.client)
        try:
            self.client.wait(over(self.client, self.kernel), f'the round without the {nth}th memory')
        finally:
            self.control.refuse_nothing()
        if self.kernel.process.poll() is None:
            return
        self.ends += 1
        assert any(w in self.kernel.log() for w in WORDS), f'{nth}: ended with {self.kernel.process.returncode}: {self.kernel.log()[-500:]}'
        self.kernel.kill()
        self.fresh()


@pytest.mark.parametrize('times, part', [(1, 3), (3, 6), (10 ** 6, 24)])
def test_refused_in_a_round_of_requests(start, times, part):
    """Once, a few times, and from then on. What comes back within a second is waited for."""
    trial = Trial(start)
    n = trial.count()
    assert n > 100
    points = range(1, n + 1, max(1, STRIDE * part // 3 if times < 100 else STRIDE * part))
    for nth in points:
        trial.at(nth, times)
    # Of what ZeroMQ asks for itself, a little cannot be refused without its ending the process.
    assert trial.ends <= (len(points) if times > 100 else 1 + len(points) // 50), f'{trial.ends} ends in {len(points)} points'


@pytest.mark.parametrize('nth', [1, 2, 5, 10, 30, 100, 300, 1000])
def test_refused_at_the_start(start, nth):
    """The kernel starts all the same, or ends with a message and a status that is not 0."""
    control = Control()
    control.refuse('alloc', nth, 3, ENOMEM)
    kernel = start(env=control.environment(memory=True), run=False)
    kernel.start()
    end = time.monotonic() + 2
    while time.monotonic() < end and kernel.process.poll() is None and control.counted('alloc') < nth + 3:
        time.sleep(0.02)
    control.refuse_nothing()
    kernel.expect_log(*WORDS, *DEATH)
    try:
        assert kernel.client().execute('out a').stdout == 'a\n'
    except AssertionError:
        assert kernel.process.poll() not in (None, 0) and any(w in kernel.log() for w in WORDS), kernel.log()
        kernel.kill()
