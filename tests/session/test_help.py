"""The comm positron.help, and R's help server behind it: pages are fetched as a client does."""
import urllib.error
import urllib.request

import pytest


def value(cell):
    return cell.result


class Help:
    def __init__(self, client, id='help'):
        self.client, self.id = client, id
        opened = client.request('comm_open', {'comm_id': id, 'target_name': 'positron.help', 'data': {}})
        client.wait_idle(opened)
        assert not [m for m in opened.window() if m.type == 'comm_close']

    def shown(self, request):
        found = [m.content['data'] for m in request.window()
                 if m.type == 'comm_msg' and m.content['comm_id'] == self.id and m.content['data'].get('method') == 'show_help']
        for data in found:
            assert set(data) == {'method', 'params'} and set(data['params']) == {'content', 'kind', 'focus'}
            assert data['params']['kind'] == 'url' and data['params']['focus'] is True
        return [data['params']['content'] for data in found]

    def topic(self, topic):
        """(found, URLs shown)"""
        request = self.client.request('comm_msg', {'comm_id': self.id, 'data': {
            'jsonrpc': '2.0', 'id': '1', 'method': 'show_help_topic', 'params': {'topic': topic}}})
        self.client.wait_idle(request)
        [answer] = [m.content['data'] for m in request.window() if m.type == 'comm_msg' and 'result' in m.content['data']]
        assert answer['method'] == 'ShowHelpTopicReply'
        return answer['result'], self.shown(request)


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


@pytest.fixture(params=['console', 'notebook'])
def client(start, request):
    return start(session=None, args=['--session-mode', request.param]).client()


def outputs(cell):
    return [m.type for m in cell.messages() if m.type in ('display_data', 'execute_result', 'stream')]


def test_help_is_shown_where_the_client_wants_it(client):
    pane = Help(client)
    for code in ('?mean', 'help("mean")', 'x <- help(mean); print(x)'):
        cell = client.execute(code)
        [url] = pane.shown(cell)
        assert url.startswith('http://127.0.0.1:') and outputs(cell) == [], code
        assert 'Arithmetic Mean' in get(url)
    assert pane.shown(client.execute('?no_such_topic')) == []
    [url] = pane.shown(client.execute('help.search("linear models", package = "stats")'))
    assert 'stats::lm' in get(url)


@pytest.mark.parametrize('topic', ['lm', 'stats::lm', 'stats:::lm', 'library', '%in%', 'utils::find', '?', '::'])
def test_topics(start, topic):
    pane = Help(start(session=None).client())
    found, [url] = pane.topic(topic)
    assert found is True and 'R Documentation' in get(url)


def test_a_topic_that_is_not_there(start):
    client = start(session=None).client()
    pane = Help(client)
    for topic in ('no_such_topic', 'stats::no_such', 'no.such.package::x', '', 'a"b'):
        assert pane.topic(topic) == (False, [])
    request = client.request('comm_msg', {'comm_id': 'help', 'data': {'id': '1', 'method': 'show_help_topic', 'params': {'topic': 3}}})
    client.wait_idle(request)
    [data] = [m.content['data'] for m in request.window() if m.type == 'comm_msg']
    assert data['error']['code'] == -32602


def test_a_closed_comm_leaves_nothing(start):
    client = start(session=None, args=['--session-mode', 'notebook']).client()
    seed = value(client.execute('set.seed(1); .Random.seed'))
    Help(client)
    assert value(client.execute('getOption("help_type")')) == '[1] "html"'
    assert value(client.execute('.Random.seed')) == seed
    client.wait_idle(client.request('comm_close', {'comm_id': 'help', 'data': {}}))
    assert value(client.execute('getOption("help_type")')) == 'NULL'
    assert outputs(client.execute('?mean')) == ['execute_result']


def test_a_user_who_wants_text_gets_it(start):
    client = start(session=None, args=['--session-mode', 'notebook']).client()
    client.execute('options(help_type = "text")')
    pane = Help(client)
    cell = client.execute('?mean')
    assert pane.shown(cell) == [] and outputs(cell) == ['execute_result']


def test_pages_are_served_after_a_crash(start):
    kernel = start(session=None)
    kernel.expect_log('R was ended by signal')
    client = kernel.client()
    pane = Help(client)
    [before] = pane.shown(client.execute('?mean'))
    assert client.execute('tools::pskill(Sys.getpid(), 11)').status == 'error'
    [after] = pane.shown(client.execute('?lm'))
    assert 'Fitting Linear Models' in get(after)
    assert before != after
