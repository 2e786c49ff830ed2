"""The comm positron.ui, from a client that knows Positron's contract (ui-backend and ui-frontend) and nothing else."""
import pytest

SETTINGS = {'size': {'width': 640, 'height': 480}, 'pixel_ratio': 2.0, 'format': 'png'}


def value(cell):
    return cell.result


class Failure(Exception):
    pass


class Ui:
    def __init__(self, client, id='ui', data=None):
        self.client, self.id = client, id
        self.opened = client.request('comm_open', {'comm_id': id, 'target_name': 'positron.ui', 'data': data or {}})
        client.wait_idle(self.opened)

    def of(self, request):
        return [m.content['data'] for m in request.window() if m.type == 'comm_msg' and m.content['comm_id'] == self.id]

    def events(self, request):
        """The events among what a request has caused, each with exactly a method and its parameters."""
        found = [data for data in self.of(request) if not data.get('method', 'Reply').endswith('Reply')]
        assert all(set(data) == {'method', 'params'} for data in found)
        return [(data['method'], data['params']) for data in found]

    def request(self, data):
        request = self.client.request('comm_msg', {'comm_id': self.id, 'data': data})
        self.client.wait_idle(request)
        return request

    def call(self, method, /, **params):
        request = self.request({'jsonrpc': '2.0', 'id': 'abc', 'method': method, 'params': params})
        [answer] = [data for data in self.of(request) if 'error' in data or data['method'].endswith('Reply')]
        if 'error' in answer:
            assert set(answer['error']) == {'code', 'message', 'data'}
            raise Failure(answer['error']['code'], answer['error']['message'])
        assert answer['method'] == ''.join(w.capitalize() for w in method.split('_')) + 'Reply'
        return answer['result']


@pytest.fixture
def kernel_with_r(start):
    return start(session=None, args=['--session-mode', 'console'])


@pytest.fixture
def client(kernel_with_r):
    return kernel_with_r.client()


def test_how_plots_are_shown_is_taken(client):
    ui = Ui(client)
    assert ui.call('did_change_plots_render_settings', settings=SETTINGS) is None
    for bad in ({}, {'size': {}}, {'pixel_ratio': 0}, {'pixel_ratio': 'x'}, {'format': 'bmp'}, {'size': {'width': -1, 'height': 3}},
                {'size': {'width': 1e9, 'height': 3}}):
        assert failure(ui, 'did_change_plots_render_settings', settings={**SETTINGS, **bad} if bad else {}) == -32602
    assert failure(ui, 'no_such_thing') == -32601


def failure(ui, method, /, **params):
    with pytest.raises(Failure) as e:
        ui.call(method, **params)
    return e.value.args[0]


def test_an_event_is_not_answered(client):
    ui = Ui(client)
    for settings in (SETTINGS, {}):
        request = ui.request({'jsonrpc': '2.0', 'method': 'did_change_plots_render_settings', 'params': {'settings': settings}})
        assert ui.of(request) == []
    assert ui.of(ui.request({'method': 'editor_context_changed', 'params': {'document_uri': '', 'is_execution_source': False}})) == []
    assert client.execute('1').status == 'ok'


def test_prompts_and_the_directory_are_told_when_they_change(client, tmp_path):
    ui = Ui(client)
    events = dict(ui.events(ui.opened))
    assert events['prompt_state'] == {'input_prompt': '> ', 'continuation_prompt': '+ '}
    assert set(events) == {'prompt_state', 'working_directory'}
    assert [e for e in ui.events(client.execute('1')) if e[0] != 'busy'] == []
    (tmp_path / 'é').mkdir()
    assert ('working_directory', {'directory': str(tmp_path / 'é')}) in ui.events(client.execute(f'setwd("{tmp_path}/é")'))
    told = ui.events(client.execute(f'Sys.setenv(HOME = "{tmp_path}"); dir.create("in"); setwd("in")'))
    assert ('working_directory', {'directory': '~/é/in'}) in told
    assert ('prompt_state', {'input_prompt': 'R: ', 'continuation_prompt': '+ '}) in ui.events(client.execute('options(prompt = "R: ")'))
    # Also when an error ends the cell.
    assert ('working_directory', {'directory': '/'}) in ui.events(client.execute('setwd("/"); stop("x")'))


def test_it_is_told_when_r_computes(client):
    ui = Ui(client)
    assert [e for e in ui.events(client.execute('1')) if e[0] == 'busy'] == [('busy', {'busy': True}), ('busy', {'busy': False})]
    assert ui.events(client.execute('1', silent=True)) == []


def test_methods_by_name(client):
    ui = Ui(client)
    call = lambda method, *params: ui.call('call_method', method=method, params=list(params))  # noqa: E731
    assert call('setConsoleWidth', 123) == 80
    assert value(client.execute('getOption("width")')) == '[1] 123'
    assert call('isPackageAttached', 'stats') is True and call('is_installed', 'no.such.package') is False
    assert call('is_installed', 'stats', '99') is False
    assert 'stats' in call('get_attached_packages') and call('get_env_vars')['R_HOME']
    client.execute('.ps.rpc.mine <- function(x, y) list(sum = x + y, na = NA, none = NULL, list = 1:3, when = as.Date("2020-01-02"))')
    assert call('mine', 1, 2) == {'sum': 3, 'na': None, 'none': None, 'list': [1, 2, 3], 'when': '2020-01-02'}
    client.execute('.ps.rpc.bad <- function() stop("no luck"); .ps.rpc.odd <- function() globalenv()')
    for method, code in (('bad', -32603), ('odd', -32603), ('nothing', -32601)):
        with pytest.raises(Failure) as e:
            call(method)
        assert e.value.args[0] == code
    assert failure(ui, 'call_method', params=[]) == -32602


def test_code_is_evaluated_beside_the_cells(client):
    ui = Ui(client)
    client.execute('x <- 20')
    assert ui.call('evaluate_code', code='cat("a\n"); message("b"); warning("c"); x <- x + 1; x * 2') == {
        'result': 42, 'output': 'a\nb\nWarning message:\nc'}
    assert value(client.execute('x')) == '[1] 21'
    assert ui.call('evaluate_code', code='NULL') == {'result': None, 'output': ''}
    assert ui.call('evaluate_code', code='data.frame(a = 1:2)')['result'] == [{'a': 1}, {'a': 2}]
    for code in ('stop("x")', '1 +', 'globalenv()'):
        assert failure(ui, 'evaluate_code', code=code) == -32603
    assert value(client.execute('x')) == '[1] 21'


def shown(cell):
    return [m.content['data'] for m in cell.messages() if m.type in ('display_data', 'execute_result')]


def test_what_is_to_be_shown_goes_there(client, tmp_path):
    ui = Ui(client)

    def told(code):
        cell = client.execute(code)
        assert cell.status == 'ok', cell.reply
        assert shown(cell) == [] and cell.stdout == '', code
        return [e for e in ui.events(cell) if e[0] != 'busy']
    (tmp_path / 'a.html').write_text('<p>x')
    (tmp_path / 'a.txt').write_text('x')
    assert told('browseURL("https://www.r-project.org")') == [('show_url', {'url': 'https://www.r-project.org'})]
    assert told(f'browseURL("{tmp_path}/a.html")') == [
        ('show_html_file', {'path': f'{tmp_path}/a.html', 'title': 'a.html', 'destination': 'viewer', 'height': 0})]
    assert told(f'browseURL("file://{tmp_path}/a.txt")') == [('open_with_system', {'path': f'{tmp_path}/a.txt'})]
    assert told(f'getOption("viewer")("{tmp_path}/a.html", height = "maximize")') == [
        ('show_html_file', {'path': f'{tmp_path}/a.html', 'title': '', 'destination': 'viewer', 'height': -1})]
    assert told(f'file.edit("{tmp_path}/new.R")') == [
        ('open_editor', {'file': f'{tmp_path}/new.R', 'line': 1, 'column': 1, 'kind': 'path', 'pinned': True})]
    assert (tmp_path / 'new.R').exists()
    assert told('cat("\f")') == [('clear_console', {})]
    assert told('cat("\014"); invisible(1)') == [('clear_console', {})]


def test_pages_of_text_are_in_the_cell(client):
    """Also in a console session, where they would be payloads."""
    Ui(client)
    cell = client.execute('data(package = "datasets")')
    assert 'AirPassengers' in shown(cell)[0]['text/plain'] and cell.reply['payload'] == []


def test_text_comes_before_what_is_shown_after_it(client):
    ui = Ui(client)
    cell = client.execute('cat("one\n"); browseURL("https://a.b"); cat("two\n")')
    kinds = [m.content.get('text') or m.content.get('data', {}).get('method') for m in cell.messages() if m.type in ('stream', 'comm_msg')]
    assert [k for k in kinds if k != 'busy'] == ['one\n', 'show_url', 'two\n']
    assert ui.id


def test_without_the_comm_everything_is_in_the_cell(client):
    ui = Ui(client)
    client.wait_idle(client.request('comm_close', {'comm_id': ui.id, 'data': {}}))
    cell = client.execute('browseURL("https://www.r-project.org"); cat("\f")')
    assert shown(cell)[0]['text/plain'] == 'https://www.r-project.org' and cell.stdout == '\f'
    assert ui.events(cell) == []


def test_the_client_that_came_last_shows(client):
    first, second = Ui(client, 'one'), Ui(client, 'two')
    cell = client.execute('browseURL("https://a.b"); setwd("/tmp")')
    names = lambda ui: [name for name, _ in ui.events(cell)]  # noqa: E731
    assert 'show_url' in names(second) and 'show_url' not in names(first)
    assert 'working_directory' in names(first) and 'working_directory' in names(second)
    client.wait_idle(client.request('comm_close', {'comm_id': 'two', 'data': {}}))
    cell = client.execute('browseURL("https://a.b")')
    assert 'show_url' in names(first)


def test_state_is_told_again_after_a_crash(kernel_with_r):
    kernel_with_r.expect_log('R was ended by signal')
    client = kernel_with_r.client()
    ui = Ui(client)
    client.execute('setwd("/")')
    cell = client.execute('setwd("/tmp"); tools::pskill(Sys.getpid(), 11)')
    assert cell.status == 'error'
    # The copy that goes on may be from before the first cell.
    cell = client.execute('cat(getwd())')
    told = dict(ui.events(cell))['working_directory']['directory']
    home = client.execute('cat(Sys.getenv("HOME"))').stdout
    assert told.replace('~', home, 1) == cell.stdout != '/tmp'
