"""Comms through the real kernel and R: targets in C, and those of R code (docs/comms.md)."""
import pytest

MANAGER = 'm <- getOption("jupyter.comm_manager")()\n'


@pytest.fixture
def client(start):
    client = start(session=None).client()
    assert client.execute(MANAGER).status == 'ok'
    return client


def run(client, code):
    cell = client.execute(code)
    assert cell.status == 'ok', cell.reply
    return cell


def comm(client, type, id='c1', metadata=None, buffers=(), **content):
    request = client.request(type, {'comm_id': id, **content}, metadata=metadata, buffers=buffers)
    client.wait_idle(request)
    return request


def open_comm(client, target, id='c1', data=None, **more):
    return comm(client, 'comm_open', id, target_name=target, data=data or {}, **more)


def send(client, data, id='c1', **more):
    return comm(client, 'comm_msg', id, data=data, **more)


def comms(client):
    return client.ask('comm_info_request', {})['comms']


def messages(request):
    return [(m.type, m.content) for m in request.window() if m.type.startswith('comm_')]


def test_unknown_targets_are_refused(client):
    assert messages(open_comm(client, 'nobody')) == [('comm_close', {'comm_id': 'c1', 'data': {}})]
    assert comms(client) == {}
    assert messages(send(client, {})) == []


def test_a_target_in_r(client):
    run(client, '''
        m$register_target("mirror", function(comm, data) {
            comm$on_msg(function(msg) comm$send(list(got = msg)))
            comm$on_close(function() cat("closed\\n"))
            comm$send(list(opened = data$x))
        })''')
    opened = open_comm(client, 'mirror', data={'x': [1, 2]})
    assert messages(opened) == [('comm_msg', {'comm_id': 'c1', 'data': {'opened': [1, 2]}})]
    assert comms(client) == {'c1': {'target_name': 'mirror'}}
    data = {'é': 'ü', 'n': None, 'l': [1, 'a', {'b': []}], 't': True, 'd': 1.5, 'big': 12345678901}
    assert messages(send(client, data)) == [('comm_msg', {'comm_id': 'c1', 'data': {'got': data}})]
    assert comm(client, 'comm_close', data={}).stdout == 'closed\n'
    assert comms(client) == {}
    assert run(client, 'cat(length(m$commid_to_comm))').stdout == '0'
    run(client, 'm$unregister_target("mirror")')
    assert messages(open_comm(client, 'mirror'))[0][0] == 'comm_close'


def test_buffers_and_metadata_both_ways(client):
    run(client, '''
        m$register_target("t", function(comm, data, metadata, buffers) {
            comm$on_msg(function(msg, buffers, metadata)
                comm$send(list(n = lengths(buffers)), metadata = list(was = metadata), buffers = rev(buffers)))
            comm$send(list(), metadata, buffers)
        })''')
    [m] = open_comm(client, 't', metadata={'a': 1}, buffers=[b'\0\1\xff', b'']).window()
    assert (m.content['data'], m.metadata, m.buffers) == ({}, {'a': 1}, [b'\0\1\xff', b''])
    big = bytes(range(256)) * 40000
    [m] = send(client, {}, metadata={'k': [True]}, buffers=[b'', big]).window()
    assert (m.content['data'], m.metadata, m.buffers) == ({'n': [0, len(big)]}, {'was': {'k': True}}, [big, b''])


def test_r_opens(client):
    """The shape of ipywidgets: the kernel opens jupyter.widget with a state, clients send updates."""
    cell = run(client, '''
        cat("before\\n")
        w <- m$new_comm("jupyter.widget")
        w$open(list(state = list(value = 3L), buffer_paths = list()), metadata = list(version = "2.1.0"))
        w$on_msg(function(msg) { value <<- msg$state$value; cat("value", value, "\\n") })
        cat("after\\n")''')
    assert cell.story() == ['out:before\n', 'comm_open', 'out:after\n']
    [m] = [m for m in cell.window() if m.type == 'comm_open']
    id = m.content['comm_id']
    assert m.content == {'comm_id': id, 'target_name': 'jupyter.widget', 'data': {'state': {'value': 3}, 'buffer_paths': []}}
    assert m.metadata == {'version': '2.1.0'} and len(id) == 36
    assert comms(client) == {id: {'target_name': 'jupyter.widget'}}
    assert send(client, {'method': 'update', 'state': {'value': 7}}, id).stdout == 'value 7 \n'
    assert run(client, 'cat(value); w$close(list(bye = TRUE)); w$send(list(late = 1)); w$close()').story() == ['out:7', 'comm_close']
    assert comms(client) == {}


def test_json_of_r_values(client):
    run(client, 'c1 <- m$new_comm("t", "c1"); c1$open()')
    cell = run(client, '''c1$send(list(
        none = NULL, one = 1, int = 2L, na = NA, nan = NaN, str = "a\\"\\u00e9", asis = I("x"), vec = c(1.5, NA), empty = list(),
        object = setNames(list(), character()), factor = factor("lev"), date = as.Date("2020-02-03"), raw = as.raw(0:3),
        table = data.frame(a = 1:2, b = c("x", "y")), matrix = matrix(1:4, 2), json = structure("{\\"j\\":[1]}", class = "json"),
        big = 2^53, third = 1/3, latin = iconv("\\u00fc", "UTF-8", "latin1"), named = c(a = 1, b = 2)))''')
    [(_, content)] = messages(cell)
    assert content['data'] == {
        'none': None, 'one': 1, 'int': 2, 'na': None, 'nan': None, 'str': 'a"é', 'asis': ['x'], 'vec': [1.5, None], 'empty': [],
        'object': {}, 'factor': 'lev', 'date': '2020-02-03', 'raw': 'AAECAw==', 'table': [{'a': 1, 'b': 'x'}, {'a': 2, 'b': 'y'}],
        'matrix': [[1, 3], [2, 4]], 'json': {'j': [1]}, 'big': 2**53, 'third': 1/3, 'latin': 'ü', 'named': [1, 2]}
    for bad in ('list(f = mean)', 'list(1, 2)', 'list(e = globalenv())', '"text"', 'list(a = structure("{", class = "json"))'):
        cell = client.execute(f'c1$send({bad})', stop_on_error=False)
        assert cell.status == 'error' and messages(cell) == []
    assert client.execute('c1$send(list(), buffers = list("text"))', stop_on_error=False).status == 'error'
    assert client.execute('x <- list(); for (i in 1:1e5) x <- list(x); c1$send(list(x = x))', stop_on_error=False).status == 'error'
    assert run(client, 'c1$send(list(ok = TRUE))').of_type('comm_msg')[0]['data'] == {'ok': True}


def test_handlers_that_fail(client):
    run(client, '''
        m$register_target("bad", function(comm, data) stop("cannot open ", data$x))
        m$register_target("t", function(comm, data) comm$on_msg(function(msg) {
            if (msg$how == "stop") stop("told to")
            if (msg$how == "jump") invokeRestart("abort")
            if (msg$how == "warn") warning("careful")
            comm$send(list(fine = TRUE))
        }))''')
    opened = open_comm(client, 'bad', data={'x': 'it'})
    [(type, content)] = messages(opened)
    assert type == 'comm_close' and 'cannot open it' in content['data']['reason'] and 'cannot open it' in opened.stderr
    assert comms(client) == {}
    open_comm(client, 't')
    request = send(client, {'how': 'stop'})
    assert messages(request) == [] and 'told to' in request.stderr
    assert messages(send(client, {'how': 'jump'})) == []
    request = send(client, {'how': 'warn'})
    assert 'careful' in request.stderr and messages(request)[0][1]['data'] == {'fine': True}
    assert run(client, 'cat(1)').stdout == '1'


def test_a_handler_is_interrupted(client):
    run(client, 'm$register_target("t", function(comm, data) { cat("in\\n"); Sys.sleep(60) })')
    request = client.request('comm_open', {'comm_id': 'c1', 'target_name': 't', 'data': {}})
    request.wait_output('in')
    client.interrupt()
    client.wait_idle(request)
    assert run(client, 'cat(1)').stdout == '1'


def test_comms_change_variables_and_plots_of_the_user(client):
    run(client, 'n <- 0; m$register_target("count", function(comm, data) comm$on_msg(function(msg) n <<- n + msg$by))')
    open_comm(client, 'count')
    for i in range(20):
        client.request('comm_msg', {'comm_id': 'c1', 'data': {'by': i}})
    assert run(client, 'cat(n)').stdout == '190'


def test_comm_info_while_r_computes(client):
    run(client, 'x <- m$new_comm("t", "one"); x$open()')
    cell = client.submit('Sys.sleep(0.5)').wait_started()
    assert comms(client) == {'one': {'target_name': 't'}} and not cell.done
    cell.wait()


def test_the_random_seed_is_left_alone(client):
    run(client, 'set.seed(1); s <- .Random.seed; m$new_comm("t")$open(); stopifnot(identical(s, .Random.seed))')


def test_irkernels_manager(client):
    """Code that asks IRkernel finds this manager."""
    if run(client, 'cat(requireNamespace("IRkernel", quietly = TRUE))').stdout != 'TRUE':
        pytest.skip('IRkernel is not installed')
    run(client, 'stopifnot(identical(IRkernel::comm_manager(), m))')
    cell = run(client, 'IRkernel::comm_manager()$new_comm("t", "c9")$open(list(a = 1))')
    assert messages(cell) == [('comm_open', {'comm_id': 'c9', 'target_name': 't', 'data': {'a': 1}})]


def test_a_forked_child_cannot_use_them(client):
    cell = run(client, '''x <- m$new_comm("t", "one"); x$open()
        r <- parallel::mccollect(parallel::mcparallel(tryCatch(x$send(list(a = 1)), error = conditionMessage)))[[1]]
        cat(r)''')
    assert 'forked' in cell.stdout and [t for t, _ in messages(cell)] == ['comm_open']


def test_nothing_is_on_the_search_path(client):
    run(client, 'stopifnot(!exists("comm_manager"), length(ls(all.names = TRUE)) == 1, length(search()) == 9)')
