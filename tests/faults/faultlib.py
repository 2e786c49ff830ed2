"""What the tests of faults share: the control file (control.h), kernels that obey it, and exchanges that are broken off.

An exchange is a list of scenes, a scene a few requests that are sent at once. It is run once whole, which says how many
frames go each way; then once for each of their boundaries, where the session ends."""
import ctypes
import mmap
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from carrack_client import Kernel, laws  # noqa: E402
from carrack_client.kernel import build_path, marked  # noqa: E402
from carrack_client.wire import TIMEOUT  # noqa: E402

CALLS = ('alloc', 'fork', 'socket', 'pipe', 'event', 'open', 'write')
HOWS = ('kill', 'exit', 'close', 'garbage', 'stall')
CUTS = ('before', 'header', 'half', 'after')
ROLES = {'kernel': 1, 'session': 2}
# One boundary in so many is tried; 1: all (make faults). The whole takes some minutes.
STRIDE = int(os.environ.get('CARRACK_FAULTS_STRIDE', '13'))


class Fields(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in (
        'at', 'origin', 'cut', 'how', 'again', 'fired', 'sent', 'received', 'published', 'replied')] + [
        ('text', ctypes.c_uint32 * 2)] + [(name, ctypes.c_uint32) for name in ('call', 'who', 'nth', 'times', 'error')] + [
        ('calls', ctypes.c_uint32 * len(CALLS)), ('slow', ctypes.c_uint32), ('storm', ctypes.c_uint32), ('shift', ctypes.c_int32)]


class Control:
    """The control file; its fields are attributes."""

    def __init__(self):
        self.__dict__['file'] = tempfile.NamedTemporaryFile(prefix='ck-faults-')
        self.file.truncate(4096)
        self.__dict__['map'] = mmap.mmap(self.file.fileno(), 4096)
        self.__dict__['fields'] = Fields.from_buffer(self.map)

    def __getattr__(self, name):
        return getattr(self.fields, name)

    def __setattr__(self, name, value):
        setattr(self.fields, name, value)

    def count_anew(self):
        """Nothing is armed, and what sessions do is counted from 0."""
        for name in ('at', 'again', 'fired', 'sent', 'received', 'published', 'replied'):
            setattr(self, name, 0)
        self.text[0] = self.text[1] = 0
        return self

    def end_session(self, at, how, cut='after', origin='session', again=0):
        """The session ends at the at-th frame from now on (from 1)."""
        self.count_anew()
        self.how, self.cut, self.origin, self.again = HOWS.index(how), CUTS.index(cut), int(origin == 'kernel'), again
        self.at = at
        return self

    def refuse(self, call, nth=1, times=1, error=0, who='kernel'):
        """The nth call from now on, and so many in a row, is refused; error 0 only counts."""
        self.nth = 0
        self.call, self.who, self.times, self.error = CALLS.index(call), ROLES[who], times if error else 0, error
        self.calls[CALLS.index(call)] = 0
        self.nth = nth
        return self

    def refuse_nothing(self):
        self.nth = 0

    def counted(self, call):
        return self.calls[CALLS.index(call)]

    def environment(self, memory=False):
        """For a kernel that obeys. AddressSanitizer complains of libraries before its own, unless told not to."""
        libraries = [build_path('tests/faults/libfaults.so')] + ([build_path('tests/faults/libmemory.so')] if memory else [])
        return {'LD_PRELOAD': ':'.join(map(str, libraries)), 'CARRACK_FAULTS': self.file.name,
                'ASAN_OPTIONS': ':'.join(filter(None, [os.environ.get('ASAN_OPTIONS'), 'verify_asan_link_order=0']))}


def sanitized():
    return b'libasan' in Path(build_path('carrack')).read_bytes()


# Words of the log when a session ends unasked.
DEATH = ('R was ended', 'R ended unexpectedly', 'the session is ended', 'the session published a', 'the session parked a',
         'reply to a .* cannot be read')


class Scene:
    """`cells` are sent at once, and with them the requests of `also` (type, content). Cell number `interrupt` is interrupted
    once it has written `begun`; questions are answered."""

    def __init__(self, name, *cells, also=(), interrupt=None):
        self.name, self.cells, self.also, self.interrupt = name, cells, also, interrupt

    def play(self, client):
        cells = [client.submit(code, stop_on_error=False) for code in self.cells]
        others = [client.request(type, dict(content)) for type, content in self.also]
        answered, cell = {m.id for m in client.received['stdin'] if m.parent_id not in {c.id for c in cells}}, None

        def answering(condition):
            def wanted():
                for m in client.received['stdin']:
                    if m.id not in answered:
                        answered.add(m.id)
                        client.answer(m, 'an answer')
                return condition()
            return wanted
        if self.interrupt is not None:
            cell = cells[self.interrupt]
            client.wait(answering(lambda: cell.done or 'begun' in cell.stdout), 'the begin of what is interrupted')
            if not cell.done:
                client.interrupt()
        client.wait(answering(lambda: all(r.done and (r.replies or r.type.startswith('comm_')) for r in cells + others)),
                    f'the end of scene {self.name}')
        return cells, others


class Exchange:
    """A kernel in which scenes are played, whole and broken off, and the checks after each."""

    total = 0  # boundaries at which sessions have ended, in all exchanges of this run

    def __init__(self, start, control=None, **options):
        self.control = control or Control()
        env = {**self.control.environment(), **options.pop('env', {})}
        self.kernel = start(env=env, **options).expect_log(*DEATH)
        self.client = self.kernel.client()
        self.points = self.reached = 0
        self.next_cell()
        # The history is opened by the first question or line.
        self.client.ask('history_request', {'hist_access_type': 'tail', 'n': 1, 'output': False, 'raw': True})
        self.descriptors = self.kernel_descriptors()

    def next_cell(self, dying=False):
        """The next cell runs. While the session is dying, one may still be given to it."""
        cell = self.client.execute(self.following, stop_on_error=False)
        if dying and cell.error and cell.error['ename'] == 'SessionDied':
            cell = self.client.execute(self.following, stop_on_error=False)
        assert cell.status == 'ok' and cell.stdout == 'next\n', (cell.outputs, cell.reply)

    following = 'out next'

    def kernel_descriptors(self):
        """Those of the kernel but connections of clients."""
        links = []
        for fd in os.listdir(f'/proc/{self.kernel.pid}/fd'):
            try:
                links.append(os.readlink(f'/proc/{self.kernel.pid}/fd/{fd}'))
            except OSError:
                pass
        return len([x for x in links if not x.startswith('socket:')])

    def frames(self, scene):
        """How many frames of the session and of the kernel the scene has; the texts that must be heard."""
        self.control.count_anew()
        scene.play(self.client)
        self.settle()
        return self.control.sent, self.control.received

    def settle(self):
        pass

    def broken(self, scene, at, how, cut='after', origin='session', again=0):
        """Plays the scene with a session that ends there, and checks what was heard."""
        control, client = self.control, self.client
        before = len(client.received['iopub'])
        control.end_session(at, how, cut, origin, again)
        cells, others = scene.play(client)
        self.settle()
        where = f'{scene.name}: {how} at frame {at} of the {origin}, {cut}'
        self.points += 1
        self.reached += control.fired > 0
        Exchange.total += control.fired > 0
        control.at = control.again = 0
        self.next_cell(dying=control.fired > 0)
        self.check(client.received['iopub'][before:], where)
        return cells

    def check(self, heard, where):
        control = self.control
        out = sum(len(m.content['text'].encode()) for m in heard if m.type == 'stream' and m.content['name'] == 'stdout')
        news = [m for m in heard if m.type in ('display_data', 'update_display_data', 'execute_result', 'clear_output')]
        errors = [m for m in heard if m.type == 'error' and m.content['ename'] not in ('SessionDied', 'SessionError')]
        assert out == control.text[0], f'{where}: {out} bytes heard, {control.text[0]} written'
        assert len(news) + len(errors) == control.published, \
            f'{where}: {len(news) + len(errors)} messages heard, {control.published} published'

    def turn(self):
        """All that was heard is checked against the laws and forgotten; another client comes."""
        kernel = self.kernel
        self.client.wait_idle()
        problems = kernel.violations + laws.check(kernel)
        assert not problems, '\n'.join(problems[:20])
        self.client.close()
        kernel.clients, kernel.sent = [], kernel.sent[-1:]
        self.client = kernel.client()
        end = time.monotonic() + TIMEOUT
        while len(marked(kernel.mark.encode())) > 4 or self.kernel_descriptors() > self.descriptors + 2:
            assert time.monotonic() < end, f'left: {marked(kernel.mark.encode())}, {self.kernel_descriptors()} descriptors'
            time.sleep(0.02)


def boundaries(sent, received, hows, stride, offset=0):
    """All points of an exchange with so many frames, or one in `stride`: (at, how, cut, origin)."""
    points = [(n, how, cut, 'session') for how in hows for n in range(1, sent + 1) for cut in CUTS]
    points += [(n, how, 'after', 'kernel') for how in hows for n in range(1, received + 1)]
    return points[offset % stride::stride]
