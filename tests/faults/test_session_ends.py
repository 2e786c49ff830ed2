"""The session ends at every boundary of an exchange: after each frame of either side, before it, after its header, in its middle;
killed, gone without a word, with a closed link, with garbage on it, or standing still.

After each: every request has its reply, one busy and one idle (the laws), all text that was written and all messages that were
sent whole are heard, the next cell runs, no process and no descriptor is left."""
import pytest
from faultlib import DEATH, STRIDE, Control, Exchange, Scene, boundaries

PICTURE = '{"data":{"image/png":"iVBORw0KGgo=","text/plain":"plot"},"metadata":{},"transient":{"display_id":"d"}}'
COMM = {'comm_id': 'c', 'target_name': 'echo', 'data': {}}
SCENES = [
    Scene('text', 'out a\nerr b\nout c\nraw e282\nraw ac0a\nerr d'),
    Scene('results', 'out before\nresult 1\nerr after', 'result 2', 'keep x\nkept'),
    Scene('displays', f'display {PICTURE}\nupdate {PICTURE}\nout a\npublish clear_output {{"wait":false}}'),
    Scene('errors', 'out a\nerror simpleError it failed', 'out b', 'error E again', 'out c'),
    Scene('questions', 'out a\ninput ? \nout b', 'password ! '),
    Scene('comms', 'comm {"comm_id":"x","target_name":"t","data":{}}\nout a', also=[
        ('comm_open', COMM), ('comm_msg', {'comm_id': 'c', 'data': {'a': 1}}), ('comm_msg', {'comm_id': 'x', 'data': {}}),
        ('comm_close', {'comm_id': 'c', 'data': {}})]),
    Scene('requests', 'out a', 'result 3', also=[
        ('complete_request', {'code': 'a', 'cursor_pos': 1}), ('inspect_request', {'code': 'a', 'cursor_pos': 1, 'detail_level': 0}),
        ('is_complete_request', {'code': 'a'}), ('comm_info_request', {}), ('kernel_info_request', {}),
        ('history_request', {'hist_access_type': 'tail', 'n': 3, 'output': False, 'raw': True})]),
    Scene('interrupt', 'out begun\nsleep 60000\nout never', 'out after', interrupt=0),
    Scene('crash and waking', 'keep 1\nout a', 'out b\nkeep 2\nkill9', 'kept', 'exitnow 3', 'kept'),
    Scene('undo', 'keep 1\nout a', 'keep 2', 'undo', 'kept'),
]
IDS = [s.name for s in SCENES]


@pytest.mark.parametrize('how', ['kill', 'exit', 'close', 'garbage'])
@pytest.mark.parametrize('scene', SCENES, ids=IDS)
def test_at_every_frame(start, scene, how):
    exchange = Exchange(start, env={'ECHO_PARK': '1'})
    sent, received = exchange.frames(scene)
    exchange.turn()
    points = boundaries(sent, received, [how], STRIDE, SCENES.index(scene) * 5 + 1)
    assert sent > len(scene.cells) and points
    for n, point in enumerate(points, 1):
        exchange.broken(scene, *point)
        if n % 20 == 0:
            exchange.turn()
    exchange.turn()
    assert exchange.reached >= 0.9 * exchange.points - 2, f'{exchange.reached} of {exchange.points}'


def test_what_is_kept(start):
    """State is what it was before the cell that died, at whichever frame it did, or the cell says that it is lost."""
    exchange = Exchange(start, env={'ECHO_PARK': '1'})
    client = exchange.client
    scene = Scene('state', 'out a\nkeep bad\nresult 1\nresult 2\nout b')
    sent, _ = exchange.frames(scene)
    for at in range(1, sent + 1):
        client.execute('keep good')
        cell = exchange.broken(scene, at, 'kill', 'half')[0]
        now = client.execute('kept').stdout
        story = '\n'.join(cell.error['traceback']) if cell.error else ''
        if 'as it was before this cell' in story:
            assert now == 'good\n'
        elif 'A new R was started' in story:
            assert now == '\n'
        else:  # it died before the copy was parked: the one before has been woken, or after the reply
            assert 'are lost: 1' in story and at == 1 or not story and now == 'bad\n', (at, story, now)


@pytest.mark.parametrize('again', [1, 2, 3])
def test_the_next_one_ends_as_well(start, again):
    """The copy that is woken, or the session that is started, dies too; at its first frame, its second, its third."""
    scene = Scene('twice', 'out a\nresult 1\nresult 2', 'out b')
    for env in ({'ECHO_PARK': '1'}, {}):
        exchange = Exchange(start, env=env)
        sent, received = exchange.frames(scene)
        for point in boundaries(sent, received, ['kill', 'exit'], max(1, STRIDE // 3), again):
            exchange.broken(scene, *point, again=again)
        exchange.turn()


@pytest.mark.parametrize('how', ['kill', 'exit', 'close', 'garbage'])
@pytest.mark.parametrize('origin, at', [('session', 1), ('session', 2), ('kernel', 1), ('kernel', 2)])
def test_at_its_start(start, how, origin, at):
    """The first session dies before it is ready: another is started, and the cell that waits runs in it."""
    control = Control()
    control.end_session(at, how, 'half' if origin == 'session' else 'after', origin)
    kernel = start(env=control.environment()).expect_log(*DEATH, 'while it was starting')
    client = kernel.client()
    assert client.execute('out a').stdout == 'a\n' and control.fired == 1


@pytest.mark.parametrize('how', ['kill', 'exit', 'close', 'garbage', 'stall'])
@pytest.mark.parametrize('origin, at', [('kernel', 1), ('session', 1), ('kernel', 2)])
def test_at_its_end(start, how, origin, at):
    """A session that dies while it is asked to end, or does not answer: the kernel ends in good order."""
    control = Control()
    kernel = start(env=control.environment()).expect_log(*DEATH)
    client = kernel.client()
    client.execute('out a')
    control.end_session(at, how, 'half' if origin == 'session' else 'after', origin)
    assert client.shutdown().reply['status'] == 'ok'
    assert kernel.wait_exit() == 0


def test_it_stands_still(start):
    """At a few points: a second interrupt abandons the cell. The waits are side by side."""
    scene = Scene('still', 'out a\nresult 1\nerr b')
    first = Exchange(start, env={'ECHO_PARK': '1'})
    sent, received = first.frames(scene)
    points = [(n, cut, 'session') for n in range(1, sent + 1) for cut in ('header', 'after')] + [
        (n, 'after', 'kernel') for n in range(1, received + 1)]
    waiting = []
    for at, cut, origin in points[::max(1, STRIDE // 4)]:
        exchange = Exchange(start, env={'ECHO_PARK': '1'})
        exchange.kernel.expect_log('abandon')
        exchange.control.end_session(at, 'stall', cut, origin)
        cell = exchange.client.submit(scene.cells[0], stop_on_error=False)
        waiting.append((exchange, cell))
    for exchange, cell in waiting:
        exchange.client.wait(lambda: exchange.control.fired, 'the stall')
        exchange.client.settle(0.1)
        last = exchange.client.submit('out last', stop_on_error=False) if cell.done else cell
        if last is not cell:
            exchange.client.settle(0.1)
        exchange.stuck = last
        exchange.client.interrupt()
    for exchange, cell in waiting:
        client, stuck = exchange.client, exchange.stuck
        client.wait(lambda: 'Interrupt once more' in stuck.stderr, 'the offer')
        exchange.control.count_anew()
        client.interrupt()
        assert stuck.wait().error['ename'] == 'interrupt'
        exchange.next_cell()
