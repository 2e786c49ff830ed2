"""Visible values with their rich forms, and what R code publishes: through the kernel, as a notebook's client sees it."""
import base64
import html
import json
import re
import time

import nbformat
import pytest


@pytest.fixture
def notebook(start):
    """A client whose cells are checked: everything that a notebook would store is valid in one."""
    client = start(session=None, args=['--session-mode', 'notebook']).client()
    run = client.execute

    def execute(code, **options):
        cell = run(code, **options)
        outputs = []
        for kind, content in cell.outputs:
            if kind in ('execute_result', 'display_data', 'error', 'stream'):
                content.pop('transient', None)
                outputs.append(nbformat.from_dict({'output_type': kind, **content}))
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code, outputs=outputs)])
        nbformat.validate(book)
        return cell
    client.execute = execute
    return client


def needs(client, *packages):
    for package in packages:
        if client.execute(f'nzchar(system.file(package = "{package}"))').result != '[1] TRUE':
            pytest.skip(f'no R package {package}')


def data(cell):
    """The contents by type of the only thing that the cell has shown."""
    shown = cell.of_type('execute_result') + cell.of_type('display_data')
    assert len(shown) == 1, cell.story()
    return shown[0]['data']


def rows(text, tag='td'):
    body = text.split('<tbody>')[1].split('</tbody>')[0]
    return [[html.unescape(c) for c in re.findall(f'<{tag}[^>]*>(.*?)</{tag}>', row, re.S)]
            for row in re.findall(r'<tr>(.*?)</tr>', body, re.S)]


def header(text, line=0):
    head = text.split('<thead>')[1].split('</thead>')[0]
    return [html.unescape(c) for c in re.findall(r'<th[^>]*>(.*?)</th>', re.findall(r'<tr>(.*?)</tr>', head)[line])]


def caption(text):
    return html.unescape(re.search('<caption[^>]*>(.*)</caption>', text).group(1))


def printed(client, expression):
    """What R prints, as text of a cell."""
    return client.execute(f'print({expression}); invisible()').stdout.rstrip('\n')


# ---- tables ----

def test_only_what_gains_by_it_has_a_rich_form(notebook):
    for code in ('1 + 1', 'letters', 'list(1, "a")', 'function(x) x', 'NULL', 'factor("a")', 'Sys.Date()', 'lm(mpg ~ wt, mtcars)',
                 'array(1:8, c(2, 2, 2))', 'data.frame()', 'matrix(0, 0, 0)', 'quote(x + y)', 'ts(1:3)', 'globalenv()', 'list()'):
        assert list(data(notebook.execute(code))) == ['text/plain'], code


def test_data_frame(notebook):
    notebook.execute('df <- data.frame(n = c(1.5, 22.25, NA), s = c("x<y", "é & \\"", NA), d = as.Date(c("2024-02-29", NA, "1999-12-31")),'
                     'f = factor(c("u", NA, "v")), l = c(TRUE, NA, FALSE), i = c(1L, NA, 3L), stringsAsFactors = FALSE)')
    d = data(notebook.execute('df'))
    assert list(d) == ['text/plain', 'text/html']
    assert d['text/plain'] == printed(notebook, 'df')
    assert caption(d['text/html']) == 'A data.frame: 3 × 6'
    assert header(d['text/html']) == ['n', 's', 'd', 'f', 'l', 'i']
    assert header(d['text/html'], 1) == ['<dbl>', '<chr>', '<date>', '<fct>', '<lgl>', '<int>']
    assert rows(d['text/html']) == [['1.50', 'x<y', '2024-02-29', 'u', 'TRUE', '1'], ['22.25', 'é & "', 'NA', 'NA', 'NA', 'NA'],
                                    ['NA', 'NA', '1999-12-31', 'v', 'FALSE', '3']]
    assert '<y' not in d['text/html']


def test_names(notebook):
    notebook.execute('df <- data.frame(1:2, 3:4, 5:6); names(df) <- c("a", "a", ""); row.names(df) <- c("r <1>", "日本")')
    text = data(notebook.execute('df'))['text/html']
    assert header(text) == ['', 'a', 'a', '']
    assert rows(text, 'th') == [['r <1>'], ['日本']]
    notebook.execute('names(df)[1] <- NA; names(df)[2] <- "<b>"')
    assert header(data(notebook.execute('df'))['text/html']) == ['', 'NA', '<b>', '']


def test_strange_columns(notebook):
    notebook.execute('''df <- data.frame(id = 1:3)
df$list <- list(1:3, "a", NULL_ <- NULL); df$list <- list(1:3, "a", mtcars)
df$inner <- data.frame(p = c("x", "y", "z"), q = c(1, 2.5, 3)); df$inner$deep <- data.frame(u = 1:3)
df$mat <- matrix(1:6, 3, dimnames = list(NULL, c("m", "n"))); df$time <- as.POSIXct("2024-01-01 10:00", tz = "UTC") + 0:2
df$lt <- as.POSIXlt(df$time); df$dur <- as.difftime(1:3, units = "mins"); df$z <- 1i * 1:3; df$raw <- as.raw(1:3)''')
    d = data(notebook.execute('df'))
    text = d['text/html']
    assert d['text/plain'] == printed(notebook, 'df')
    assert caption(text) == 'A data.frame: 3 × 9'
    assert header(text) == ['id', 'list', 'inner.p', 'inner.q', 'inner.deep.u', 'mat.m', 'mat.n', 'time', 'lt', 'dur', 'z', 'raw']
    assert header(text, 1)[-5:] == ['<dttm>', '<dttm>', '<drtn>', '<cpl>', '<raw>']
    assert rows(text)[0] == ['1', '1, 2, 3', 'x', '1.0', '1', '1', '4', '2024-01-01 10:00:00', '2024-01-01 10:00:00', '1 mins', '0+1i', '01']
    assert rows(text)[2][1] == '<data.frame[32 × 11]>'


def test_numbers_are_written_as_format_writes_them(notebook):
    needs(notebook, 'IRdisplay')
    code = '''set.seed(%d)
columns <- c(
    lapply(1:14, function(e) rnorm(20) * 10^sample(-e:e, 20, TRUE)), lapply(0:5, function(d) round(rnorm(20) * 1000, d)),
    list(c(NA, NaN, Inf, -Inf, 0, -0), 10^(0:20), 10^-(0:20), c(1e5, 1e-5), 123456789, 1234567.8, 99999.99, 0.1 + 0.2, 1/3, 1e300, 5e-324,
         100000, 1e15, 123456.123456, c(0.00001, 123456), 9.9999999, 9996, 99999995, c(1, NA), -1.5, c(-1, 1e10), 1e100, 2/3 * 10^(-5:5)),
    list(.Machine$integer.max, -5:5, c(NA, 1L), c(TRUE, NA), c("a", NA, ""), structure(c(-400000, 0, 19000.7, NA, 3e6), class = "Date"), as.Date("2024-02-29")))
columns <- c(columns, lapply(1:40, function(i) signif(rnorm(sample(5, 1)) * 10^sample(-8:8, 1), sample(9, 1))))
options(digits = %d, scipen = %d)
expected <- lapply(columns, function(x) I(trimws(format(x))))
IRdisplay::display_json(expected)
'''
    for seed, digits, scipen in ((1, 7, 0), (2, 3, 0), (3, 15, 5), (4, 7, -3), (5, 1, 0), (6, 17, 0)):
        expected = notebook.execute(code % (seed, digits, scipen)).of_type('display_data')[0]['data']['application/json']
        cell = notebook.execute('\n'.join(f'data.frame(x = columns[[{i + 1}]])' for i in range(len(expected))))
        shown = [m['data']['text/html'] for m in cell.of_type('display_data') + cell.of_type('execute_result')]
        assert len(shown) == len(expected)
        for i, (text, column) in enumerate(zip(shown, expected)):
            cells = [r[0] for r in rows(text)]
            column = ['NA' if c is None else c for c in column]
            assert cells == column, (digits, scipen, i)


def test_cuts(notebook):
    notebook.execute('options(width = 10000)')
    text = data(notebook.execute('as.data.frame(matrix(1:50000, 100))'))['text/html']
    assert caption(text) == 'A data.frame: 100 × 500'
    names = header(text)
    assert names == [f'V{i}' for i in range(1, 11)] + ['⋯'] + [f'V{i}' for i in range(491, 501)]
    body = rows(text)
    assert len(body) == 61 and body[30] == ['⋮'] * 10 + ['⋱'] + ['⋮'] * 10
    assert [r[0] for r in body[:30]] == [str(i) for i in range(1, 31)]
    assert [r[0] for r in body[31:]] == [str(i) for i in range(71, 101)]
    notebook.execute('options(repr.matrix.max.rows = 5, repr.matrix.max.cols = 3)')
    text = data(notebook.execute('matrix(1:100, 10, dimnames = list(letters[1:10], LETTERS[1:10]))'))['text/html']
    assert header(text) == ['', 'A', 'B', '⋯', 'J']
    assert rows(text, 'th') == [['a'], ['b'], ['c'], ['⋮'], ['i'], ['j']]
    assert rows(text)[4] == ['9', '19', '⋯', '99']
    notebook.execute('options(repr.matrix.max.rows = Inf, repr.matrix.max.cols = "no")')
    assert len(rows(data(notebook.execute('data.frame(x = 1:200)'))['text/html'])) == 200


def test_matrices_and_tables(notebook):
    d = data(notebook.execute('matrix(c(1, 2.5, NA, 4), 2)'))
    assert d['text/plain'] == '     [,1] [,2]\n[1,]  1.0   NA\n[2,]  2.5    4'
    assert caption(d['text/html']) == 'A matrix: 2 × 2 of type dbl' and '<thead>' not in d['text/html']
    assert rows(d['text/html']) == [['1.0', 'NA'], ['2.5', '4']]
    text = data(notebook.execute('with(mtcars, table(cyl, gear))'))['text/html']
    assert caption(text) == 'A table: 3 × 3' and header(text) == ['', '3', '4', '5']
    assert rows(text, 'th') == [['4'], ['6'], ['8']] and rows(text)[2] == ['12', '0', '2']
    text = data(notebook.execute('table(c("a", "b", "a"))'))['text/html']
    assert rows(text, 'th') == [['a'], ['b']] and rows(text) == [['2'], ['1']]
    text = data(notebook.execute('summary(data.frame(x = 1:4))'))['text/html']
    assert 'Median :2.50' in text
    text = data(notebook.execute('matrix(list(1, "a", 1:3, NULL), 2)'))['text/html']
    assert rows(text) == [['1', '1, 2, 3'], ['a', 'NULL']]
    assert 'text/html' in data(notebook.execute('matrix(c(TRUE, NA), 1)'))


def test_lists_of_tables(notebook):
    text = data(notebook.execute('list(a = data.frame(x = 1), matrix(1:2, 1))'))['text/html']
    assert text.count('<table') == 2 and '$a' in text and '[[2]]' in text
    assert list(data(notebook.execute('list(data.frame(x = 1), 2)'))) == ['text/plain']
    assert 'text/html' in data(notebook.execute('split(mtcars, mtcars$cyl)'))


def test_tibbles(notebook):
    needs(notebook, 'dplyr', 'tibble')
    notebook.execute('suppressMessages(library(dplyr)); options(cli.num_colors = 1L)')
    d = data(notebook.execute('tb <- tibble::as_tibble(mtcars); tb'))
    assert d['text/plain'].startswith('# A tibble: 32 × 11') and caption(d['text/html']) == 'A tibble: 32 × 11'
    d = data(notebook.execute('group_by(tb, cyl, am)'))
    assert '# Groups:   cyl, am [6]' in d['text/plain'] and caption(d['text/html']) == 'A tibble: 32 × 11, groups: cyl, am [6]'
    assert caption(data(notebook.execute('rowwise(tb)'))['text/html']) == 'A tibble: 32 × 11, rowwise'
    text = data(notebook.execute('tibble::tibble(l = list(1, 1:10, "a"), t = tibble::tibble(u = 1:3))'))['text/html']
    assert rows(text) == [['1', '1'], ['1, 2, 3, 4, 5, 6, …', '2'], ['a', '3']]


def test_data_tables(notebook):
    needs(notebook, 'data.table')
    notebook.execute('suppressMessages(library(data.table)); DT <- data.table(a = 1:200, b = "x")')
    d = data(notebook.execute('DT'))
    assert caption(d['text/html']) == 'A data.table: 200 × 2' and '---' in d['text/plain'] and '---' not in d['text/html']
    assert notebook.execute('DT[, c := a * 2]').outputs == []
    assert caption(data(notebook.execute('DT'))['text/html']) == 'A data.table: 200 × 3'
    assert 'text/html' in data(notebook.execute('DT[, d := 1][]'))


def test_ten_million_rows_take_no_longer_than_sixty(notebook):
    notebook.execute('small <- data.frame(x = 1:60, y = 2.5, z = "a"); n <- 1e7\n'
                     'big <- data.frame(x = 1:n, y = 2.5, z = rep_len(c("a", "b"), n)); m <- matrix(0, n / 2, 2)')
    times = {}
    for name in ('small', 'big', 'm') * 5:
        begin = time.monotonic()
        d = data(notebook.execute(name))
        times.setdefault(name, []).append(time.monotonic() - begin)
        assert len(d['text/plain']) < 10_000 and len(d['text/html']) < 20_000
    assert caption(data(notebook.execute('big'))['text/html']) == 'A data.frame: 10000000 × 3'
    assert 'omitted 9999940 rows' in data(notebook.execute('big'))['text/plain']
    for name in ('big', 'm'):
        assert min(times[name]) < min(times['small']) * 2 + 0.02, times


def test_what_r_shows_in_full_is_shown_in_full(notebook):
    d = data(notebook.execute('data.frame(x = 1:1000, y = 1:1000)'))
    assert d['text/plain'] == printed(notebook, 'data.frame(x = 1:1000, y = 1:1000)')
    notebook.execute('options(max.print = 40000); df <- data.frame(x = 1:120000)')
    assert data(notebook.execute('df'))['text/plain'] == printed(notebook, 'df')
    assert notebook.execute('getOption("max.print")').result == '[1] 40000'


def test_broken_things_fall_back_to_text(notebook):
    notebook.execute('format.bad <- function(x, ...) stop("cannot format"); "[.bad" <- function(x, i) structure(unclass(x)[i], class = "bad")\n'
                     'print.holder <- function(x, ...) cat("a holder\\n")')
    d = data(notebook.execute('structure(list(x = structure(1:2, class = "bad")), class = c("holder", "data.frame"), row.names = 1:2)'))
    assert d == {'text/plain': 'a holder'}
    d = data(notebook.execute('structure(list(x = 1:2, y = 1L), class = c("holder", "data.frame"), row.names = 1:2)'))
    assert d == {'text/plain': 'a holder'}
    log = notebook.kernel.log_file.read_text()
    assert 'cannot format' in log and 'a table cannot be shown' in log
    assert notebook.execute('1').result == '[1] 1'


def test_looking_touches_nothing(notebook):
    notebook.execute('set.seed(1); seed <- .Random.seed; df <- data.frame(x = 1:3, t = Sys.time()); old <- options()')
    notebook.execute('df\nmtcars\ntable(1)')
    assert notebook.execute('identical(seed, .Random.seed)').result == '[1] TRUE'
    assert notebook.execute('identical(old, options())').result == '[1] TRUE'
    notebook.execute('f <- function() 1; df')
    assert notebook.execute('identical(.Last.value, f)').result == '[1] FALSE'
    notebook.execute('df')
    assert notebook.execute('identical(.Last.value, df)').result == '[1] TRUE'
    assert notebook.execute('search()').result == printed(notebook, 'search()')


def test_values_that_are_not_last(notebook):
    cell = notebook.execute('data.frame(a = 1)\ncat("x\\n")\nmatrix(1)\ninvisible(2)')
    assert cell.story() == ['display_data', 'out:x\n', 'display_data']
    assert all('text/html' in c['data'] for c in cell.of_type('display_data'))


def test_invisible_and_silent(notebook):
    assert notebook.execute('invisible(mtcars)').outputs == []
    assert notebook.execute('mtcars', silent=True).outputs == []


@pytest.mark.parametrize('mode', ['console', 'background'])
def test_text_alone_outside_notebooks(start, mode):
    client = start(session=None, args=['--session-mode', mode]).client()
    assert client.execute('data.frame(a = 1)').of_type('execute_result')[0]['data'] == {'text/plain': '  a\n1 1'}


# ---- options ----

def parts(latex):
    """The lines of each tabular, and what it says of its columns."""
    return [(spec, [line for line in body.splitlines() if line.endswith('\\\\')])
            for spec, body in re.findall(r'\\begin{tabular}{([^\n]*)}\n(.*?)\\end{tabular}', latex, re.DOTALL)]


def test_latex_has_room_on_a_page(notebook):
    """LaTeX breaks tables neither at the end of a page nor at that of a line; what does not fit would be lost."""
    notebook.execute('options(jupyter.display_mimetypes = c("text/plain", "text/latex"), repr.matrix.max.rows = 100)')

    def latex(code):
        return parts(data(notebook.execute(code))['text/latex'])
    long = latex('data.frame(n = 1:90)')
    assert [len(lines) - 2 for _, lines in long] == [40, 40, 10]
    assert all(lines[:2] == ['\tn\\\\', '\tint\\\\'] for _, lines in long)
    wide = latex('as.data.frame(matrix(round(pi * 1:60, 6), 2, dimnames = list(c("first row", "second"), NULL)))')
    assert len(wide) > 2 and sum(len(re.findall('l', spec)) for spec, _ in wide) == 21  # 20 columns and the gap
    assert all(spec.startswith('r|') and lines[2].startswith('\tfirst row & ') for spec, lines in wide)
    assert all(max(map(len, lines)) < 110 for _, lines in wide)
    [(spec, lines)] = latex('data.frame(n = 1, t = paste(rep("word", 50), collapse = " "))')
    assert spec == 'lp{0.5\\linewidth}' and lines[2].count('word') == 50
    # One column that is wider than the page still is one, and a long name of a row is not in the way of others.
    assert [spec for spec, _ in latex('matrix(1:2, 1, dimnames = list(strrep("x", 200), NULL))')] == ['r|l', 'r|l']


def test_types_that_are_wanted(notebook):
    notebook.execute('options(jupyter.display_mimetypes = c("text/plain", "text/markdown", "text/latex"))')
    d = data(notebook.execute('data.frame(`a|b` = c("x_y", "50%"), n = c(1.5, NA), check.names = FALSE)'))
    assert list(d) == ['text/plain', 'text/markdown', 'text/latex']
    assert d['text/markdown'].splitlines()[3:] == ['| a\\|b &lt;chr&gt; | n &lt;dbl&gt; |', '|---|---|', '| x\\_y | 1.5 |', '| 50% | NA |', '']
    assert '\\begin{tabular}{ll}' in d['text/latex'] and '\tx\\_y & 1.5\\\\' in d['text/latex'] and '50\\% & NA\\\\' in d['text/latex']
    text = data(notebook.execute('matrix(1:1000, 100, dimnames = list(1:100, 1:10))'))
    assert text['text/markdown'].count('⋮') == 11 and text['text/latex'].count('$\\vdots$') == 11
    assert 'A matrix: 100 × 10 of type int\n\n\\noindent\\begin{tabular}{r|llllllllll}\n' in text['text/latex']
    notebook.execute('options(jupyter.rich_display = FALSE)')
    assert list(data(notebook.execute('mtcars'))) == ['text/plain']
    notebook.execute('options(jupyter.rich_display = TRUE, jupyter.display_mimetypes = "text/plain")')
    assert list(data(notebook.execute('mtcars'))) == ['text/plain']


def test_irdisplay_does_not_bring_more_types(notebook):
    needs(notebook, 'IRdisplay')
    notebook.execute('library(IRdisplay)')
    assert list(data(notebook.execute('data.frame(a = 1)'))) == ['text/plain', 'text/html']
    assert set(data(notebook.execute('display(data.frame(a = 1))'))) == {'text/plain', 'text/html'}


# ---- methods ----

def test_methods_of_the_user(notebook):
    notebook.execute('repr_html.thing <- function(obj, ...) paste0("<b>", obj[[1]], "</b>"); print.thing <- function(x, ...) cat("thing\\n")\n'
                     'repr_json.thing <- function(obj, ...) list(v = obj[[1]], n = NULL, e = list())\n'
                     'repr_png.thing <- function(obj, ...) as.raw(1:4)')
    assert data(notebook.execute('structure(list(5), class = "thing")')) == {
        'text/plain': 'thing', 'text/html': '<b>5</b>', 'application/json': {'v': 5, 'n': None, 'e': []}, 'image/png': 'AQIDBA=='}
    assert data(notebook.execute('structure(list(5), class = c("sub", "thing"))'))['text/html'] == '<b>5</b>'
    notebook.execute('repr_html.thing <- function(obj, ...) stop("no way")')
    assert 'text/html' not in data(notebook.execute('structure(list(5), class = "thing")'))
    assert 'no way' in notebook.kernel.log_file.read_text()


def test_methods_for_data_frames_of_a_class(notebook):
    notebook.execute('repr_html.mine <- function(obj, ...) "<i>mine</i>"')
    assert data(notebook.execute('structure(data.frame(a = 1), class = c("mine", "data.frame"))'))['text/html'] == '<i>mine</i>'


def test_methods_of_packages(notebook):
    needs(notebook, 'repr')
    notebook.execute('registerS3method("repr_html", "reg", function(obj, ...) "<html><body>r</body></html>", envir = asNamespace("repr"))')
    shown = notebook.execute('structure(1, class = "reg")').of_type('execute_result')[0]
    assert shown['data']['text/html'].startswith('<html>') and shown['metadata'] == {'text/html': {'isolated': True}}
    assert list(data(notebook.execute('letters'))) == ['text/plain']  # repr's own method for text does not count
    notebook.execute('repr_text.said <- function(obj, ...) "said"')
    assert data(notebook.execute('structure(1, class = "said")')) == {'text/plain': 'said'}


def test_methods_that_wait_for_repr(notebook):
    needs(notebook, 'repr')
    notebook.execute('setHook(packageEvent("repr", "onLoad"), function(...) registerS3method("repr_html", "lazy", '
                     'function(obj, ...) "<u>lazy</u>", envir = asNamespace("repr")))')
    assert data(notebook.execute('structure(1, class = "lazy")'))['text/html'] == '<u>lazy</u>'


def test_an_interrupt_ends_a_method(notebook):
    notebook.execute('repr_html.slow <- function(obj, ...) repeat Sys.sleep(0.01)')
    cell = notebook.submit('structure(1, class = "slow")').wait_started()
    time.sleep(0.5)
    notebook.request('interrupt_request', {}, channel='control')
    assert cell.wait().status == 'error'
    assert notebook.execute('2').result == '[1] 2'


def test_s4(notebook):
    notebook.execute('setClass("S", representation(x = "numeric")); repr_html.S <- function(obj, ...) "<s></s>"')
    assert data(notebook.execute('new("S", x = 1)'))['text/html'] == '<s></s>'
    notebook.execute('setClass("T", contains = "S"); setMethod("show", "T", function(object) cat("T!\\n"))')
    assert data(notebook.execute('new("T", x = 1)')) == {'text/plain': 'T!', 'text/html': '<s></s>'}


def test_knitr(notebook):
    needs(notebook, 'knitr')
    notebook.execute('knit_print.kp <- function(x, ...) knitr::asis_output("**bold**"); loadNamespace("knitr") -> ns')
    assert data(notebook.execute('structure(1, class = "kp")'))['text/markdown'] == '**bold**'
    d = data(notebook.execute('knitr::kable(head(mtcars, 2))'))
    assert d['text/markdown'].startswith('|') and d['text/plain'].strip() == d['text/markdown'].strip()
    assert data(notebook.execute('knitr::kable(head(mtcars, 2), format = "html")'))['text/html'].startswith('<table')
    assert data(notebook.execute('knitr::asis_output("<p>x</p>")'))['text/html'] == '<p>x</p>'
    assert list(data(notebook.execute('data.frame(a = 1)'))) == ['text/plain', 'text/html']


# ---- HTML ----

def test_tags(notebook):
    needs(notebook, 'htmltools')
    assert data(notebook.execute('htmltools::tags$b("x < y")')) == {'text/plain': '<b>x &lt; y</b>', 'text/html': '<b>x &lt; y</b>'}
    assert data(notebook.execute('htmltools::HTML("<i>1</i>")'))['text/html'] == '<i>1</i>'
    d = data(notebook.execute('htmltools::browsable(htmltools::tagList(htmltools::p("a"), htmltools::p("b")))'))
    assert d['text/html'] == '<p>a</p>\n<p>b</p>'
    notebook.execute('f <- tempfile(fileext = ".js"); writeLines("var lib = \'</script>\';", f)')
    text = data(notebook.execute('htmltools::attachDependencies(htmltools::p("a"), htmltools::htmlDependency("mine", "1.0", dirname(f), '
                                 'script = basename(f)))'))['text/html']
    assert text.startswith('<script type="application/json" id="carrack-mine-1.0">') and '<iframe srcdoc="' in text
    carried = json.loads(re.match('<script[^>]*>(.*?)</script>', text).group(1))
    script = re.search('base64,([^"]*)"', carried[0]).group(1)
    assert base64.b64decode(script, validate=True) == b"var lib = '</script>';\n"


def test_a_library_whose_files_change(notebook):
    """Its text is kept only as long as all its files stay what they are, those that a style sheet names included."""
    needs(notebook, 'htmltools')
    notebook.execute('d <- tempfile(); dir.create(d); css <- file.path(d, "a.css"); font <- file.path(d, "a.woff"); options(repr.html.deduplicate = FALSE)\n'
                     'writeLines("b { src: url(a.woff) }", css); writeLines("one", font)')
    code = ('htmltools::attachDependencies(htmltools::p("a"), htmltools::htmlDependency("mine", "1.0", d, stylesheet = "a.css"))')

    def font():
        text = html.unescape(data(notebook.execute(code))['text/html'])
        style = base64.b64decode(re.search('text/css;charset=utf-8;base64,([^"]*)"', text).group(1)).decode()
        return base64.b64decode(re.search('base64,([^"]*)"', style).group(1))
    assert font() == b'one\n' == font()
    notebook.execute('writeLines("another", font)')
    assert font() == b'another\n' == font()
    notebook.execute('Sys.sleep(0.1); writeLines("anothex", font)')  # as long as it was
    assert font() == b'anothex\n'
    notebook.execute('writeLines("b { src: url(b.woff) } b { src: url(a.woff) }", css)')
    assert font() == b'anothex\n'


def test_libraries_are_in_a_notebook_once(notebook):
    needs(notebook, 'DT')
    first = notebook.submit('DT::datatable(head(mtcars))', metadata={'cellId': 'one'}).wait()
    d = data(first)
    assert d['text/plain'] == '<datatables widget>' and len(first.outputs) == 1
    assert len(d['text/html']) > 100_000 and 'src="lib' not in d['text/html'] and '/usr/' not in d['text/html']
    other = data(notebook.submit('DT::datatable(head(iris))', metadata={'cellId': 'two'}).wait())['text/html']
    assert len(other) < 20_000 and 'carrack-datatables-binding' in other
    again = data(notebook.submit('DT::datatable(head(mtcars, 3))', metadata={'cellId': 'one'}).wait())['text/html']
    assert len(again) > 100_000  # what the cell had shown is gone
    third = data(notebook.submit('DT::datatable(head(cars))', metadata={'cellId': 'three'}).wait())['text/html']
    assert len(third) < 20_000
    third = data(notebook.submit('DT::datatable(head(cars))', metadata={'cellId': 'three'}).wait())['text/html']
    assert len(third) > 100_000  # run again alone: perhaps the library is gone from the page
    other = data(notebook.submit('DT::datatable(head(iris))', metadata={'cellId': 'two'}).wait())['text/html']
    assert len(other) < 20_000
    notebook.execute('options(repr.html.deduplicate = FALSE)')
    whole = notebook.execute('DT::datatable(head(iris))').of_type('execute_result')[0]
    assert whole['data']['text/html'].startswith('<iframe') and len(whole['data']['text/html']) > 100_000
    assert whole['metadata'] == {}  # it is in a frame: clients are not to make another one


def test_repr_does_not_make_every_widget_bring_its_libraries(notebook):
    needs(notebook, 'repr')
    notebook.execute('loadNamespace("repr")')
    assert notebook.execute('getOption("repr.html.deduplicate")').result == '[1] TRUE'


def test_widgets_in_a_loop_and_in_irdisplay(notebook):
    needs(notebook, 'DT', 'IRdisplay')
    cell = notebook.execute('for (i in 1:2) { cat(i, "\\n"); print(DT::datatable(head(mtcars, i))) }')
    assert cell.story() == ['out:1 \n', 'display_data', 'out:2 \n', 'display_data']
    assert all('lib/' not in re.sub('base64,[^"&]*', '', c['data']['text/html']) for c in cell.of_type('display_data'))
    d = data(notebook.execute('IRdisplay::display(DT::datatable(head(mtcars)))'))
    assert '<html' in d['text/html']


# ---- publishing ----

def test_irdisplay(notebook):
    needs(notebook, 'IRdisplay')
    notebook.execute('library(IRdisplay)')
    for name, kind in (('html', 'text/html'), ('markdown', 'text/markdown'), ('latex', 'text/latex'), ('text', 'text/plain'),
                       ('javascript', 'application/javascript'), ('svg', 'image/svg+xml')):
        assert data(notebook.execute(f'display_{name}("<é>")')) == {kind: '<é>'}
    for n in range(1, 7):
        d = data(notebook.execute(f'display_png(as.raw(1:{n}))'))
        assert base64.b64decode(d['image/png'], validate=True) == bytes(range(1, n + 1))
    shown = notebook.execute('display_jpeg(as.raw(255), width = 10, height = 20)').of_type('display_data')[0]
    assert shown['metadata'] == {'image/jpeg': {'width': 10, 'height': 20}}
    assert notebook.execute('display_html("<html></html>")').status == 'ok'
    assert data(notebook.execute('display_json(\'{"a": [1, {"b": null}]}\')')) == {'application/json': {'a': [1, {'b': None}]}}
    assert data(notebook.execute('display_json("plain")')) == {'application/json': 'plain'}
    assert data(notebook.execute('f <- tempfile(); writeLines(c("<p>", "é</p>"), f); display_html(file = f)'))['text/html'] == '<p>\né</p>\n'


def test_publishing_keeps_its_place(notebook):
    needs(notebook, 'IRdisplay')
    cell = notebook.execute('cat("a\\n"); IRdisplay::display_html("1"); cat("b"); message("c"); IRdisplay::display_html("2"); cat("d"); 3')
    assert cell.story() == ['out:a\n', 'display_data', 'out:b', 'err:c\n', 'display_data', 'out:d', 'execute_result']
    notebook.execute('print.shower <- function(x, ...) { cat("before\\n"); IRdisplay::display_html("x"); cat("after\\n") }')
    assert notebook.execute('structure(1, class = "shower")').story() == ['out:before\n', 'display_data', 'out:after\n']


def test_display_ids(notebook):
    needs(notebook, 'IRdisplay')
    notebook.execute('library(IRdisplay)')
    shown = notebook.execute('display(data.frame(a = 1), display_id = "q")').of_type('display_data')[0]
    assert shown['transient'] == {'display_id': 'q'} and shown['metadata'] == {}
    cell = notebook.execute('display(data.frame(a = 2), display_id = "q", update = TRUE)')
    update = cell.of_type('update_display_data')[0]
    assert update['transient'] == {'display_id': 'q'} and '2' in update['data']['text/plain'] and len(cell.outputs) == 1
    cell = notebook.execute('publish_mimebundle(list("text/plain" = "n"), list(display_id = "q", update = TRUE))')
    assert cell.of_type('update_display_data')[0]['data'] == {'text/plain': 'n'}
    cell = notebook.execute('getOption("jupyter.update_display_func")(list("text/plain" = "m"), display_id = "q")')
    assert cell.of_type('update_display_data')[0]['data'] == {'text/plain': 'm'}
    assert notebook.execute('getOption("jupyter.update_display_func")(list())').status == 'error'


def test_clear_output(notebook):
    needs(notebook, 'IRdisplay')
    cell = notebook.execute('cat("a\\n"); IRdisplay::clear_output(); cat("b\\n"); IRdisplay::clear_output(FALSE)')
    assert cell.story() == ['out:a\n', 'clear_output', 'out:b\n', 'clear_output']
    assert cell.of_type('clear_output') == [{'wait': True}, {'wait': False}]


def test_lists_as_json(notebook):
    needs(notebook, 'IRdisplay')
    d = data(notebook.execute('''IRdisplay::display_json(list(i = 1L, d = 0.1, b = TRUE, s = "é\\n\\"", v = 1:3, one = I(5), na = NA, nan = NaN, inf = Inf,
        null = NULL, e = list(), o = setNames(list(), character()), f = factor("a"), day = as.Date("2024-01-02"), raw = as.raw(1:2),
        m = matrix(1:4, 2), df = data.frame(x = 1:2, y = c("a", NA)), nested = list(list(1, "a"), list(k = list(2))), big = 2^53, tiny = 1e-300))'''))
    assert d['application/json'] == {
        'i': 1, 'd': 0.1, 'b': True, 's': 'é\n"', 'v': [1, 2, 3], 'one': [5], 'na': None, 'nan': None, 'inf': None, 'null': None,
        'e': [], 'o': {}, 'f': 'a', 'day': '2024-01-02', 'raw': 'AQI=', 'm': [[1, 3], [2, 4]], 'df': [{'x': 1, 'y': 'a'}, {'x': 2, 'y': None}],
        'nested': [[1, 'a'], {'k': [2]}], 'big': 2**53, 'tiny': 1e-300}
    assert notebook.execute('IRdisplay::display_json(list(f = mean))').error['evalue']
    assert notebook.execute('1').result == '[1] 1'


def test_contents_that_are_no_text(notebook):
    needs(notebook, 'IRdisplay')
    notebook.execute('library(IRdisplay)')
    assert data(notebook.execute('publish_mimebundle(list("text/html" = c("a", "b"), "text/plain" = 5, "text/x" = NULL))')) == {
        'text/html': 'a\nb', 'text/plain': '5'}
    assert data(notebook.execute('publish_mimebundle(list("text/html" = charToRaw("é")))')) == {'text/html': 'é'}
    assert data(notebook.execute('publish_mimebundle(c("text/plain" = "v"))')) == {'text/plain': 'v'}
    assert data(notebook.execute('publish_mimebundle(list("application/vnd.vega.v5+json" = list(a = 1)))')) == {
        'application/vnd.vega.v5+json': {'a': 1}}
    assert notebook.execute('publish_mimebundle(list("no names"))').status == 'error'
    latin = 'x <- "caf\\xe9"; Encoding(x) <- "latin1"; display_text(x)'
    assert data(notebook.execute(latin)) == {'text/plain': 'café'}
