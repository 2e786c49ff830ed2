"""What a soak does: the steps, each a cell or another request with its expected outcome, and a model of the workspace.

A step is a function of the soak (soak.py); it sends, waits, and asserts what must have come. The model is one counter, `n`
in R: what a crash, an abandoned change or undo() leaves of it is known exactly."""
import os
import signal
import time

SETUP = '''options(carrack.soak = TRUE); n <- 0; text <- "a"
undo <- .carrack_internal(tools())$carrack.undo
f <- function(depth) if (depth > 0) f(depth - 1) else stop("deep")
frame <- data.frame(a = 1:30, b = letters[rep(1:6, 5)], c = sqrt(1:30))'''


def run(soak, code, status='ok', **more):
    cell = soak.any_client().submit(code, **more)
    cell.wait()
    assert cell.status == status, f'{code!r}: {cell.reply}, {cell.stderr}'
    return cell


def out(cell):
    """What the cell has written itself; the text of a child that outlived an earlier one (late_child) may be in between."""
    return cell.stdout.replace('late\n', '')


def number(soak):
    a, b = soak.random.randrange(1000), soak.random.randrange(1000)
    assert run(soak, f'{a} + {b}').result == f'[1] {a + b}'


def count(soak):
    soak.n += 1
    assert out(run(soak, 'n <- n + 1; cat(n)')) == f'{soak.n}'


def words(soak):
    lines = soak.random.randrange(1, 40)
    cell = run(soak, f'for (i in 1:{lines}) {{ cat("out", i, "\\n"); if (i %% 7 == 0) message("err ", i) }}')
    assert out(cell) == ''.join(f'out {i} \n' for i in range(1, lines + 1))
    assert cell.stderr == ''.join(f'err {i}\n' for i in range(7, lines + 1, 7))


def much(soak):
    size = soak.random.randrange(1, 400) * 1000
    assert len(out(run(soak, f'cat(strrep("x", {size}))'))) == size


def error(soak):
    cell = run(soak, f'f({soak.random.randrange(5)})', 'error')
    assert 'deep' in cell.error['evalue']


def syntax(soak):
    run(soak, 'x <- (1 + ', 'error')


def warn(soak):
    assert 'careful' in run(soak, 'as.integer("a"); warning("careful")').stderr


def frame(soak):
    cell = run(soak, f'head(frame, {soak.random.randrange(1, 10)})')
    assert 'text/plain' in cell.of_type('execute_result')[0]['data']


def plot(soak):
    code = soak.random.choice(['plot(1:10)', 'hist(c(1, 2, 2, 3))', 'plot(1:3); lines(3:1); plot(4:6)'])
    assert run(soak, code).of_type('display_data')


def silent(soak):
    cell = run(soak, 'invisible(n)', silent=True, store_history=False)
    assert not out(cell) and not cell.result


def expression(soak):
    cell = run(soak, '', user_expressions={'a': 'n', 'b': 'stop("no")'})
    assert cell.reply['user_expressions']['b']['status'] == 'error'


def big(soak):
    run(soak, f'big <- rnorm({soak.random.randrange(10 ** 5)}); rm(big)')


def variables(soak):
    name = f'v{soak.random.randrange(30)}'
    run(soak, f'{name} <- list(1:{soak.random.randrange(1, 100)}, "{name}"); str({name})')


def complete(soak):
    code = soak.random.choice(['fra', 'frame$', 'stats::rno', 'options(dig', 'f(de', '"~/', ''])
    reply = soak.any_client().ask('complete_request', {'code': code, 'cursor_pos': len(code)})
    assert reply['status'] == 'ok' and (code != 'fra' or 'frame' in reply['matches'])


def inspect(soak):
    code = soak.random.choice(['mean', 'frame', 'f', 'nothing_of_this_name', 'stats::sd'])
    assert soak.any_client().ask('inspect_request', {'code': code, 'cursor_pos': len(code), 'detail_level': 0})['status'] == 'ok'


def ask(soak):
    client = soak.any_client()
    assert client.ask('is_complete_request', {'code': 'f(('})['status'] == 'incomplete'
    assert client.kernel_info(soak.random.choice(['shell', 'control']))['status'] == 'ok'
    assert client.ask('comm_info_request')['status'] == 'ok'


def history(soak):
    access = soak.random.choice([{'hist_access_type': 'tail', 'n': 10}, {'hist_access_type': 'search', 'pattern': '*n + 1*', 'n': 5},
                                 {'hist_access_type': 'range', 'session': 0, 'start': 1, 'stop': 5}])
    assert soak.any_client().ask('history_request', {'output': True, 'raw': True, **access})['status'] == 'ok'


def question(soak):
    client = soak.any_client()
    cell = client.submit('answer <- readline("? "); cat(answer)')
    client.answer(client.wait_input(cell), 'an answer')
    assert out(cell.wait()).endswith('an answer')


def comm(soak):
    """A Variables pane is opened, asked, and closed."""
    client, soak.comms = soak.any_client(), soak.comms + 1
    id = f'comm-{soak.comms}'
    client.wait_idle(client.request('comm_open', {'comm_id': id, 'target_name': 'positron.variables', 'data': {}}))
    asked = client.request('comm_msg', {'comm_id': id, 'data': {'id': '1', 'method': 'list', 'params': {}}})
    client.wait_idle(asked)
    assert any(m.type == 'comm_msg' for m in asked.window())
    soak.n += 1
    assert out(run(soak, 'n <- n + 1; cat(n)')) == f'{soak.n}'
    client.wait_idle(client.request('comm_close', {'comm_id': id, 'data': {}}))


def widget(soak):
    """A comm of R code."""
    run(soak, 'w <- getOption("jupyter.comm_manager")()$new_comm("soak.widget"); w$open(list(a = 1)); '
              'w$send(list(b = "x")); w$close(); rm(w)')


def fork(soak):
    code = soak.random.choice(['unlist(parallel::mclapply(1:3, function(i) i^2, mc.cores = 2))', 'system("echo child"); c(1, 4, 9)',
                               '{ p <- parallel::mcparallel(9); r <- parallel::mccollect(p)[[1]]; c(1, 4, r) }'])
    assert run(soak, code).result == '[1] 1 4 9'


def late_child(soak):
    """A child that outlives its cell, and writes into another or none."""
    run(soak, 'system("(sleep 0.05; echo late) &")')


def interrupt(soak):
    client = soak.any_client()
    code = soak.random.choice(['Sys.sleep(100)', 'repeat {}', 'system("sleep 100")', 'for (i in 1:1e9) sqrt(i)', 'readline("? ")'])
    cell = client.submit(f'cat("begun\\n"); {code}', stop_on_error=False).wait_output('begun\n')
    client.interrupt()
    try:
        client.wait(lambda: cell.done, 'the end of what is interrupted', timeout=3)
    except AssertionError:  # it came just before the child that is waited for; people press it twice then
        soak.notes['interrupted twice'] += 1
        client.interrupt()
    assert cell.wait().status == 'error', cell.outputs


def burst(soak):
    """Many cells at once; one fails, and what waits behind it is aborted."""
    client = soak.any_client()
    cells = [client.submit(f'n <- n + 1; {"stop(1)" if i == 6 else "n"}') for i in range(9)]
    client.wait_idle(*cells)
    states = [c.wait().status for c in cells]
    assert states[:7] == ['ok'] * 6 + ['error'], states  # the last two had arrived by then, or had not
    soak.n += sum(s != 'aborted' for s in states)


def many(soak):
    """Two dozen cells and questions of all kinds, sent without waiting: as 'run all' does."""
    client = soak.any_client()
    first = soak.n
    soak.n += 8
    cells = [client.submit(code) for i in range(8) for code in
             (f'n <- n + 1; cat(n, "\\n")', f'{i} + 1', 'head(frame, 2)')]
    other = [client.request('complete_request', {'code': 'fra', 'cursor_pos': 3}), client.request('comm_info_request')]
    client.wait_idle(*cells, *other)
    for i in range(8):
        assert out(cells[3 * i].wait()) == f'{first + i + 1} \n', cells[3 * i].outputs
        assert cells[3 * i + 1].wait().result == f'[1] {i + 1}'
        assert cells[3 * i + 2].wait().status == 'ok'


def busy(soak):
    """A cell computes; meanwhile copies of the session answer, and a subshell runs code in one."""
    client = soak.any_client()
    cell = client.submit('cat("begun\\n"); i <- 0; repeat i <- i + 1', stop_on_error=False).wait_output('begun\n')
    assert client.ask('complete_request', {'code': 'fra', 'cursor_pos': 3})['status'] == 'ok'
    if soak.random.random() < 0.5:
        subshell = client.subshell()
        assert out(subshell.execute('n <- n + 1; cat(n)')) == f'{soak.n + 1}'
        assert subshell.delete()['status'] == 'ok'
    client.interrupt()
    assert cell.wait().status == 'error'
    soak.same()


def crash(soak):
    how = soak.random.choice(['tools::pskill(Sys.getpid(), 9)', 'tools::pskill(Sys.getpid(), 11)', 'tools::pskill(Sys.getpid(), 6)'])
    cell = run(soak, f'cat("before\\n"); n <- -1; {how}; Sys.sleep(10)', 'error', stop_on_error=False)
    assert out(cell) == 'before\n', cell.outputs
    soak.died('\n'.join(cell.error['traceback']))


def idle_crash(soak):
    """R dies while nobody asks anything of it; the clients are told."""
    client, pid = soak.any_client(), soak.session()
    cell = client.submit('cat("last")').wait()
    os.kill(pid, signal.SIGKILL)
    client.wait(lambda: any('while no cell ran' in m.content['text'] for m in cell.late), 'the news')
    client.wait(lambda: cell.late[-1].content['text'].endswith('\n'), 'the whole of it')
    soak.died(''.join(m.content['text'] for m in cell.late))


def undo(soak):
    run(soak, 'n <- n + 1')
    cell = soak.any_client().submit('undo()', stop_on_error=False).wait()
    if cell.status == 'error':  # no copy was made: forking was dear at that moment
        assert 'no copy' in cell.error['evalue'], cell.error
        soak.n += 1
        soak.notes['undo refused'] += 1
    elif 'as it was before the last cell.' in cell.stderr:
        soak.notes['undone'] += 1
    else:
        soak.longer_ago(cell.stderr)
    soak.same()


def come_and_go(soak):
    """A client comes, asks something, and goes; or goes in the middle of what it asked."""
    client = soak.kernel.client()
    if soak.random.random() < 0.5:
        assert client.kernel_info()['status'] == 'ok'
        client.wait_idle()
    else:
        soak.vanished.append(client.submit('cat(strrep("x", 1e5)); plot(1)'))
        time.sleep(soak.random.random() * 0.02)
    client.close()


# How often, in about a thousand steps.
STEPS = {number: 250, count: 120, words: 80, much: 20, error: 60, syntax: 20, warn: 30, frame: 50, plot: 20, silent: 20,
         expression: 20, big: 20, variables: 60, complete: 70, inspect: 40, many: 150, ask: 20, history: 15, question: 15, comm: 15,
         widget: 10, fork: 12, late_child: 5, interrupt: 10, busy: 6, burst: 8, crash: 3, idle_crash: 1, undo: 3, come_and_go: 3}
