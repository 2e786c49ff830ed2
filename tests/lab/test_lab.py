"""R in JupyterLab 4, used by keys and clicks."""
from selenium.webdriver.common.keys import Keys


def test_a_plot_is_seen_between_the_texts_of_its_cell(page):
    p = page('options(repr.plot.width = 6, repr.plot.height = 3)\ncat("before\\n")\nplot(cars)\ncat("after\\n")\nhead(cars, 2)',
             'cat("one\\n"); message("aside"); cat("two\\n"); warning("mind")')
    p.run(0, 1)
    kinds = [kind for kind, _ in p.outputs(0)]
    assert kinds == ['stdout', 'image/png', 'stdout', 'text/html']
    image = p.find('img', p.cell(0))[0]
    p.wait(lambda: image.size['width'] > 0)
    assert (image.size['width'], image.size['height']) == (360, 180)
    ink = p.js('''const i = arguments[0], c = document.createElement('canvas'), g = c.getContext('2d');
        [c.width, c.height] = [i.naturalWidth, i.naturalHeight];
        g.fillStyle = 'white'; g.fillRect(0, 0, c.width, c.height); g.drawImage(i, 0, 0);
        return g.getImageData(0, 0, c.width, c.height).data.filter((v, n) => n % 4 == 0 && v < 100).length''', image)
    assert ink > 500
    assert [cell.text for cell in p.find('td', p.cell(0))] == ['4', '2', '4', '10']
    places = [output.location['y'] for output in p.find('.jp-OutputArea-output', p.cell(0))]
    assert places == sorted(places)
    p.run(1, 2)
    assert p.outputs(1) == [('stdout', 'one'), ('stderr', 'aside'), ('stdout', 'two'), ('stderr', 'Warning message:\nmind')]


def offered(p):
    """The completions that are seen."""
    return [e.text for e in p.find('.jp-Completer:not(.lm-mod-hidden) .jp-Completer-match') if e.text]


def test_tab_completes(page):
    p = page('measurements <- c(a = 1); mean_of_all <- 2', 'measurem', 'data.frame(height = 1, weight = 2)$hei', 'mea')
    p.run(0, 1)
    for i, one, text in (1, 'measurements', 'measurements'), (2, 'height', 'data.frame(height = 1, weight = 2)$height'):
        p.click(i)
        p.type(Keys.TAB)
        p.wait(lambda: offered(p) == [one])
        p.type(Keys.ENTER)
        p.wait(lambda: p.source(i) == text)
    p.click(3)
    p.type(Keys.TAB)
    p.wait(lambda: {'measurements', 'mean_of_all', 'mean'} <= set(offered(p)))
    p.type('n_')
    p.wait(lambda: offered(p) == ['mean_of_all'])
    p.type(Keys.ENTER)
    p.wait(lambda: p.source(3) == 'mean_of_all')


def test_shift_tab_shows_help(page):
    p = page('quantile(', 'my_own <- function(angle, radius = 1) NULL', 'my_own(')
    p.click(0)
    p.press(Keys.SHIFT, Keys.TAB)
    text = p.wait(lambda: p.find('.jp-Tooltip'))[0].text
    assert text.startswith('quantile(x, ...)') and 'Sample Quantiles' in text and 'numeric vector whose sample quantiles' in text
    p.type(Keys.ESCAPE)
    p.run(1, 1)
    p.click(2)
    p.press(Keys.SHIFT, Keys.TAB)
    assert 'my_own(angle, radius = 1)' in p.wait(lambda: p.find('.jp-Tooltip'))[0].text


def test_status_and_interrupt(page):
    p = page('cat("begun\\n"); Sys.sleep(300); cat("not this\\n")', '"and on"')
    p.run(0)
    p.wait(lambda: 'begun' in p.output(0) and p.status() == 'Busy' and p.circle() == 'busy')
    assert p.prompt(0) == '[*]:'
    p.tool('interrupt')
    p.ran(0, 1)
    p.wait(lambda: p.status() == 'Idle' and p.circle() == 'idle')
    assert 'not this' not in p.output(0)
    p.run(1, 2)
    assert p.outputs(1) == [('text/plain', '[1] "and on"')]


def test_restart(page):
    p = page('x <- 1; cat("begun\\n"); Sys.sleep(300)', 'exists("x")')
    p.run(0)
    p.wait(lambda: 'begun' in p.output(0))
    p.tool('restart')
    p.accept()
    p.wait(lambda: p.prompt(0) == '[ ]:' and p.status() == 'Idle', 60)
    p.run(1, 1)
    assert p.outputs(1) == [('text/plain', '[1] FALSE')]


def test_restart_and_run_all_stops_at_an_error(page):
    p = page('n <- if (exists("n")) n + 1 else 1\nn', 'stop("no way")', '"not run"')
    p.run(0, 1)
    p.run(0, 2)
    p.tool('restart-and-run')
    p.accept()
    p.wait(lambda: 'no way' in p.output(1) and p.status() == 'Idle', 60)
    assert p.outputs(0) == [('text/plain', '[1] 1')] and [kind for kind, _ in p.outputs(1)] == ['stderr']
    assert p.outputs(2) == []
    nb = p.saved()
    assert [c.execution_count for c in nb.cells[:2]] == [1, 2]


def test_a_question_is_asked_in_place(page):
    p = page('name <- readline("Who? ")\ncat("Hello,", name, "\\n")')
    p.run(0)
    box = p.wait(lambda: p.find('.jp-Stdin-input', p.cell(0)))[0]
    assert p.find('.jp-Stdin-prompt', p.cell(0))[0].text.strip() == 'Who?'
    box.send_keys('Ada' + Keys.ENTER)
    p.ran(0, 1)
    seen = [text.replace('  ', ' ') for kind, text in p.outputs(0) if kind == 'stdout']
    assert seen == ['Who? Ada', 'Hello, Ada']


def test_a_crash_costs_a_cell(page):
    p = page('flights <- data.frame(day = 1:3, delay = c(12, 3, 40))\nflights',
             '# something in a package goes badly wrong\nfit <- function(d) tools::pskill(Sys.getpid(), 11)\n'
             'for (i in 1:2) cat(sep = "", "pass ", i, "\\n")\nfit(flights)',
             'mean(flights$delay)          # nothing was lost', name='flights')
    p.run(0, 1)
    p.run(1, 2)
    (kind, text), (error, report) = p.outputs(1)
    assert (kind, text) == ('stdout', 'pass 1\npass 2')
    assert error == 'stderr' and 'Segmentation fault' in report and 'R: fit()' in report
    assert 'The session goes on as it was before this cell' in report
    assert p.status() == 'Idle'
    p.run(2, 3)
    assert p.outputs(2) == [('text/plain', '[1] 18.33333')]
    p.picture('crash')
    p.saved()


def in_frame(p, i, look):
    """look() in the frame of cell i."""
    p.driver.switch_to.frame(p.find('iframe', p.cell(i))[0])
    try:
        return look()
    finally:
        p.driver.switch_to.default_content()


def test_widgets_render_in_their_frames_and_again_when_opened_again(page):
    p = page('DT::datatable(head(mtcars, 20))', 'DT::datatable(head(iris, 3))', 'dygraphs::dygraph(ldeaths)',
             'htmltools::tagList(htmltools::h3("Title"), DT::datatable(head(cars, 2)))')

    def seen():
        for i, text in (0, 'of 20 entries'), (1, 'setosa'), (3, 'Title'):
            p.scroll(i)
            p.wait(lambda: text in in_frame(p, i, lambda: p.find('body')[0].text))
        p.scroll(2)
        p.wait(lambda: in_frame(p, 2, lambda: len(p.find('.dygraph-axis-label')) > 5 and [c.size for c in p.find('canvas')][0]['width'] > 400))
        assert 'sans-serif' in in_frame(p, 0, lambda: p.js('return getComputedStyle(document.body).fontFamily'))
    for i in range(4):
        p.run(i, i + 1)
    seen()
    nb = p.saved()
    sizes = [len(cell.outputs[0].data['text/html']) for cell in nb.cells[:4]]
    assert sizes[0] > 100_000 > 40_000 > max(sizes[1], sizes[3])
    p.load()
    p.trust()
    seen()


def test_rich_forms(page):
    p = page('IRdisplay::display_markdown("# A *title*")\nIRdisplay::display_latex("$\\\\frac{1}{2}$")\n'
             'IRdisplay::display_html("<b id=\\"bold\\">bold</b>")\nIRdisplay::display_json(\'{"a": [1, 2]}\')',
             'options(jupyter.plot_mimetypes = "image/svg+xml")\nplot(1)',
             'for (i in 1:3) { IRdisplay::clear_output(); cat("step", i, "\\n") }\n'
             'IRdisplay::display("first", display_id = "d")\nIRdisplay::display("second", display_id = "d", update = TRUE)',
             '?median')
    p.run(0, 1)
    assert p.find('h1 em', p.cell(0))[0].text == 'title' and p.find('#bold', p.cell(0))
    p.wait(lambda: p.find('mjx-container', p.cell(0)))
    assert [kind for kind, _ in p.outputs(0)][:3] == ['text/markdown', 'text/latex', 'text/html']
    assert p.find('.jp-RenderedJSON', p.cell(0))
    p.run(1, 2)
    p.wait(lambda: in_frame(p, 1, lambda: round(p.find('svg, img')[0].size['width'])) == 420)  # 7 inches at 60 pixels
    p.run(2, 3)
    p.wait(lambda: 'second' in p.output(2))
    assert 'step 3' in p.output(2) and 'step 2' not in p.output(2) and 'first' not in p.output(2)
    p.run(3, 4)
    assert 'Median Value' in p.output(3)
    p.saved()


def test_a_comm_is_opened_and_answered(page):
    p = page('comms <- getOption("jupyter.comm_manager")()\ncomms$register_target("echo", function(comm, data) {\n'
             '    comm$on_msg(function(data) comm$send(list(said = data$text)))\n})')
    p.run(0, 1)
    p.js('''window.said = null;
        const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel, comm = kernel.createComm('echo');
        comm.onMsg = m => { window.said = m.content.data.said; };
        comm.open({}); comm.send({text: 'æøå'});''')
    p.wait(lambda: p.js('return window.said') == 'æøå')
    p.run(0, 2)


def test_picture_of_plot_table_and_completion(page):
    p = page('library(ggplot2)\noptions(repr.plot.width = 8, repr.plot.height = 3.6)',
             'fit <- lm(mpg ~ wt, mtcars)\ncat("Slope:", round(coef(fit)[["wt"]], 2), "miles per gallon and 1000 lb\\n")\n'
             'ggplot(mtcars, aes(wt, mpg, colour = factor(cyl))) +\n    geom_point(size = 2) + geom_smooth(method = "lm", formula = y ~ x)\n'
             'cat("R squared:", round(summary(fit)$r.squared, 2), "\\n")\n'
             'aggregate(cbind(mpg, hp) ~ cyl, mtcars, mean)',
             'mtcars |> subset(cyl == 4 & ', name='fuel')
    p.run(0, 1)
    p.run(1, 2)
    assert [kind for kind, _ in p.outputs(1)] == ['stdout', 'image/png', 'stdout', 'text/html']
    p.wait(lambda: p.find('img', p.cell(1))[0].size['width'] == 480)
    p.click(2)
    p.type(Keys.TAB)
    p.wait(lambda: offered(p)[:3] == ['mpg', 'cyl', 'disp'])
    p.picture('plot', over='.jp-Completer')
