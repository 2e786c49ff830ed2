"""The comm positron.plot: a client with a place of its own for plots, which knows Positron's contract (plot-backend, plot-frontend)
and nothing else. One comm is one plot."""
import base64
import re
import struct

import pytest

from carrack_client.png import pixels

PANE = {'size': {'width': 300, 'height': 200}, 'pixel_ratio': 2.0, 'format': 'png'}
MAGIC = {'png': b'\x89PNG\r\n\x1a\n', 'jpeg': b'\xff\xd8', 'svg': b'<?xml', 'pdf': b'%PDF', 'tiff': b'II*\0'}
MIME = {'png': 'image/png', 'jpeg': 'image/jpeg', 'svg': 'image/svg+xml', 'pdf': 'application/pdf', 'tiff': 'image/tiff'}


class Failure(Exception):
    pass


def picture(result):
    """The bytes of a PlotResult; what must hold for each."""
    assert set(result) == {'data', 'mime_type', 'settings'} and set(result['settings']) == {'size', 'pixel_ratio', 'format'}
    form, size = result['settings']['format'], result['settings']['size']
    data = base64.b64decode(result['data'], validate=True)
    assert data.startswith(MAGIC[form]) and result['mime_type'] == MIME[form]
    if form == 'png':
        dots = [round(size[d] * result['settings']['pixel_ratio']) for d in ('width', 'height')]
        assert struct.unpack('>II', data[16:24]) == tuple(dots)
    return data


class Pane:
    """What a plots pane knows: for each comm its last picture and what was told of it, in order."""

    def __init__(self, client, data=None, target='positron.plot', id='pane'):
        self.client, self.plots, self.id = client, {}, id
        self.opened = client.request('comm_open', {'comm_id': id, 'target_name': target, 'data': data or {}})
        client.wait_idle(self.opened)

    def run(self, code, **more):
        """What was told, in order: (what, id) or text."""
        self.cell = self.client.execute(code, stop_on_error=False, **more)
        return self.told(self.cell)

    def told(self, request):
        out = []
        for m in request.window():
            if m.type == 'comm_open':
                assert m.content['target_name'] == 'positron.plot' and set(m.content['data']) == {'pre_render'}
                self.plots[m.content['comm_id']] = picture(m.content['data']['pre_render'])
                out.append(('open', m.content['comm_id']))
            elif m.type == 'comm_msg' and m.content['comm_id'] in self.plots:
                data = m.content['data']
                if data['method'] == 'update':
                    self.plots[m.content['comm_id']] = picture(data['params']['pre_render'])
                out.append((data['method'], m.content['comm_id']))
            elif m.type == 'stream':
                out.append(m.content['text'].strip())
            elif m.type in ('display_data', 'update_display_data'):
                out.append('display')
        return out

    def call(self, id, method, params=None):
        request = self.client.request('comm_msg', {'comm_id': id, 'data': {'jsonrpc': '2.0', 'id': '1', 'method': method,
                                                                         'params': params or {}}})
        self.client.wait_idle(request)
        [data] = [m.content['data'] for m in request.window() if m.type == 'comm_msg' and m.content['comm_id'] == id]
        if 'error' in data:
            assert set(data['error']) == {'code', 'message', 'data'}
            raise Failure(data['error']['code'], data['error']['message'])
        assert data['method'] == ''.join(w.capitalize() for w in method.split('_')) + 'Reply'
        return data['result']

    def render(self, id, width=200, height=150, ratio=1, format='png'):
        size = None if width is None else {'width': width, 'height': height}
        return self.call(id, 'render', {'size': size, 'pixel_ratio': ratio, 'format': format})

    def close(self, id):
        self.client.wait_idle(self.client.request('comm_close', {'comm_id': id, 'data': {}}))


@pytest.fixture
def client(start):
    return start(session=None, args=['--session-mode', 'console']).client()


@pytest.fixture
def pane(client):
    return Pane(client, {'settings': PANE})


def test_one_comm_a_plot_between_the_texts(pane):
    told = pane.run('cat("a\\n")\nplot(1)\ncat("b\\n")\nfor (i in 1:2) plot(i)\ncat("c\\n")')
    assert [t if isinstance(t, str) else t[0] for t in told] == ['a', 'open', 'b', 'open', 'open', 'c']
    assert len(pane.plots) == 3
    assert all(struct.unpack('>II', p[16:24]) == (600, 400) for p in pane.plots.values())


def test_in_positron(client):
    ui = Pane(client, target='positron.ui', id='ui')
    [(what, plot)] = ui.run('plot(1)')
    assert what == 'open' and struct.unpack('>II', ui.plots[plot][16:24]) == (640, 400)
    client.wait_idle(client.request('comm_msg', {'comm_id': 'ui', 'data': {
        'jsonrpc': '2.0', 'method': 'did_change_plots_render_settings', 'params': {'settings': PANE}}}))
    [(what, plot)] = ui.run('plot(1)')
    assert what == 'open' and struct.unpack('>II', ui.plots[plot][16:24]) == (600, 400)
    ui.close('ui')
    assert ui.run('plot(1)') == ['display']


def test_a_notebook_of_positron_has_its_plots_in_the_cells(start):
    ui = Pane(start(session=None, args=['--session-mode', 'notebook']).client(), target='positron.ui', id='ui')
    assert ui.run('plot(1)') == ['display']


def test_who_has_asked_gets_plots_until_it_closes(client):
    pane = Pane(client)
    assert [t[0] for t in pane.run('plot(1)')] == ['open']
    with pytest.raises(Failure) as e:
        pane.render('pane')
    assert e.value.args[0] == -32600
    pane.close('pane')
    assert pane.run('plot(1)') == ['display']
    bad = client.request('comm_open', {'comm_id': 'x', 'target_name': 'positron.plot', 'data': {'settings': {'size': 3}}})
    client.wait_idle(bad)
    [closed] = [m for m in bad.window() if m.type == 'comm_close']
    assert 'settings' in closed.content['data']['reason']


def test_additions_update_it_in_this_cell_and_the_next(pane):
    [(_, plot)] = pane.run('plot(1:3)')
    first = pane.plots[plot]
    assert pane.run('lines(3:1)') == [('update', plot)] and pane.plots[plot] != first
    told = pane.run('par(mfrow = c(1, 2)); plot(1); plot(2)')
    assert [t[0] for t in told] == ['open', 'update'] and told[0][1] == told[1][1] != plot
    [(_, later)] = pane.run('plot(3)')
    assert later not in (plot, told[0][1])


def test_an_older_plot_that_changes_is_shown(pane):
    [(_, old)] = pane.run('plot(1)')
    [(_, new)] = pane.run('dev.new(); plot(2)')
    assert pane.run('invisible(dev.set(2)); points(1, 1)') == [('update', old), ('show', old)]
    assert pane.run('invisible(dev.set(3)); points(1, 1)') == [('update', new)]


def test_devices_of_the_user_and_closed_ones(pane, tmp_path):
    assert pane.run(f'png("{tmp_path}/u.png"); plot(1); invisible(dev.off())') == []
    assert [t[0] for t in pane.run('{ plot(1); invisible(dev.off()) }')] == ['open']
    assert pane.run('invisible(dev.hold()); plot(1)') == []
    assert [t[0] for t in pane.run('invisible(dev.flush())')] == ['open']


def test_it_is_there_before_a_question(client):
    pane = Pane(client)
    cell = client.execute('for (i in 1:2) plot(i)\n{ plot(3); x <- readline("ok? "); cat("said", x) }', inputs=['yes'], allow_stdin=True)
    told = pane.told(cell)
    assert [t[0] if isinstance(t, tuple) else t for t in told if t != 'ok?'] == ['open', 'open', 'open', 'said yes']


@pytest.mark.parametrize('format', sorted(MAGIC))
def test_rendered_in_any_size_and_format(pane, format):
    [(_, plot)] = pane.run('plot(1:10)')
    result = pane.render(plot, 400, 300, 1.5, format)
    assert result['settings'] == {'size': {'width': 400, 'height': 300}, 'pixel_ratio': 1.5, 'format': format}
    data = picture(result)
    if format == 'svg':
        assert re.search(rb'width="300pt" height="225pt"', data)
    small = picture(pane.render(plot, 200, 150, 1, format))
    assert small != data


def ink(png):
    """The dark dots of a picture."""
    _, _, lines = pixels(png)
    return {(x, y) for y, line in enumerate(lines) for x, p in enumerate(line) if sum(p[:3]) < 384 and p[3] > 128}


def test_text_has_its_size_whatever_the_pixel_ratio(pane):
    [(_, plot)] = pane.run('par(mar = rep(0, 4)); plot.new(); text(0.5, 0.5, "Wxyz")')

    def height(ratio):
        dots = ink(picture(pane.render(plot, 300, 200, ratio)))
        return (max(y for _, y in dots) - min(y for _, y in dots) + 1) / ratio
    one, three = height(1), height(3)
    assert abs(one - three) < 2 < one


def test_a_rendering_touches_nothing_of_the_user(pane):
    [(_, plot)] = pane.run('set.seed(1); par(mfrow = c(2, 2), mar = c(1, 1, 1, 1), bg = "ivory"); plot(1); d <- dev.list()')[:1]
    pane.run('seed <- .Random.seed; p <- par(no.readonly = TRUE); pdf(NULL); e <- dev.list(); "last"')
    for format in MAGIC:
        pane.render(plot, 100, 100, 1, format)
    pane.run('cat(identical(seed, .Random.seed), .Last.value, identical(e, dev.list()), names(dev.cur())); invisible(dev.off()); '
             'cat("", identical(p, par(no.readonly = TRUE)), identical(d, dev.list()), dev.cur())')
    assert pane.cell.stdout == 'TRUE last TRUE pdf TRUE TRUE 2'
    assert 'warning' not in pane.cell.stderr.lower()


def test_intrinsic_size(pane):
    [(_, plot)] = pane.run('plot(1)')
    assert pane.call(plot, 'get_intrinsic_size') is None
    [(_, plot)] = pane.run('#| fig-width: 4\n#| fig-height: 2\nplot(1)')
    size = pane.call(plot, 'get_intrinsic_size')
    assert (size['width'], size['height'], size['unit']) == (4, 2, 'inches') and size['source']
    result = pane.render(plot, None)
    assert struct.unpack('>II', picture(result)[16:24]) == (768, 384)
    [(_, plot)] = pane.run('plot(1)', positron={'fig-width': 3, 'fig-height': 2})
    assert pane.call(plot, 'get_intrinsic_size')['width'] == 3


def test_metadata(pane):
    code = 'x <- 1\nplot(x)'
    place = {'uri': 'file:///tmp/a.R', 'range': {'start': {'line': 3, 'character': 0}, 'end': {'line': 4, 'character': 7}}}
    [(_, plot)] = pane.run(code, positron={'code_location': place})
    assert pane.call(plot, 'get_metadata') == {
        'name': 'plot 1', 'kind': 'plot', 'execution_id': pane.cell.header['msg_id'], 'code': code,
        'origin': {'uri': 'file:///tmp/a.R', 'range': {'start_line': 3, 'start_character': 0, 'end_line': 4, 'end_character': 7}}}
    [(_, plot)] = pane.run('plot(2)')
    meta = pane.call(plot, 'get_metadata')
    assert meta['name'] == 'plot 2' and 'origin' not in meta
    for code, kind in (('lattice::xyplot(mpg ~ wt, mtcars)', 'lattice'), ('grid::grid.newpage(); grid::grid.rect()', 'grid'),
                       ('persp(volcano)', 'persp'), ('image(volcano)', 'image'),
                       ('library(ggplot2); ggplot(mtcars, aes(wt, mpg)) + geom_point()', 'ggplot2')):
        [(_, plot)] = pane.run(code)
        assert pane.call(plot, 'get_metadata')['kind'] == kind


def test_wrong_requests_are_errors_and_harm_nothing(pane):
    [(_, plot)] = pane.run('plot(1)')
    for bad in ({'width': 0}, {'height': -1}, {'width': 10 ** 9}, {'ratio': 0}, {'ratio': 1e9}, {'format': 'bmp'}, {'width': 'x'},
                {'width': 30000, 'height': 30000}, {'format': None}):
        with pytest.raises(Failure) as e:
            pane.render(plot, **bad)
        assert e.value.args[0] == -32602, bad
    with pytest.raises(Failure) as e:
        pane.call(plot, 'no_such_thing')
    assert e.value.args[0] == -32601
    picture(pane.render(plot))


def test_recordings_are_limited(pane):
    pane.run('options(jupyter.plot_recordings = 2)')
    told = pane.run('for (i in 1:4) plot(i); invisible(dev.off())')
    for i, (_, plot) in enumerate(told):
        if i < 2:
            with pytest.raises(Failure, match='not kept'):
                pane.render(plot)
            assert pane.call(plot, 'get_metadata')['kind'] == 'plot'
        else:
            picture(pane.render(plot))
    pane.run('options(jupyter.plot_recordings = 100, jupyter.plot_recordings_mb = 1); plot(rnorm(1e5), pch = "."); plot(rnorm(1e5), pch = ".")')
    first, second = list(pane.plots)[-2:]
    with pytest.raises(Failure, match='not kept'):
        pane.render(first)
    picture(pane.render(second))


def test_a_comm_that_is_closed_frees_its_recording(pane):
    [(_, plot)] = pane.run('big <- rnorm(1e6); plot(big, pch = "."); rm(big)')
    used = 'cat(round(gc()[2, 2])); invisible()'
    pane.run(used)
    before = int(pane.cell.stdout)
    pane.run('invisible(dev.off())')
    pane.close(plot)
    pane.run(used)
    assert before - int(pane.cell.stdout) >= 12  # MB: the two copies
    assert [t[0] for t in pane.run('plot(1)')] == ['open']


def test_a_plot_whose_comm_was_closed_opens_again_when_it_changes(pane):
    [(_, plot)] = pane.run('plot(1:3)')
    pane.close(plot)
    [(what, again)] = pane.run('lines(1:3)')
    assert what == 'open' and again != plot
