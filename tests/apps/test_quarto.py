"""What Quarto does with a kernel, which its program itself does not run for here: nbclient, the document's figure options in the environment and in
a comm, cells without their `#|` lines, expressions in the middle of a line, one kernel for several documents."""
import base64
import re
import struct

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from jupyter_apps import FACTOR, errors, notebook, stream, values

pytestmark = pytest.mark.usefixtures('jupyter_here')


class Quarto:
    """One kernel, and documents that it runs."""

    def __init__(self):
        self.client = None

    def client_for(self, nb, allow_errors):
        if not self.client:
            self.client = NotebookClient(nb, timeout=int(60 * FACTOR), allow_errors=allow_errors, record_timing=False)
            self.client.create_kernel_manager()
            self.client.start_new_kernel()
            self.client.start_new_kernel_client()
        self.client.nb, self.client.allow_errors = nb, allow_errors
        return self.client

    def render(self, nb, error=False, **figures):
        options = {'fig_width': 7, 'fig_height': 5, 'fig_format': 'retina', 'fig_dpi': 96, 'allow_errors': error, 'eval': True, **figures}
        client = self.client_for(nb, error)
        kc = client.kc
        kc.shell_channel.send(kc.session.msg('comm_open', {
            'comm_id': 'quarto_comm', 'target_name': 'quarto_kernel_setup', 'data': {'options': options}}))
        for index, cell in enumerate(nb.cells):
            if cell.cell_type == 'markdown':
                self.inline(cell)
                continue
            source, lines = cell.source, cell.source.splitlines()
            n = next((i for i, line in enumerate(lines) if not re.match(r'#\s*\|', line)), len(lines))
            may_fail = '#| error: true' in lines[:n]
            cell.source = '\n'.join(lines[n:])
            cell.metadata['tags'] = ['raises-exception'] if may_fail else []
            client.execute_cell(cell=cell, cell_index=index, execution_count=index + 1, store_history=index > 0)
            cell.source = source
        nbformat.validate(nb)
        return nb.cells

    def inline(self, cell):
        found = re.findall(r'(?:^|[^`])`{R}[ \t]([^`]+)`', cell.source, re.MULTILINE)
        if found:
            reply = self.client.wait_for_reply(self.client.kc.execute('', user_expressions={str(i): e for i, e in enumerate(found)}))
            assert reply['content']['status'] == 'ok'
            cell.metadata['results'] = [reply['content']['user_expressions'][str(i)] for i in range(len(found))]


@pytest.fixture
def quarto():
    q = Quarto()
    yield q
    if q.client:
        q.client._cleanup_kernel()


def picture(cell, kind):
    [output] = [o for o in cell.outputs if o.output_type == 'display_data']
    return output.data[kind], output.metadata[kind]


def png_size(data):
    data = base64.b64decode(data)
    dots = struct.unpack('>II', data[16:24])
    at = data.find(b'pHYs')
    return dots, round(struct.unpack('>I', data[at + 4:at + 8])[0] * 0.0254)


def test_figures_are_as_the_document_wants_them(quarto):
    """Retina: the PNG says twice the dots an inch of the document, and that is how Quarto knows it."""
    data, shown = picture(quarto.render(notebook('plot(1)'))[0], 'image/png')
    assert png_size(data) == ((1344, 960), 192) and shown == {'width': 672, 'height': 480}
    data, shown = picture(quarto.render(notebook('plot(1)'), fig_width=5.5, fig_height=3.5, fig_format='png', fig_dpi=300)[0], 'image/png')
    assert png_size(data) == ((1650, 1050), 300) and shown == {'width': 528, 'height': 336}
    data, shown = picture(quarto.render(notebook('plot(1)'), fig_width=4, fig_height=3, fig_format='svg')[0], 'image/svg+xml')
    assert data.startswith('<svg') and 'width="384" height="288" viewBox="0 0 288 216"' in data and (shown['width'], shown['height']) == (384, 288)
    data, shown = picture(quarto.render(notebook('plot(1)'), fig_format='pdf')[0], 'application/pdf')
    assert base64.b64decode(data).startswith(b'%PDF')
    assert picture(quarto.render(notebook('plot(1)'), fig_format='jpeg')[0], 'image/jpeg')[1]['width'] == 672


def test_what_the_document_sets_itself_goes_before(quarto):
    cells = quarto.render(notebook('options(repr.plot.width = 3, repr.plot.res = 72); plot(1)', 'plot(2)'))
    for cell in cells:
        assert png_size(picture(cell, 'image/png')[0]) == ((216, 360), 72)


def test_options_that_make_no_sense_are_left_alone(quarto):
    [cell] = quarto.render(notebook('plot(1)'), fig_width=None, fig_height=-1, fig_format='bmp', fig_dpi='x')
    assert picture(cell, 'image/png')[1] == {'width': 420, 'height': 420}


def test_the_environment_says_it_too(quarto, monkeypatch):
    """Versions of Quarto that open no comm; the dots are doubled for retina already."""
    for name, value in {'WIDTH': 6, 'HEIGHT': 4, 'DPI': 192, 'FORMAT': 'png'}.items():
        monkeypatch.setenv(f'QUARTO_FIG_{name}', str(value))
    nb = notebook('plot(1)')
    quarto.client_for(nb, False).execute_cell(nb.cells[0], 0)
    data, shown = picture(nb.cells[0], 'image/png')
    assert png_size(data) == ((1152, 768), 192) and shown == {'width': 576, 'height': 384}


def test_expressions_within_a_line(quarto):
    nb = notebook('x <- 41.5')
    texts = ['x + 1', '"a*b_c"', 'c(pi, 2)', 'as.Date("2020-01-02")', 'I("*as is*")', 'TRUE', 'factor("a_b")', 'htmltools::HTML("<b>x</b>")',
             'data.frame(a = 1)']
    nb.cells.append(nbformat.v4.new_markdown_cell('Values: ' + ', '.join(f'`{{R}} {t}`' for t in texts)))
    results = quarto.render(nb)[1].metadata['results']
    assert [r['data'].get('text/markdown') for r in results] == [
        '42.5', r'a\*b\_c', '3.141593, 2', '2020-01-02', '*as is*', 'TRUE', r'a\_b', None, None]
    assert results[0]['data']['text/plain'] == '[1] 42.5' and results[7]['data']['text/html'] == '<b>x</b>'


def test_errors(quarto):
    cells = quarto.render(notebook('#| error: true\nstop("seen")', 'cat("on")'))
    assert errors(cells[0])[0].evalue == 'seen' and stream(cells[1]) == 'on'
    nb = notebook('stop("the end")', 'cat("no")')
    with pytest.raises(CellExecutionError):
        quarto.render(nb)
    assert nb.cells[1].outputs == []
    cells = quarto.render(notebook('stop("a")', 'cat("b")'), error=True)
    assert errors(cells[0]) and stream(cells[1]) == 'b'


def test_tables_and_widgets_for_formats_without_html(quarto):
    """Quarto reads HTML that has a table for any format, and takes the text of what has none: a frame must not look like a table."""
    cells = quarto.render(notebook('head(mtcars)', 'DT::datatable(head(iris))', 'plot(1); cat("**text**")'))
    table, widget = (c.outputs[0].data for c in cells[:2])
    assert '<table' in table['text/html'] and '</table' in table['text/html'] and 'Mazda RX4' in table['text/plain']
    assert not re.search('<table', widget['text/html'], re.IGNORECASE) and values(cells[1]) == ['<datatables widget>']
    assert set(cells[2].outputs[0].data) == {'image/png', 'text/plain'} and stream(cells[2]) == '**text**'
