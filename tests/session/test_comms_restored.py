"""Comms and crashes: what comm messages have changed is kept, and no client speaks to a comm that nobody knows (docs/reliability.md)."""
import time

import pytest

MANAGER = 'm <- getOption("jupyter.comm_manager")()\n'
CRASH = 'tools::pskill(Sys.getpid(), 11)'
NO_COPIES = 'options(carrack.snapshots = FALSE)'  # what comes from here on is not in the copy


@pytest.fixture
def client(start):
    kernel = start(session=None).expect_log('R was ended by signal')
    client = kernel.client()
    assert client.execute(MANAGER).status == 'ok'
    return client


def run(client, code):
    cell = client.execute(code)
    assert cell.status == 'ok', cell.reply
    return cell


def send(client, type, id, **content):
    request = client.request(type, {'comm_id': id, **content})
    client.wait_idle(request)
    return request


def open_comm(client, target, id, data=None):
    return send(client, 'comm_open', id, target_name=target, data=data or {})


def ask(client, id, method, **params):
    """The answer to a request of the JSON-RPC kind."""
    request = send(client, 'comm_msg', id, data={'id': '1', 'method': method, 'params': params})
    return [m.content['data'] for m in request.window() if m.type == 'comm_msg' and m.content['comm_id'] == id]


def comms(client):
    return set(client.ask('comm_info_request', {})['comms'])


def closed(client):
    return [m.content['comm_id'] for m in client.of_type('comm_close')]


def test_what_a_handler_has_assigned_is_kept(client):
    run(client, 'n <- 0; m$register_target("count", function(comm, data) comm$on_msg(function(msg) n <<- n + msg$by))')
    open_comm(client, 'count', 'c1')
    run(client, 'invisible()')
    time.sleep(0.5)  # a copy has been made, and from here on no cell runs
    send(client, 'comm_msg', 'c1', data={'by': 5})
    assert client.execute(CRASH).status == 'error'
    assert run(client, 'cat(n)').stdout == '5' and comms(client) == {'c1'}
    send(client, 'comm_msg', 'c1', data={'by': 2})
    assert run(client, 'cat(n)').stdout == '7'


def test_what_a_method_has_changed_is_kept(client):
    open_comm(client, 'positron.variables', 'vars')
    run(client, 'x <- 1; y <- 2')
    time.sleep(0.5)
    assert 'error' not in ask(client, 'vars', 'delete', names=['x'])[0]
    assert client.execute(CRASH).status == 'error'
    assert run(client, 'cat(ls())').stdout == 'm y'


def test_a_comm_that_was_opened_since_the_last_cell_is_kept(client):
    run(client, 'm$register_target("t", function(comm, data) comm$on_msg(function(msg) comm$send(list(there = TRUE))))')
    time.sleep(0.5)
    open_comm(client, 't', 'c1')
    assert client.execute(CRASH).status == 'error'
    assert comms(client) == {'c1'} and closed(client) == []
    [answer] = send(client, 'comm_msg', 'c1', data={}).window()
    assert answer.content['data'] == {'there': True}


@pytest.mark.parametrize('how', ['crash', 'undo'])
def test_comms_that_the_copy_does_not_have(client, how):
    """What the client has opened and what depends on nothing else is opened again; what R's state belongs to is closed."""
    run(client, 'm$register_target("t", function(comm, data) comm$on_msg(function(msg) comm$send(list(there = TRUE))))')
    open_comm(client, 't', 'before')
    run(client, 'x <- 1')
    time.sleep(0.5)
    run(client, NO_COPIES)
    for name in 'variables', 'ui', 'help':
        open_comm(client, f'positron.{name}', name)
    open_comm(client, 't', 'after')
    run(client, 'm$new_comm("jupyter.widget", "widget")$open(); m$new_comm("jupyter.widget", "gone")$open()')
    send(client, 'comm_close', 'gone', data={})
    send(client, 'comm_close', 'before', data={})
    assert comms(client) == {'variables', 'ui', 'help', 'after', 'widget'}
    if how == 'crash':
        assert client.execute(CRASH).status == 'error'
    else:
        run(client, 'attach(.carrack_internal(tools())); carrack.undo()')
    run(client, 'invisible()')  # the new session is there and has said what it does not know
    assert comms(client) == {'variables', 'ui', 'help'} and sorted(closed(client)) == ['after', 'widget']
    names = [v['display_name'] for v in ask(client, 'variables', 'list')[0]['result']['variables']]
    assert sorted(names) == ['m', 'x']
    assert 'result' in ask(client, 'help', 'show_help_topic', topic='mean')[-1]
    # What the client has closed is not open in R either.
    assert run(client, 'cat(length(m$commid_to_comm))').stdout == '0'
    open_comm(client, 't', 'after')
    [answer] = send(client, 'comm_msg', 'after', data={}).window()
    assert answer.content['data'] == {'there': True}


def test_an_open_that_waits_is_for_the_session_that_follows(client):
    run(client, 'm$register_target("t", function(comm, data) comm$on_msg(function(msg) comm$send(list(there = TRUE))))')
    time.sleep(0.5)
    cell = client.submit(f'Sys.sleep(0.5); {CRASH}').wait_started()
    opened = client.request('comm_open', {'comm_id': 'c1', 'target_name': 't', 'data': {}})
    asked = client.request('comm_msg', {'comm_id': 'c1', 'data': {}})
    client.wait_idle(cell, opened, asked)
    assert [m.content['data'] for m in asked.window()] == [{'there': True}]
    assert comms(client) == {'c1'} and closed(client) == []


@pytest.mark.parametrize('when', ['open', 'message'])
def test_a_handler_that_ends_r(client, when):
    """The user is told; the comm is closed if it was being opened."""
    run(client, 'm$register_target("t", function(comm, data) { if (isTRUE(data$die)) %s; comm$on_msg(function(msg) %s) })' % (CRASH, CRASH))
    run(client, 'x <- 3')
    request = open_comm(client, 't', 'c1', {'die': when == 'open'})
    if when == 'message':
        time.sleep(0.5)  # the copy has the comm
        request = send(client, 'comm_msg', 'c1', data={})
    client.wait(lambda: any('signal 11' in m.content.get('text', '') for m in client.of_type('stream')), 'the news')
    assert run(client, 'cat(x)').stdout == '3'
    assert (comms(client), closed(client)) == ((set(), ['c1']) if when == 'open' else ({'c1'}, []))
