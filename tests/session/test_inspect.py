"""Inspection as a client sees it."""
import re
import time

import pytest

CURSOR = '‸'


class Inspector:
    def __init__(self, client):
        self.client = client

    def __call__(self, text, level=0):
        cursor = text.index(CURSOR) if CURSOR in text else len(text)
        content = {'code': text.replace(CURSOR, ''), 'cursor_pos': cursor, 'detail_level': level}
        reply = self.client.ask('inspect_request', content)
        assert reply['status'] == 'ok' and reply['metadata'] == {}
        assert set(reply['data']) == ({'text/plain', 'text/html', 'text/markdown'} if reply['found'] else set())
        assert all(reply['data'].values())
        self.reply = reply
        return reply['data'].get('text/plain')

    @property
    def html(self):
        return self.reply['data']['text/html']

    @property
    def markdown(self):
        return self.reply['data']['text/markdown']

    def run(self, code):
        cell = self.client.execute(code)
        assert cell.status == 'ok', cell.reply
        return cell

    def value(self, code):
        return self.run(code).result


@pytest.fixture
def inspect(start):
    return Inspector(start(session=None).client())


def test_help_of_a_function(inspect):
    text = inspect('rnorm')
    assert text.startswith('rnorm(n, mean = 0, sd = 1)')
    for part in ('The Normal Distribution', 'Description:', 'Usage:', 'Arguments:', 'vector of quantiles'):
        assert part in text
    assert '\b' not in text
    for part in ('<h2', 'The Normal Distribution', '<h3>Arguments</h3>', '<code>'):
        assert part in inspect.html
    for part in ('<html', '<head', '<script', '<body', 'R Documentation'):
        assert part not in inspect.html
    for part in ('# The Normal Distribution', '```r\ndnorm(', '## Arguments', '- `n`: number of observations'):
        assert part in inspect.markdown
    assert 'function' not in text.split('\n')[0] and 'Source' not in text


@pytest.mark.parametrize('code', ['‸rnorm(1)', 'rno‸rm(1)', 'rnorm‸(1)', 'rnorm(‸1)', 'rnorm(1, ‸)', 'rnorm(', 'rnorm(mea‸n = 3)',
                                  'x <- 3\nstats::rnorm(1,\n  sd = ‸', 'stats::rno‸rm', 'stats:::rnorm', 'rnorm(nosuch‸)',
                                  'c(1, rnorm(‸', 'a |> rnorm(‸)', '`rnor‸m`(1)', 'rnorm("‸")', '😀 <- rnorm‸(1)'])
def test_where_the_cursor_may_be(inspect, code):
    assert inspect(code).startswith('rnorm(n, mean = 0, sd = 1)')


def test_nothing_there(inspect):
    for code in ('', 'nosuch', '# rnorm', '1 + ‸', '"rnorm"', 'nosuch$rnorm', 'nosuch(', '12', ')', 'rnorm({ ‸ })', 'nosuch::f'):
        assert inspect(code) is None, code


def test_functions_of_the_user(inspect):
    inspect.run('f <- function(x, y = 2, ...) {\n  # what it does\n  x   +   y\n}')
    assert inspect('f') == 'f(x, y = 2, ...)'
    text = inspect('f', level=1)
    assert text.startswith('f(x, y = 2, ...)') and '# what it does\n  x   +   y' in text
    assert '# what it does' in inspect.html and '# what it does' in inspect.markdown
    assert inspect('later <- function(a, b) 1\nlater(‸') == 'later(a, b)'
    assert inspect('x <- f(1, ‸', level=1).startswith('f(x, y = 2, ...)')
    inspect.run('options(keep.source = FALSE)')
    inspect.run('g <- function(x) x<1; l <- list(h = g)')
    assert 'function (x)' in inspect('g', level=1) and 'x&lt;1' in inspect.html.replace(' ', '')
    assert inspect('l$h') == 'h(x)'


def test_source_of_a_package(inspect):
    text = inspect('sd', level=1)
    assert 'Source:' in text and 'sqrt(var(' in text and 'Standard Deviation' in text
    assert 'UseMethod("mean")' in inspect('mean', level=1)
    assert '.Primitive("sum")' in inspect('sum', level=1) and 'Sum of Vector Elements' in inspect('sum')


def test_words_of_the_language(inspect):
    assert 'Control Flow' in inspect('if') and 'Control Flow' in inspect('for‸ (i in x) 1')


def test_package_that_is_not_loaded(inspect):
    assert 'Linear Discriminant Analysis' in inspect('MASS::lda')
    assert 'Linear Discriminant Analysis' in inspect('MASS::lda(‸')
    assert 'MASS' not in inspect.value('loadedNamespaces()')


def test_data(inspect):
    inspect.run('d <- data.frame(n = c(1.5, NA), s = c("a", "b"), f = factor(c("u", "v")), t = as.Date("2024-02-29") + 0:1)\n'
                'l <- list(a = 1L, b = list(c = TRUE, d = NULL), `e f` = quote(x + y)); p <- .POSIXct(0, "UTC")\n'
                'm <- matrix(1:6, 2); e <- new.env(); e$x <- 1; v <- c(a = 1i); n <- NULL; z <- character(); neg <- structure(-1, class = "Date")')
    text = inspect('d')
    assert "'data.frame': 2 obs. of 4 variables" in text
    assert ' $ n: num [1:2] 1.5 NA' in text and ' $ s: chr [1:2] "a" "b"' in text
    assert ' $ f: Factor w/ 2 levels "u","v": 1 2' in text and '"2024-02-29" "2024-03-01"' in text
    assert 'obs. of' in inspect.html and inspect.markdown.startswith('```')
    assert 'List of 3' in inspect('l') and '$ c: logi TRUE' in inspect('l') and '$ d: NULL' in inspect('l')
    assert inspect('l$b$c') == 'c: logi TRUE' and inspect('l‸$b$c').startswith('l: List')
    assert inspect('m') == 'm: int [1:2, 1:3] 1 2 3 4 5 6'
    assert '<environment> with 1 object' in inspect('e') and '$ x: num 1' in inspect('e')
    assert '1970-01-01 00:00:00' in inspect('p') and '1969-12-31' in inspect('neg')
    assert inspect('n') == 'n: NULL' and inspect('z') == 'z: chr(0)'
    assert "'data.frame': 32 obs. of 11 variables" in inspect('mtcars') and inspect('datasets::mtcars')


def test_s4_and_r6(inspect):
    inspect.run('setClass("P", representation(name = "character")); p <- new("P", name = "a")\n'
                'o <- R6::R6Class("C", public = list(x = 1))$new()')
    assert "Formal class 'P'" in inspect('p') and '@ name: chr "a"' in inspect('p') and inspect('p@name') == 'name: chr "a"'
    assert "'C'" in inspect('o') and '$ x: num 1' in inspect('o')


def test_large_data_is_quick_and_small(inspect):
    inspect.run('wide <- as.data.frame(matrix("a long text <&> with quotes \\"", 100, 500)); big <- 1:1e9; s <- strrep("ä", 1e7)\n'
                'deep <- list(); for (i in 1:5000) deep <- list(deep); many <- as.list(1:1e6); lazy <- as.character(1:1e7)')
    inspect('wide')
    for name in ('wide', 'big', 's', 'deep', 'many', 'lazy'):
        before = time.monotonic()
        text = inspect(name)
        assert time.monotonic() - before < 20 and 0 < len(text.encode()) < 100_000, name
    assert '500 variables' in inspect('wide') and inspect('wide').endswith(' more]')
    assert inspect('big').startswith('big: int [1:1000000000] 1 2 3')
    assert inspect.value('gc()[2, 2] < 1000') == '[1] TRUE'


def test_nothing_is_run(inspect):
    inspect.run('hits <- 0; hit <- function(...) { hits <<- hits + 1; list(inside = 1) }\n'
                'makeActiveBinding("active", hit, globalenv()); delayedAssign("promised", hit())\n'
                'e <- new.env(); makeActiveBinding("active", hit, e); delayedAssign("promised", hit(), assign.env = e)\n'
                'for (g in c("$", "[[", "print", "format", "length", "names", "dim", "str", "as.character", "summary", "levels"))\n'
                '  assign(paste0(g, ".touchy"), hit)\n'
                't <- structure(list(real = 1), class = "touchy"); u <- structure(1, class = "touchy")\n'
                'f <- structure(function(x = hit()) hit(), class = "touchy"); hits <- 0')
    for code in ('active', 'promised', 'e', 'e$active', 'e$promised', 'active$x', 't', 't$real', 'u', 'f', 'f(‸', 'e$active(‸', 'promised('):
        for level in (0, 1):
            inspect(code, level)
    assert inspect.value('hits') == '[1] 0'
    assert '<not evaluated>' in inspect('e') and inspect('active') is None


def test_state_of_r_is_left_alone(inspect):
    inspect.run('invisible(runif(1)); seed <- .Random.seed; 42')
    for code in ('mean', 'lm(', 'mtcars', 'MASS::lda', 'ggplot2::aes', 'nosuch::x'):
        inspect(code, 1)
    assert inspect.value('.Last.value') == '[1] 42'
    assert inspect.value('identical(seed, .Random.seed)') == '[1] TRUE'
    assert inspect.value('list.files(tempdir(), pattern = "^help")') == 'character(0)'
    assert inspect.value('any(c("MASS", "ggplot2") %in% loadedNamespaces())') == '[1] FALSE'


def test_pages_with_code_in_them(inspect):
    """\\Sexpr of a page is not run: ggplot2's and dplyr's badges would load other packages."""
    text = inspect('dplyr::mutate_all')
    assert 'Mutate multiple columns' in text and 'Sexpr' not in text and 'Sexpr' not in inspect.markdown
    assert re.search(r'lifecycle|dplyr', inspect.value('paste(loadedNamespaces(), collapse = " ")')) is None


@pytest.mark.parametrize('code', ['f((((', '}}}mean', 'x <- )\nmean', '"', "r'(", '`', 'a$b$$', '::', '[[', '%', '\\', 'if (', '\x00mean', '$'])
def test_half_typed_code_has_an_answer(inspect, code):
    inspect(code)


def test_strange_requests(inspect):
    for content in ({}, {'code': 3, 'cursor_pos': 'x', 'detail_level': 'y'}, {'code': 'mean', 'cursor_pos': 10 ** 6}, {'code': [], 'cursor_pos': {}}):
        assert inspect.client.ask('inspect_request', content)['status'] == 'ok', content
