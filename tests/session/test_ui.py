"""The comm positron.ui, from a client that knows Positron's contract (ui-backend and ui-frontend) and nothing else."""
import pytest

SETTINGS = {'size': {'width': 640, 'height': 480}, 'pixel_ratio': 2.0, 'format': 'png'}


class Failure(Exception):
    pass


class Ui:
    def __init__(self, client, id='ui', data=None):
        self.client, self.id = client, id
        self.opened = client.request('comm_open', {'comm_id': id, 'target_name': 'positron.ui', 'data': data or {}})
        client.wait_idle(self.opened)

    def of(self, request):
        return [m.content['data'] for m in request.window() if m.type == 'comm_msg' and m.content['comm_id'] == self.id]

    def request(self, data):
        request = self.client.request('comm_msg', {'comm_id': self.id, 'data': data})
        self.client.wait_idle(request)
        return request

    def call(self, method, **params):
        answers = [m for m in self.of(self.request({'jsonrpc': '2.0', 'id': 'abc', 'method': method, 'params': params}))
                   if 'error' in m or m['method'].endswith('Reply')]
        [answer] = answers
        if 'error' in answer:
            assert set(answer['error']) == {'code', 'message', 'data'}
            raise Failure(answer['error']['code'], answer['error']['message'])
        assert answer['method'] == ''.join(w.capitalize() for w in method.split('_')) + 'Reply'
        return answer['result']


@pytest.fixture
def client(start):
    return start(session=None, args=['--session-mode', 'console']).client()


def test_how_plots_are_shown_is_taken(client):
    ui = Ui(client)
    assert ui.call('did_change_plots_render_settings', settings=SETTINGS) is None
    for bad in ({}, {'size': {}}, {'pixel_ratio': 0}, {'pixel_ratio': 'x'}, {'format': 'bmp'}, {'size': {'width': -1, 'height': 3}},
                {'size': {'width': 1e9, 'height': 3}}):
        with pytest.raises(Failure) as e:
            ui.call('did_change_plots_render_settings', settings={**SETTINGS, **bad} if bad else {})
        assert e.value.args[0] == -32602
    with pytest.raises(Failure) as e:
        ui.call('no_such_thing')
    assert e.value.args[0] == -32601


def test_an_event_is_not_answered(client):
    ui = Ui(client)
    for settings in (SETTINGS, {}):
        request = ui.request({'jsonrpc': '2.0', 'method': 'did_change_plots_render_settings', 'params': {'settings': settings}})
        assert ui.of(request) == []
    assert client.execute('1').status == 'ok'
