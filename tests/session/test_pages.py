"""What R would show in a pager, a browser, an editor or a window is shown in the cell."""
import urllib.request

import pytest


@pytest.fixture(scope='module')
def r():
    from carrack_client import Kernel
    with Kernel(session=None, args=['--session-mode', 'notebook']) as kernel:
        yield kernel.client()


def shown(cell):
    return [m.content['data'] for m in cell.messages() if m.type in ('display_data', 'execute_result')]


@pytest.mark.parametrize('code', ['?mean', 'help("mean")', 'x <- ?mean; x'])
def test_help(r, code):
    data, = shown(r.execute(code))
    assert 'Arithmetic Mean' in data['text/plain'] and '\b' not in data['text/plain']
    assert 'Arithmetic Mean' in data['text/html'] and '<code' in data['text/html']
    assert 'href="../' not in data['text/html']


@pytest.mark.parametrize('code', ['?mean', '?"mean"', 'help("mean")', '?`if`', '?"%in%"'])
def test_a_question_has_the_value_of_help(r, code):
    """A cell that is only a question is answered from indexes that were read before (session/help.h)."""
    r.execute('options(help_type = NULL)')
    r.execute(code)
    assert r.execute(f'asked <- .Last.value; identical(asked, (function() {code})())').result == '[1] TRUE'
    r.execute('options(help_type = "HTML")')
    r.execute(code)
    assert r.execute('asked <- .Last.value; options(help_type = NULL); attr(asked, "type")').result == '[1] "html"'


def test_a_question_to_somebody_else(r):
    """A `?` of the user's own is called; so is R's, for what it alone can say."""
    r.execute('`?` <- function(...) "mine"')
    assert r.execute('?mean').result == '[1] "mine"'
    r.execute('rm(`?`)')
    assert 'nosuchtopic' in r.execute('?nosuchtopic').stdout + (r.execute('?nosuchtopic').result or '')
    assert r.execute('topic <- "lm"; inherits(help(topic), "help_files_with_topic")').result == '[1] TRUE'
    assert 'Fitting Linear Models' in shown(r.execute('topic <- "lm"\nhelp(topic)'))[0]['text/plain']


def test_a_page_that_runs_code(r):
    """dplyr's pages list the methods that there are when they are read."""
    data, = shown(r.execute('help("mutate", package = "dplyr")'))
    for form in ('text/plain', 'text/html'):
        assert 'Sexpr' not in data[form] and 'Create, modify, and delete columns' in data[form]
    assert 'src="data:image/svg+xml;base64,' in data['text/html']


def test_help_of_nothing(r):
    data, = shown(r.execute('?no_such_topic_at_all'))
    assert 'No documentation' in data['text/plain']


@pytest.mark.parametrize('code, part', [
    ('data(package = "datasets")', 'AirPassengers'),
    ('help.search("linear models", package = "stats")', 'stats::lm'),
    ('file.show(file.path(R.home("doc"), "COPYING"))', 'GNU GENERAL PUBLIC LICENSE'),
    ('page(letters, method = "print")', '"a" "b"'),
    ('RShowDoc("COPYING")', 'GNU GENERAL PUBLIC LICENSE'),
])
def test_pages(r, code, part):
    cell = r.execute(code)
    assert any(part in data['text/plain'] for data in shown(cell)), (cell.outputs, cell.stderr)


def test_urls_are_links(r):
    data, = shown(r.execute('browseURL("https://www.r-project.org/?a=1&b=\\"2\\"")'))
    assert data['text/plain'].startswith('https://www.r-project.org')
    assert '<a href="https://www.r-project.org/?a=1&amp;b=%222%22"' in data['text/html']


def test_view(r):
    data, = shown(r.execute('View(mtcars, "cars")'))
    assert 'Mazda RX4' in data['text/html'] and 'cars' in data['text/html'] and '<table' in data['text/html']
    assert '[32 of 32 rows]' not in data['text/plain'] and data['text/plain'].startswith('cars')
    data, = shown(r.execute('View(data.frame(a = 1:1000, b = "<x>"))'))
    assert '&lt;x&gt;' in data['text/html'] and '[60 of 1000 rows]' in data['text/plain']


def test_example_runs(r):
    cell = r.execute('example(mean, echo = TRUE)')
    assert '[1] 8.75 5.50' in cell.stdout


def test_a_pager_of_the_user_stays(r):
    cell = r.execute('old <- options(pager = function(files, ...) cat("mine", length(files))); file.show(file.path(R.home("doc"), "COPYING")); options(old)')
    assert cell.stdout == 'mine 1' and not shown(cell)


# ---- editors ----

def ok(cell):
    assert cell.status == 'ok', cell.reply
    return cell


def test_file_edit(r, tmp_path):
    path = tmp_path / 'a b.R'
    path.write_text('x <- "é"\n')
    cell = ok(r.execute(f'file.edit("{path}")'))
    data, = shown(cell)
    assert data['text/plain'] == f'{path}\n\nx <- "é"'
    assert 'no editor' in cell.stderr and str(path) in cell.stderr
    assert cell.reply['payload'] == [{'source': 'edit_magic', 'filename': str(path), 'line_number': 1}]
    data, = shown(ok(r.execute(f'edit(file = "{tmp_path}/new.R")')))
    assert 'no such file' in data['text/plain'] and not (tmp_path / 'new.R').exists()
    assert ok(r.execute('1')).reply['payload'] == []


@pytest.mark.parametrize('code', ['y <- edit(f)', 'fix(f)', 'y <- edit(f, title = "t")'])
def test_edit_of_an_object(r, code):
    ok(r.execute('f <- function(x) x + 1'))
    cell = ok(r.execute(code))
    data, = shown(cell)
    assert data['text/plain'] == 'function(x) x + 1' and 'stays as it is' in cell.stderr
    assert r.execute('f(1)').result == '[1] 2'
    if code.startswith('y'):
        assert r.execute('identical(y, f)').result == '[1] TRUE'


def test_edit_of_data(r):
    ok(r.execute('Sys.unsetenv("DISPLAY"); d <- data.frame(a = 1:3, b = letters[1:3]); before <- d'))
    for code in ('d2 <- edit(d)', 'fix(d)'):
        data, = shown(ok(r.execute(code)))
        assert '<table' in data['text/html']
        assert r.execute('identical(d, before)').result == '[1] TRUE'
    cell = ok(r.execute('z <- edit(list(a = 1, b = "x"))'))
    assert shown(cell)[0]['text/plain'] == 'list(a = 1, b = "x")'


def test_an_editor_of_the_user_stays(r):
    cell = ok(r.execute('old <- options(editor = function(name, file, title) cat("mine", file)); file.edit("a.R"); options(old)'))
    assert cell.stdout == 'mine a.R' and not shown(cell)


# ---- lists, vignettes, searches ----

@pytest.mark.parametrize('code, part', [
    ('library()', 'datasets'),
    ('library(help = "stats")', 'lm'),
    ('data()', 'AirPassengers'),
    ('demo()', 'lm.glm'),
    ('vignette(package = "Matrix")', 'Intro2Matrix'),
    ('help(package = "stats")', 'lm'),
    ('apropos("^read.csv")', 'read.csv'),
    ('help.search("linear models", package = "stats")', 'stats::lm'),
    ('??"linear models"', 'stats::lm'),
    ('news(Version == "4.2.1")', '4.2.1'),
    ('license()', 'GNU General'),
    ('citation()', 'R Core Team'),
])
def test_lists(r, code, part):
    cell = ok(r.execute(code))
    text = cell.stdout + '\n'.join(data['text/plain'] for data in shown(cell))
    assert part in text


def test_demo(r):
    cell = ok(r.execute('demo("recursion", package = "base", ask = FALSE)'))
    assert 'integrate' in cell.stdout


def test_a_demo_does_not_ask_of_its_own_accord(r):
    assert ok(r.execute('demo("scoping", package = "base")', allow_stdin=False)).stdout


def test_vignettes(r):
    data, = shown(ok(r.execute('vignette("Intro2Matrix")')))
    assert data['text/plain'].endswith('Intro2Matrix.pdf') and data['application/pdf'].startswith('JVBERi0')
    data, = shown(ok(r.execute('vignette("base", package = "dplyr")')))
    assert data['text/plain'].endswith('base.html') and '<iframe srcdoc=' in data['text/html']
    cell = ok(r.execute('vignette("no such vignette")'))
    assert shown(cell) == [] and 'not found' in cell.stderr
    data, = shown(ok(r.execute('browseVignettes("dplyr")')))
    assert 'Vignettes' in data['text/html'] and 'dplyr' in data['text/plain']


def test_help_start(r):
    data, = shown(ok(r.execute('help.start()')))
    url = data['text/plain'].split()[0]
    assert url.startswith('http://127.0.0.1:') and f'<a href="{url}"' in data['text/html'].replace(' target="_blank" rel="noopener"', '')
    assert 'Packages' in data['text/plain'] and 'href="packages.html"' not in data['text/html']
    with urllib.request.urlopen(url, timeout=60) as page:  # and the links lead somewhere, while nothing runs
        assert b'Packages' in page.read()


def test_a_link_to_a_site(r):
    data, = shown(ok(r.execute('RSiteSearch("lm")')))
    assert data['text/plain'].startswith('https://search.r-project.org/') and '<a href="https://search' in data['text/html']


def test_files_in_a_browser(r, tmp_path):
    (tmp_path / 'a.html').write_text('<p>é</p><img src="a.svg">')
    (tmp_path / 'a.svg').write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    data, = shown(ok(r.execute(f'browseURL("{tmp_path}/a.html")')))
    assert '<iframe srcdoc=' in data['text/html'] and 'é' in data['text/html'] and 'data:image/svg+xml' in data['text/html']
    data, = shown(ok(r.execute(f'browseURL("file://{tmp_path}/a.svg")')))
    assert 'svg' in data['image/svg+xml'] and data['text/plain'] == f'{tmp_path}/a.svg'
    data, = shown(ok(r.execute(f'browseURL("{tmp_path}")')))
    assert data == {'text/plain': str(tmp_path)}
    data, = shown(ok(r.execute('browseURL("mailto:a@b.c")')))
    assert 'href="mailto:a@b.c"' in data['text/html']
    cell = ok(r.execute(f'file.show("{tmp_path}/nothing")'))
    assert 'nothing' in shown(cell)[0]['text/plain'], (cell.outputs, cell.stdout)


# ---- pagers of clients ----

@pytest.fixture(scope='module')
def console():
    from carrack_client import Kernel
    with Kernel(session=None, args=['--session-mode', 'console']) as kernel:
        yield kernel.client()


def test_pages_are_payloads_in_a_console(console):
    for code, part in (('?mean', 'Arithmetic Mean'), ('page(letters, method = "print")', '"a" "b"'), ('data()', 'AirPassengers')):
        cell = ok(console.execute(code))
        assert shown(cell) == [] and cell.stdout == ''
        [page] = cell.reply['payload']
        assert set(page) == {'source', 'data', 'start'} and page['source'] == 'page' and page['start'] == 0
        assert list(page['data']) == ['text/plain'] and part in page['data']['text/plain']
    assert ok(console.execute('1')).reply['payload'] == []


def test_several_pages_and_text(console):
    cell = ok(console.execute('cat("a\\n"); ?mean; print(?lm); cat("b\\n")'))
    assert cell.stdout == 'a\nb\n'
    assert [p['data']['text/plain'].split()[0] for p in cell.reply['payload']] == ['mean', 'lm']


def test_pages_of_a_cell_that_fails_are_seen(console):
    cell = console.execute('print(?mean); stop("x")', stop_on_error=False)
    assert cell.status == 'error' and 'payload' not in cell.reply
    data, = shown(cell)
    assert 'Arithmetic Mean' in data['text/plain']
    assert ok(console.execute('1')).reply['payload'] == []


def test_a_silent_request_has_no_pages(console):
    assert ok(console.execute('print(?mean)', silent=True)).reply['payload'] == []


@pytest.mark.parametrize('call', ['vi(o)', 'pico(o)', 'emacs(o)', 'xemacs(o)', 'xedit(o)', 'edit(o, editor = "nano -w")'])
def test_an_editor_that_cannot_run_is_not_started(r, call):
    """It would wait for keys for ever."""
    cell = ok(r.execute(f'o <- list(a = 1, b = "x"); Sys.unsetenv(c("DISPLAY", "WAYLAND_DISPLAY")); new <- {call}; identical(new, o)'))
    assert [data['text/plain'] for data in shown(cell)] == ['structure(list(1, "x"), names = c("a", "b"))', '[1] TRUE']
    assert 'which there is not here' in cell.stderr and 'it stays as it is' in cell.stderr


def test_an_editor_without_anything(r):
    cell = ok(r.execute('vi()'))
    assert 'vi needs a terminal' in cell.stderr


def test_a_file_for_an_editor_that_cannot_run(r, tmp_path):
    (tmp_path / 'a.R').write_text('b <- 7\n')
    for call in (f'vi(file = "{tmp_path}/a.R")', f'file.edit("{tmp_path}/a.R", editor = "vim")'):
        cell = ok(r.execute(call))
        assert shown(cell)[0]['text/plain'] == f'{tmp_path}/a.R\n\nb <- 7' and 'open it where you edit files' in cell.stderr


def test_other_editors_are_run(r, tmp_path):
    (tmp_path / 'double').write_text('#!/bin/sh\nsed -i s/1/2/ "$1"\n')
    (tmp_path / 'double').chmod(0o755)
    assert ok(r.execute(f'edit(c(1, 3), editor = "{tmp_path}/double")')).result == '[1] 2 3'
    assert 'problem with running editor' in r.execute('edit(1, editor = "/bin/false")').error['evalue']


def test_data_editors_show_the_data(r):
    for call, text in (('data.entry(v)', '3'), ('de(v)', '3'), ('dataentry(list(v = v, w = 1:2), list("numeric", "numeric"))', '$w'),
                       ('Sys.setenv(DISPLAY = ":99"); edit(data.frame(vv = v))', 'vv')):
        cell = ok(r.execute('v <- c(1, 2, 3); ' + call))
        assert text in shown(cell)[0]['text/plain'] and 'it stays as it is' in cell.stderr
        assert ok(r.execute('Sys.unsetenv("DISPLAY"); identical(v, c(1, 2, 3))')).result == '[1] TRUE'
