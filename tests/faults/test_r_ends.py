"""R's own session ends at frames of a mixed notebook, and the system refuses it memory and processes. The checks are those of
test_session_ends.py; besides, what is said to be kept is kept."""
import errno
import resource

import pytest
from faultlib import CUTS, STRIDE, Control, Exchange, Scene, sanitized

VARIABLES = {'comm_id': 'v', 'target_name': 'positron.variables', 'data': {}}
SCENES = [
    Scene('text', 'cat("a\\n"); message("b"); print(1:3); warning("w")', 'cat("c\\n")'),
    Scene('values', 'x <- data.frame(a = 1:2); x', 'cat("p\\n"); plot(1:3); plot(3:1)', '1 + 1'),
    Scene('errors', 'cat("a\\n"); f <- function() stop("no"); f()', 'x <- (', 'cat("b\\n")'),
    Scene('questions', 'cat("a\\n"); cat(readline("? "), "\\n")'),
    Scene('comms', 'y <- 1', also=[('comm_open', VARIABLES), ('comm_close', {'comm_id': 'v', 'data': {}}),
                                   ('complete_request', {'code': 'mea', 'cursor_pos': 3}),
                                   ('inspect_request', {'code': 'mean', 'cursor_pos': 4, 'detail_level': 0})]),
    Scene('interrupt', 'cat("begun\\n"); Sys.sleep(60)', 'cat("after\\n")', interrupt=0),
    Scene('crash', 'z <- 1', 'cat("a\\n"); tools::pskill(Sys.getpid(), 9)', 'cat(exists("z"), "\\n")'),
    Scene('undo', 'z <- 1', 'z <- 2', 'undo()', 'cat(z, "\\n")'),
]
HOWS = ('kill', 'exit', 'close', 'garbage')


class RExchange(Exchange):
    following = 'undo <- .carrack_internal(tools())$carrack.undo; cat("next\\n")'


def points(sent, received):
    """Every boundary once, with the ways to die taking turns."""
    all_ = [(n, HOWS[(n + i) % 4], cut, 'session') for n in range(1, sent + 1) for i, cut in enumerate(CUTS)]
    return all_ + [(n, HOWS[n % 4], 'after', 'kernel') for n in range(1, received + 1)]


@pytest.mark.parametrize('scene', SCENES, ids=[s.name for s in SCENES])
def test_at_frames(start, scene):
    exchange = RExchange(start, session=None)
    exchange.kernel.expect_log('undo')
    sent, received = exchange.frames(scene)
    assert sent >= len(scene.cells)
    for n, point in enumerate(points(sent, received)[SCENES.index(scene)::STRIDE], 1):
        exchange.broken(scene, *point)
        if n % 20 == 0:
            exchange.turn()
    exchange.turn()
    assert exchange.reached >= exchange.points / 2, f'{exchange.reached} of {exchange.points}'


def test_what_is_said_to_be_kept_is_kept(start):
    exchange = RExchange(start, session=None)
    client = exchange.client
    scene = Scene('state', 'cat("a\\n"); kept <- "bad"; plot(1); cat("b\\n")')
    sent, _ = exchange.frames(scene)
    for at in range(1, sent + 1, max(1, STRIDE // 4)):
        client.execute('kept <- "good"')
        cell = exchange.broken(scene, at, HOWS[at % 4], 'half')[0]
        now = client.execute('cat(if (exists("kept")) kept)').stdout
        story = '\n'.join(cell.error['traceback']) if cell.error else ''
        if 'as it was before this cell' in story:
            assert now == 'good'
        elif 'A new R was started' in story:
            assert now == ''
        else:
            assert 'are lost:' in story or not story


@pytest.mark.skipif(sanitized(), reason='AddressSanitizer reports each allocation that is refused')
def test_memory_is_refused_to_r(start):
    """ulimit -v: an R error, and the session goes on."""
    kernel = start(session=None)
    client = kernel.client()
    pid = int(client.execute('cat(Sys.getpid())').stdout)
    size = int(open(f'/proc/{pid}/statm').read().split()[0]) * resource.getpagesize()
    resource.prlimit(pid, resource.RLIMIT_AS, (size + (150 << 20), resource.RLIM_INFINITY))
    for code in ('x <- numeric(1e8)', 'x <- strrep("x", 2e9)', 'x <- lapply(1:1e4, function(i) numeric(1e5))'):
        cell = client.execute(code, stop_on_error=False)
        assert cell.status == 'error', cell.outputs
        assert client.execute('cat("next")').stdout == 'next'


def test_processes_are_refused_to_r(start):
    """No copy can be made and no child be started: R says so where it asked for one."""
    control = Control()
    kernel = start(session=None, env=control.environment()).expect_log('R was ended')
    client = kernel.client()
    client.execute('x <- 1')
    control.refuse('fork', 1, 10 ** 9, errno.EAGAIN, who='session')
    assert 'fork' in client.execute('parallel::mclapply(1:2, identity, mc.cores = 2)', stop_on_error=False).error['evalue']
    for i in range(3):
        assert client.execute(f'x <- {i}; cat(x)').stdout == f'{i}'
    story = '\n'.join(client.execute('tools::pskill(Sys.getpid(), 9)', stop_on_error=False).error['traceback'])
    assert 'A new R was started' in story or 'are lost: ' in story
    control.refuse_nothing()
    assert client.execute('cat("next")').stdout == 'next'
