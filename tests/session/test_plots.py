"""Plots: where they appear, what is one picture and what are several, sizes and formats, and what is left alone."""
import base64
import struct

import pytest

NOTEBOOK = ['--session-mode', 'notebook']


@pytest.fixture
def r(start):
    return start(session=None, args=NOTEBOOK).client()


def story(cell):
    """What the cell showed, in order: 'plot', 'update', or the text of a stream."""
    names = {'display_data': 'plot', 'update_display_data': 'update'}
    out, text = [], ''  # text comes in as many messages as it likes
    for m in cell.messages():
        if m.type == 'stream':
            text += m.content['text']
            continue
        if m.type in names and any(t != 'text/plain' for t in m.content['data']) or m.type == 'error':
            out += [text.strip()] * bool(text) + [names.get(m.type, 'error')]
            text = ''
    return out + [text.strip()] * bool(text)


def plots(cell):
    return [m.content for m in cell.messages() if m.type in ('display_data', 'update_display_data')
            and any(t != 'text/plain' for t in m.content['data'])]


def png_size(content):
    png = base64.b64decode(content['data']['image/png'], validate=True)
    assert png[:8] == b'\x89PNG\r\n\x1a\n'
    return struct.unpack('>II', png[16:24])


def test_between_the_texts(r):
    cell = r.execute('cat("a\\n")\nplot(1)\ncat("b\\n")\nhist(c(1, 2, 2))\ncat("c\\n")')
    assert story(cell) == ['a', 'plot', 'b', 'plot', 'c']


def test_additions_in_the_same_cell_are_one_picture(r):
    cell = r.execute('plot(1:3)\nlines(3:1)\nlegend("top", "x")\nabline(h = 2)')
    assert story(cell) == ['plot']


def test_later_additions_update_the_picture(r):
    cell = r.execute('plot(1:3)\nfor (i in 1:2) lines(c(1, 3), c(i, i))\ninvisible(0)')
    assert story(cell) == ['plot', 'update']
    first, second = plots(cell)
    assert first['transient'] == second['transient'] and first['data'] != second['data']


def test_additions_in_the_next_cell_show_it_again(r):
    first = r.execute('plot(1:3)')
    second = r.execute('lines(3:1)')
    assert story(second) == ['plot']
    assert plots(first)[0]['transient'] != plots(second)[0]['transient']


def test_loops_and_pages(r):
    cell = r.execute('for (i in 1:3) { plot(i); cat(i, "\\n") }')
    assert story(cell).count('plot') == 3 and [s for s in story(cell) if s != 'plot'] == ['1', '2', '3']
    assert len({p['transient']['display_id'] for p in plots(cell)}) == 3


def test_several_on_a_page(r):
    assert story(r.execute('par(mfrow = c(1, 2)); plot(1); plot(2)')) == ['plot', 'update']
    assert story(r.execute('{layout(matrix(1:2, 1)); plot(1); plot(2)}')) == ['plot']
    assert story(r.execute('par(mfrow = c(1, 1)); plot(3)')) == ['plot']


def test_packages(r):
    cell = r.execute('suppressPackageStartupMessages(library(ggplot2)); ggplot(mtcars, aes(wt, mpg)) + geom_point()')
    assert story(cell) == ['plot'] and cell.error is None
    assert story(r.execute('p <- lattice::xyplot(mpg ~ wt, mtcars); print(p); cat("x"); grid::grid.newpage(); '
                           'grid::grid.rect()')) == ['plot', 'x', 'plot']


def test_hold(r):
    assert story(r.execute('invisible(dev.hold()); plot(1)')) == []
    assert story(r.execute('plot(2); cat("x")')) == ['x']
    assert story(r.execute('invisible(dev.flush())')) == ['plot']


def test_devices_of_the_user_are_left_alone(r, tmp_path):
    cell = r.execute(f'png("{tmp_path}/u.png"); plot(1); invisible(dev.off()); pdf("{tmp_path}/u.pdf"); plot(1); invisible(dev.off())')
    assert story(cell) == []
    assert (tmp_path / 'u.png').stat().st_size > 500 and (tmp_path / 'u.pdf').stat().st_size > 500
    assert story(r.execute('plot(1); invisible(dev.off()); cat(is.null(dev.list()))')) == ['plot', 'TRUE']
    assert story(r.execute('{plot(1); invisible(dev.off())}')) == ['plot']
    assert story(r.execute('dev.new(); plot(2)')) == ['plot']


def test_an_error_halfway_shows_what_was_drawn(r):
    assert story(r.execute('f <- function() { plot(1); stop("half") }; f()')) == ['plot', 'error']


def test_recorded_plots(r):
    assert story(r.execute('plot(1); p <- recordPlot(); invisible(dev.off())')) == ['plot']
    assert story(r.execute('replayPlot(p)')) == ['plot']


def test_size_resolution_and_metadata(r):
    content = plots(r.execute('plot(1)'))[0]
    assert png_size(content) == (840, 840)
    assert content['metadata'] == {'image/png': {'width': 420, 'height': 420}}
    content = plots(r.execute('options(repr.plot.width = 10, repr.plot.height = 4, repr.plot.res = 200); plot(1)'))[0]
    assert png_size(content) == (2000, 800)
    assert content['metadata'] == {'image/png': {'width': 1000, 'height': 400}}


@pytest.mark.parametrize('mime, magic', [('image/svg+xml', b'<?xml'), ('image/jpeg', b'\xff\xd8'), ('application/pdf', b'%PDF')])
def test_formats(r, mime, magic):
    content = plots(r.execute(f'options(jupyter.plot_mimetypes = "{mime}"); plot(1, main = "\u03b1\u65e5\U0001f600")'))[0]
    data = content['data'][mime]
    data = data.encode() if mime == 'image/svg+xml' else base64.b64decode(data, validate=True)
    assert data.startswith(magic) and content['metadata'][mime]['width'] == 420


def test_nothing_is_left_behind(r):
    r.execute('before <- ls(all.names = TRUE); wd <- list.files()')
    r.execute('plot(1); plot(2)')
    cell = r.execute('cat(setdiff(ls(all.names = TRUE), c(before, "before", "wd")), setdiff(list.files(), wd), exists(".Random.seed"))')
    assert cell.stdout.strip() == 'FALSE'
    cell = r.execute('for (i in 1:60) plot(i); invisible(dev.off()); cat(length(list.files(tempdir(), "carrack")))')
    assert cell.stdout in ('0', '1') and story(cell).count('plot') == 60


def test_a_child_that_plots_harms_nobody(r):
    cell = r.execute('x <- parallel::mclapply(1:2, function(i) { plot(i); i }, mc.cores = 2); cat(unlist(x))')
    assert cell.stdout == '1 2'
    assert story(r.execute('plot(1)')) == ['plot']


def test_a_silent_cell_shows_nothing(r):
    assert story(r.execute('plot(1)', silent=True)) == []
