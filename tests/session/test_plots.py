"""Plots: where they appear, what is one picture and what are several, sizes and formats, and what is left alone."""
import base64
import struct

import pytest

from carrack_client import build_path
from carrack_client.png import pixels

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


def test_a_plot_stands_before_the_text_that_came_after_it(r):
    """Though both are of one expression. What is drawn later on its page updates it."""
    cell = r.execute('for (i in 1:2) { cat("before", i, "\\n"); plot(i); cat("after", i, "\\n") }')
    assert story(cell) == ['before 1', 'plot', 'after 1 \nbefore 2', 'plot', 'after 2']
    cell = r.execute('f <- function() { plot(1:3); message("x"); message("y"); lines(3:1); cat("z\\n"); abline(h = 2); 5 }; f()')
    assert story(cell) == ['plot', 'x\ny\nz', 'update']
    assert [m.type for m in cell.messages() if m.type in ('execute_result', 'display_data')] == ['display_data', 'execute_result']
    cell = r.execute('h <- function() { dev.hold(); plot(1:3); cat("x\\n"); lines(3:1); dev.flush(); cat("y\\n") }; h()')
    assert story(cell) == ['x', 'plot', 'y']


def test_a_plot_is_seen_while_its_expression_sleeps(r):
    cell = r.submit('for (i in 1:2) { plot(i); Sys.sleep(600) }')
    r.wait(lambda: plots(cell), 'the plot')
    r.interrupt()
    assert cell.wait().error['ename'] == 'interrupt'
    assert story(cell)[0] == 'plot' and 'update' not in story(cell)


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


@pytest.mark.parametrize('mime, magic', [('image/svg+xml', b'<svg '), ('image/jpeg', b'\xff\xd8'), ('application/pdf', b'%PDF')])
def test_formats(r, mime, magic):
    content = plots(r.execute(f'options(jupyter.plot_mimetypes = "{mime}"); plot(1, main = "\u03b1\u65e5\U0001f600")'))[0]
    data = content['data'][mime]
    data = data.encode() if mime == 'image/svg+xml' else base64.b64decode(data, validate=True)
    assert data.startswith(magic) and content['metadata'][mime]['width'] == 420
    if mime == 'image/svg+xml':  # of itself as large as the metadata says: JupyterLab looks there
        assert b' width="420" height="420" viewBox="0 0 504 504"' in data[:300]


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


def test_what_is_seen_of_layouts_and_patchwork(r):
    assert story(r.execute('{ layout(matrix(1:3, 1)); for (i in 1:4) plot(i) }')) == ['plot', 'plot']
    cell = r.execute('suppressPackageStartupMessages({ library(ggplot2); library(patchwork) })\n'
                     'p <- ggplot(mtcars, aes(wt, mpg)) + geom_point()\np + p\ncat("x")\nfor (i in 1:2) print(p)')
    assert story(cell) == ['plot', 'x', 'plot', 'plot'] and cell.error is None


@pytest.mark.parametrize('renderer', ['ragg', 'cairo'])
def test_devices_that_come_and_go_leave_no_file(r, renderer, tmp_path):
    r.execute(f'setwd("{tmp_path}"); options(jupyter.plot_renderer = "{renderer}", repr.plot.width = 2, repr.plot.height = 2); par(mar = rep(1, 4))')
    cell = r.execute('plot(1); lines(1); invisible(dev.off()); plot(2); invisible(dev.hold()); plot(3); invisible(dev.flush())\n'
                     'options(repr.plot.width = 3); par(bg = NA); plot(4); points(1, 1)\ncat("ragg" %in% loadedNamespaces(), names(dev.cur()))')
    assert story(cell)[-1].startswith('TRUE agg_capture' if renderer == 'ragg' else 'FALSE png')
    cell = r.execute('graphics.off(); cat(list.files(), list.files(tempdir(), "carrack|Rplots"))')
    assert cell.stdout.strip() == ''


def sizes(cell):
    return [(png_size(p), p['metadata']['image/png']) for p in plots(cell)]


def test_a_size_counts_from_the_next_page_on(r):
    cell = r.execute('plot(1)\noptions(repr.plot.width = 3, repr.plot.height = 4)\nlines(1)\nplot(1)\nplot(2)')
    assert [s for s, _ in sizes(cell)] == [(840, 840), (840, 840), (360, 480), (360, 480)]
    cell = r.execute('#| fig-width: 5\n#| fig-height: 2\nplot(1, main = "")')
    assert sizes(cell) == [((600, 240), {'width': 300, 'height': 120})]
    assert sizes(r.execute('lines(1)')) == [((600, 240), {'width': 300, 'height': 120})]  # it is that page
    assert sizes(r.execute('plot(1)')) == [((360, 480), {'width': 180, 'height': 240})]
    assert sizes(r.execute('dev.new(width = 2, height = 3); plot(1); invisible(dev.off())')) == [((240, 360), {'width': 120, 'height': 180})]
    assert sizes(r.execute('layout(1); plot(1)'))[0][0] == (360, 480)


def test_what_the_client_says_of_its_output(r):
    def shown(code='plot(1)', **said):
        return sizes(r.execute(code, positron=said))
    assert shown(output_width_px=600) == [((600, 450), {'width': 600, 'height': 450})]
    assert shown(output_width_px=600, output_pixel_ratio=2) == [((1200, 900), {'width': 600, 'height': 450})]
    assert shown(**{'fig-width': 4, 'fig-height': 3, 'output_pixel_ratio': 1.5, 'output_width_px': 600}) == [
        ((576, 432), {'width': 384, 'height': 288})]
    assert shown(**{'fig-width': 4}) == [((384, 480), {'width': 384, 'height': 480})]
    assert shown('#| fig-width: 2\n#| fig-height: 2\nplot.new()\npar(mar = rep(0, 4)); plot(1)', **{'fig-width': 4, 'output_pixel_ratio': 2})[-1] == (
        (384, 384), {'width': 192, 'height': 192})
    for nonsense in ({'fig-width': -1}, {'output_width_px': 'x'}, {'output_pixel_ratio': 0}, {'code_location': 3}, []):
        assert sizes(r.execute('plot(1)', positron=nonsense)) == [((840, 840), {'width': 420, 'height': 420})]


@pytest.mark.parametrize('size, why', [('repr.plot.width = 0', 'cannot have the size'), ('repr.plot.height = -1', 'cannot have the size'),
                                       ('repr.plot.width = 1e5', 'too large'), ('repr.plot.res = Inf', 'cannot have the size'),
                                       ('repr.plot.width = "x"', 'must be a number')])
def test_an_impossible_size_is_an_error_that_says_so(r, size, why):
    assert why in r.execute(f'options({size}); plot(1)').error['evalue']
    assert story(r.execute('options(repr.plot.width = NULL, repr.plot.height = NULL, repr.plot.res = NULL); plot(1)')) == ['plot']
    assert why in r.execute(f'options({size}); plot(1)').error['evalue']  # with a device that is open
    assert story(r.execute('options(repr.plot.width = NULL, repr.plot.height = NULL, repr.plot.res = NULL); plot(1)')) == ['plot']


def corner_and_points(cell):
    """The colours at the corner of each picture."""
    return [pixels(base64.b64decode(p['data']['image/png']))[2][1][1] for p in plots(cell)]


@pytest.mark.parametrize('renderer', ['ragg', 'cairo'])
def test_transparent_and_other_backgrounds(r, renderer):
    r.execute(f'options(jupyter.plot_renderer = "{renderer}", repr.plot.width = 2, repr.plot.height = 2)\n'
              'suppressPackageStartupMessages(library(ggplot2)); p <- ggplot(mtcars, aes(wt, mpg)) + geom_point()')
    white, clear = (255, 255, 255, 255), 0
    cell = r.execute('par(mar = rep(0, 4)); plot(1)\nop <- par(bg = NA); plot(1)\ninvisible(0)\nlines(1)\npar(bg = "lightblue"); plot(1)\npar(op)\nplot(1)')
    first, none, more, blue, last = corner_and_points(cell)
    assert (first, none[3], more[3], blue, last) == (white, clear, clear, (173, 216, 230, 255), white)
    cell = r.execute('p\np + theme(plot.background = element_rect(fill = "transparent", colour = NA))\np + theme_void()\n'
                     'p + theme(plot.background = element_rect(fill = NA))\np + theme(plot.background = element_rect(fill = "red", colour = NA))')
    plain, none, void, border, red = corner_and_points(cell)
    assert (plain, none[3], void, border[3], red) == (white, clear, white, clear, (255, 0, 0, 255))
    r.execute('options(repr.plot.bg = "transparent")')
    assert [c[3] for c in corner_and_points(r.execute('par(mar = rep(0, 4)); plot(1)\ngrid::grid.newpage(); grid::grid.text("x")'))] == [0, 0]


@pytest.mark.parametrize('renderer', ['ragg', 'cairo'])
def test_many_colours_and_half_of_one(r, renderer):
    r.execute(f'options(jupyter.plot_renderer = "{renderer}", repr.plot.width = 2, repr.plot.height = 2)')
    draw = 'par(mar = rep(0, 4)); image(matrix(1:1600, 40), col = hcl.colors(1600), axes = FALSE, useRaster = TRUE)'
    _, _, lines = pixels(base64.b64decode(plots(r.execute(draw))[0]['data']['image/png']))
    assert len({c for line in lines for c in line}) > 300 and {c[3] for line in lines for c in line} == {255}
    r.execute('options(repr.plot.bg = "transparent")')
    cell = r.execute(f'par(mar = rep(1, 4)); {draw}\npar(mar = rep(1, 4)); image(matrix(1:1600, 40), col = hcl.colors(1600))\n'
                     'par(mar = rep(0, 4)); plot.new(); rect(-1, -1, 2, 2, col = "#ff000080", border = NA)')
    _, many, half = [pixels(base64.b64decode(p['data']['image/png']))[2] for p in plots(cell)]
    assert many[1][1][3] == 0 and len({c for line in many for c in line}) > 300
    red, green, blue, alpha = half[60][60]
    assert red > 250 and green < 5 and blue < 5 and abs(alpha - 128) < 3


def glyphs(r, texts):
    """(width, height) of the ink of each text, and whether it has colours."""
    code = ''.join(f'grid::grid.newpage(); grid::grid.text("{t}", gp = grid::gpar(cex = 3))\n' for t in texts)
    for p in plots(r.execute(code)):
        _, _, lines = pixels(base64.b64decode(p['data']['image/png']))
        dots = [(x, y, c) for y, line in enumerate(lines) for x, c in enumerate(line) if min(c[:3]) < 128]
        assert dots, 'nothing was drawn'
        xs, ys = [d[0] for d in dots], [d[1] for d in dots]
        yield max(xs) - min(xs) + 1, max(ys) - min(ys) + 1, any(max(c[:3]) - min(c[:3]) > 80 for _, _, c in dots)


@pytest.mark.parametrize('renderer', ['ragg', 'cairo'])
def test_characters_that_the_font_lacks_come_from_others(r, renderer):
    """The box that stands for a missing character has one shape: it is neither flat and narrow by turns nor coloured."""
    r.execute(f'options(jupyter.plot_renderer = "{renderer}", repr.plot.width = 1, repr.plot.height = 1)')
    flat, upright, narrow, wide, smile = glyphs(r, ['\u4e00', '\u4e28', '\u03b9', '\u03c9', '\U0001f600'])
    assert flat[0] > 3 * flat[1] and upright[1] > 3 * upright[0]
    assert narrow[1] > 1.5 * narrow[0] and wide[0] > wide[1]
    assert smile[2] and not flat[2]


def test_drawing_again_leaves_no_trace(r):
    """What grid computes while it draws is drawn twice, and seen once: messages, random numbers, warnings."""
    r.execute('makeContent.noisy <- function(x) { message("drawn"); warning("w"); runif(1); x }\n'
              'registerS3method("makeContent", "noisy", makeContent.noisy, asNamespace("grid"))\n'
              'options(jupyter.plot_mimetypes = c("image/png", "image/svg+xml"))')
    cell = r.execute('set.seed(1); grid::grid.newpage(); grid::grid.draw(grid::gTree(cl = "noisy")); grid::grid.rect()\n'
                     'b <- runif(1); set.seed(1); invisible(runif(1)); cat(identical(b, runif(1)))')
    assert cell.stderr.count('drawn') == 1 and cell.stdout == 'TRUE' and story(cell).count('plot') == 1


def test_a_child_cannot_take_the_picture_away(r):
    cell = r.execute('{ plot(1:2); x <- parallel::mclapply(1:2, function(i) { plot(3:1); plot(1); dev.off(); i }, mc.cores = 2); lines(2:1) }')
    assert story(cell) == ['plot']
    pixels(base64.b64decode(plots(cell)[0]['data']['image/png']))
    assert story(r.execute('lines(1:2)')) == ['plot']


def test_a_million_points(r):
    r.execute('options(repr.plot.width = 4, repr.plot.height = 4); x <- rep_len(sin(1:9973), 1e6); y <- cos(seq_len(1e6))')
    [content] = plots(r.execute('plot(x, y, pch = ".")'))
    assert len(content['data']['image/png']) < 1_000_000


def test_a_thousand_plots_leave_nothing_behind(r):
    look = ('invisible(gc()); l <- readLines("/proc/self/status"); cat(sub("[^0-9]*([0-9]+).*", "\\\\1", grep("VmRSS", l, value = TRUE)), '
            'length(dir("/proc/self/fd")), length(dir(tempdir())))')
    r.execute('options(repr.plot.width = 1, repr.plot.height = 1, repr.plot.res = 72); par(mar = rep(0, 4))')

    def draw(n):
        cell = r.execute(f'for (i in 1:{n}) {{ plot.new(); points(0.5, 0.5) }}\nlines(0:1)')
        assert story(cell).count('plot') == n
        return [int(x) for x in r.execute(look).stdout.split()]
    draw(100)
    before = draw(100)
    after = draw(800)
    sanitized = b'libasan' in build_path('carrack-session').read_bytes()  # it keeps up to 256 MB of what was freed
    assert after[0] - before[0] < (300_000 if sanitized else 10_000) and after[1:] == before[1:]


def test_text_before_a_question_and_its_plot(r):
    cell = r.execute('f <- function() { cat("a\\n"); plot(1); x <- readline("? "); cat(x) }; f()', inputs=['b'], allow_stdin=True)
    assert [s for s in story(cell) if s not in ('?', '')] == ['a', 'plot', 'b']
