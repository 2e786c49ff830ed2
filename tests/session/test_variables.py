"""The variables comm, from a client that knows Positron's contract (variables-backend and -frontend) and nothing else."""
import random
import subprocess
import time

import pytest

KINDS = {'boolean', 'bytes', 'class', 'collection', 'empty', 'function', 'map', 'number', 'other', 'string', 'table', 'lazy', 'connection'}
FIELDS = {'access_key': str, 'display_name': str, 'display_value': str, 'display_type': str, 'type_info': str, 'size': int, 'kind': str,
          'length': int, 'has_children': bool, 'has_viewer': bool, 'is_truncated': bool, 'updated_time': int}


class Failure(Exception):
    pass


class Variables:
    """A Variables pane: what it knows comes from refresh and update alone."""

    def __init__(self, client, id='vars'):
        self.client, self.id = client, id
        self.model, self.version, self.events = {}, 0, []
        opened = client.request('comm_open', {'comm_id': id, 'target_name': 'positron.variables', 'data': {}})
        client.wait_idle(opened)
        self.take(opened)

    def take(self, request):
        """The events among what a request has caused; returns the rest."""
        rest = []
        for m in request.window():
            if m.type != 'comm_msg' or m.content['comm_id'] != self.id:
                continue
            data = m.content['data']
            if data.get('method') in ('refresh', 'update'):
                self.event(data['method'], data['params'])
            else:
                rest.append(data)
        return rest

    def event(self, method, params):
        self.events.append((method, params))
        assert params['version'] == self.version + 1
        self.version = params['version']
        if method == 'refresh':
            assert set(params) == {'variables', 'length', 'version'} and params['length'] == len(params['variables'])
            self.model, added = {}, params['variables']
        else:
            assert set(params) == {'assigned', 'unevaluated', 'removed', 'version'} and params['unevaluated'] == []
            added = params['assigned']
            for name in params['removed']:
                del self.model[name]
        for v in added:
            check(v)
            self.model[v['display_name']] = v

    def run(self, code, **more):
        cell = self.client.execute(code, stop_on_error=False, **more)
        self.events = []
        assert self.take(cell) == []
        return cell

    def ok(self, code):
        cell = self.run(code)
        assert cell.status == 'ok', cell.reply
        return cell

    def call(self, method, **params):
        request = self.client.request('comm_msg', {'comm_id': self.id, 'data': {'jsonrpc': '2.0', 'id': 'abc', 'method': method, 'params': params}})
        self.client.wait_idle(request)
        self.events = []
        [answer] = self.take(request)
        if 'error' in answer:
            assert set(answer) == {'error'} and set(answer['error']) == {'code', 'message', 'data'}
            raise Failure(answer['error']['code'], answer['error']['message'])
        assert set(answer) == {'method', 'result'}
        assert answer['method'] == ''.join(w.capitalize() for w in method.split('_')) + 'Reply'
        return answer['result']

    def inspect(self, *path):
        result = self.call('inspect', path=list(path))
        assert set(result) == {'children', 'length'}
        for v in result['children']:
            check(v)
        assert len({v['access_key'] for v in result['children']}) == len(result['children'])
        return result

    def children(self, *path):
        return {v['display_name']: v['display_value'] for v in self.inspect(*path)['children']}


def check(v):
    assert set(v) - {'size_is_minimum'} == set(FIELDS)
    for key, type in FIELDS.items():
        assert isinstance(v[key], type), (key, v)
    assert v['kind'] in KINDS and v['size'] >= 0 and v['length'] >= 0
    assert len(v['display_value']) <= 100 and (v['display_value'].endswith('…') or '\n' not in v['display_value'])


@pytest.fixture
def client(start):
    return start(session=None).client()


@pytest.fixture
def pane(client):
    return Variables(client)


LAZY = r'''
#include <stdio.h>
#include <stdlib.h>
#define R_NO_REMAP
#include <R.h>
#include <Rinternals.h>
#include <R_ext/Altrep.h>
static R_altrep_class_t real, text;
static R_xlen_t length(SEXP x) { abort(); }
static void *dataptr(SEXP x, Rboolean w) { abort(); }
static const void *dataptr_or_null(SEXP x) { abort(); }
static double elt(SEXP x, R_xlen_t i) { abort(); }
static SEXP string_elt(SEXP x, R_xlen_t i) { abort(); }
static SEXP duplicate(SEXP x, Rboolean deep) { abort(); }
SEXP lazy(SEXP what)
{
	return R_new_altrep(Rf_asLogical(what) ? text : real, R_NilValue, R_NilValue);
}
/* As it is: R's own functions would look at the vectors. */
SEXP attribute(SEXP x, SEXP name, SEXP value)
{
	SEXP cell = PROTECT(Rf_cons(value, ATTRIB(x)));
	SET_TAG(cell, Rf_installChar(STRING_ELT(name, 0)));
	SET_ATTRIB(x, cell);
	if (TAG(cell) == R_ClassSymbol)
		SET_OBJECT(x, 1);
	UNPROTECT(1);
	return x;
}
SEXP address(SEXP x) { char s[32]; snprintf(s, 32, "%p", DATAPTR(x)); return Rf_mkString(s); }
void R_init_lazy(DllInfo *dll)
{
	real = R_make_altreal_class("lazy_real", "lazypkg", dll);
	R_set_altrep_Length_method(real, length);
	R_set_altrep_Duplicate_method(real, duplicate);
	R_set_altvec_Dataptr_method(real, dataptr);
	R_set_altvec_Dataptr_or_null_method(real, dataptr_or_null);
	R_set_altreal_Elt_method(real, elt);
	text = R_make_altstring_class("lazy_text", "lazypkg", dll);
	R_set_altrep_Length_method(text, length);
	R_set_altvec_Dataptr_method(text, dataptr);
	R_set_altstring_Elt_method(text, string_elt);
}
'''


@pytest.fixture(scope='session')
def library(tmp_path_factory):
    place = tmp_path_factory.mktemp('lazy')
    (place / 'lazy.c').write_text(LAZY)
    subprocess.run(['R', 'CMD', 'SHLIB', 'lazy.c'], cwd=place, check=True, capture_output=True)
    return f'dyn.load("{place}/lazy.so"); '


# ---- the contract

def test_refresh_comes_first(client):
    client.execute('x <- 1; y <- "a"; .hidden <- 2')
    pane = Variables(client)
    assert [m for m, _ in pane.events] == ['refresh'] and set(pane.model) == {'x', 'y'}
    assert client.ask('comm_info_request', {})['comms'] == {'vars': {'target_name': 'positron.variables'}}


def test_updates(pane):
    pane.ok('x <- 1; y <- 2')
    assert [m for m, _ in pane.events] == ['update'] and set(pane.model) == {'x', 'y'}
    pane.ok('1 + 1')
    assert pane.events == []
    pane.ok('y <- 3; rm(x); z <- y')
    assert [v['display_name'] for v in pane.events[0][1]['assigned']] == ['y', 'z'] and pane.events[0][1]['removed'] == ['x']
    assert pane.run('y <- 4; stop("x")').status == 'error'
    assert pane.model['y']['display_value'] == '4'


def test_updates_belong_to_the_request_and_come_before_its_reply(client):
    Variables(client)
    cell = client.execute('cat("a\\n"); x <- 1')
    assert cell.story()[:2] == ['out:a\n', 'comm_msg']
    assert client.execute('x <- 2', silent=True).of_type('comm_msg')


def test_list(pane):
    pane.ok('b <- 1; a <- 2; B <- 3')
    result = pane.call('list')
    assert [v['display_name'] for v in result['variables']] == ['B', 'a', 'b'] and result['length'] == 3
    assert result['version'] == pane.version
    assert all(v['updated_time'] > 1.5e12 for v in result['variables'])


def test_delete_and_clear(pane):
    pane.ok('x <- 1; y <- 2; z <- 3; .h <- 4; set.seed(1)')
    assert pane.call('delete', names=['x', 'nothing', 'y']) == ['x', 'y']
    assert set(pane.model) == {'z'}
    pane.call('clear', include_hidden_objects=False)
    assert pane.model == {} and set(pane.ok('cat(ls(all.names = TRUE))').stdout.split()) == {'.Random.seed', '.h'}
    pane.call('clear', include_hidden_objects=True)
    assert pane.ok('cat(ls(all.names = TRUE))').stdout == '.Random.seed'


def test_errors(pane):
    pane.ok('x <- 1')
    for code, method, params in ((-32601, 'no_such', {}), (-32602, 'inspect', {}), (-32602, 'inspect', {'path': []}),
                                 (-32602, 'inspect', {'path': [1]}), (-32602, 'inspect', {'path': ['nobody']}),
                                 (-32602, 'inspect', {'path': ['x', '0', '0']}), (-32602, 'delete', {'names': 'x'}),
                                 (-32602, 'clipboard_format', {'path': ['x'], 'format': 'image/png'}),
                                 (-32602, 'query_table_summary', {'path': ['x'], 'query_types': []}), (-32603, 'view', {'path': ['x']})):
        with pytest.raises(Failure) as failure:
            pane.call(method, **params)
        assert failure.value.args[0] == code, (method, failure.value)
    for data in ({}, {'id': '1'}, {'id': 1, 'method': 7}, {'id': '1', 'method': 'list', 'params': [1]}, {'method': 'list'}, 'text', None, [1]):
        request = pane.client.request('comm_msg', {'comm_id': 'vars', 'data': data})
        pane.client.wait_idle(request)
        assert all('error' in d for d in pane.take(request))
    assert set(pane.model) == {'x'} and pane.call('list')['length'] == 1


def test_inspect(pane):
    pane.ok('''l <- list(a = 1, 2, b = list(c = "x")); df <- data.frame(u = 1:2, v = c("p", "q")); m <- matrix(1:6, 2, dimnames = list(NULL, c("i", "j", "k")))
        e <- new.env(); e$z <- 1; e$y <- "s"; v <- c(one = 1, two = 2.5); f <- factor(c("lo", "hi")); pl <- pairlist(a = 1, 2)
        setClass("P", representation(name = "character")); p <- new("P", name = "n"); d <- as.Date("2020-01-01") + 0:1''')
    assert pane.children('l') == {'a': '1', '[[2]]': '2', 'b': '[c = "x"]'}
    assert pane.children('l', '2') == {'c': '"x"'}
    assert pane.children('df') == {'u': '1 2', 'v': '"p" "q"'}
    assert pane.children('df', '1') == {'[1]': '"p"', '[2]': '"q"'}
    assert pane.children('m') == {'i': '1 2', 'j': '3 4', 'k': '5 6'}
    assert pane.children('m', '1') == {'[1, ]': '3', '[2, ]': '4'}
    assert pane.children('e') == {'y': '"s"', 'z': '1'}
    assert pane.children('v') == {'one': '1', 'two': '2.5'}
    assert pane.children('f') == {'[1]': 'lo', '[2]': 'hi'}
    assert pane.children('pl') == {'a': '1', '[[2]]': '2'}
    assert pane.children('p') == {'name': '"n"'}
    assert pane.children('d') == {'[1]': '2020-01-01', '[2]': '2020-01-02'}
    pane.ok('big <- as.list(1:5000)')
    result = pane.inspect('big')
    assert len(result['children']) == 1000 and result['length'] == 5000


def test_clipboard(pane):
    pane.ok('df <- data.frame(a = 1:2, b = c("x<y", "z")); f <- function(x) x + 1; v <- c(1.5, 2); l <- list(p = c(7, 8, 9)); m <- matrix(1:4, 2)')
    text = lambda *path, format='text/plain': pane.call('clipboard_format', path=list(path), format=format)  # noqa: E731
    assert text('df') == {'format': 'text/plain', 'content': 'a\tb\n1\tx<y\n2\tz'}
    html = text('df', format='text/html')
    assert html['format'] == 'text/html' and '<td>x&lt;y</td>' in html['content']
    assert 'x + 1' in text('f')['content'] and text('v')['content'] == '1.5 2.0' and text('l', '0')['content'] == '7 8 9'
    assert text('v', '0')['content'] == '1.5' and text('m', '1')['content'] == '3 4'


def test_table_summary(pane):
    import json
    pane.ok('df <- data.frame(n = c(1, NA, 4), s = c("a", "", "a"), b = c(TRUE, FALSE, NA), d = as.Date("2020-01-01") + 0:2)')
    result = pane.call('query_table_summary', path=['df'], query_types=['summary_stats'])
    assert (result['num_rows'], result['num_columns']) == (3, 4)
    schemas, profiles = [[json.loads(s) for s in result[key]] for key in ('column_schemas', 'column_profiles')]
    assert [s['column_name'] for s in schemas] == ['n', 's', 'b', 'd'] and [s['type_display'] for s in schemas] == ['number', 'string', 'boolean', 'date']
    stats = [p['summary_stats'] for p in profiles]
    assert stats[0]['number_stats'] == {'min_value': '1', 'max_value': '4', 'mean': '2.5', 'median': '2.5', 'stdev': '2.12132'}
    assert stats[1]['string_stats'] == {'num_empty': 1, 'num_unique': 2} and stats[2]['boolean_stats'] == {'true_count': 1, 'false_count': 1}
    assert pane.call('query_table_summary', path=['df'], query_types=[])['column_profiles'] == []


# ---- what is shown

SHOWN = [  # R code, display value, display type, kind, length, children
    ('1', '1', 'dbl', 'number', 1, False), ('1L', '1', 'int', 'number', 1, False), ('TRUE', 'TRUE', 'lgl', 'boolean', 1, False),
    ('"a\\"\\n\\u00e9"', '"a\\"\\né"', 'str', 'string', 1, False), ('as.raw(255)', 'ff', 'raw', 'bytes', 1, False),
    ('1+2i', '1+2i', 'cplx', 'number', 1, False), ('NA', 'NA', 'lgl', 'empty', 1, False), ('NA_character_', 'NA', 'str', 'empty', 1, False),
    ('NULL', 'NULL', 'NULL', 'empty', 0, False), ('c(1.5, NA, 1e10)', '1.5 NA 1e+10', 'dbl [3]', 'collection', 3, True),
    ('character()', 'character(0)', 'str [0]', 'collection', 0, False), ('factor(c("b", "a", NA))', 'b a NA', 'fct(2) [3]', 'collection', 3, True),
    ('factor("b")', 'b', 'fct(1)', 'string', 1, False), ('as.Date("2020-02-03")', '2020-02-03', 'Date', 'number', 1, False),
    ('as.POSIXct("2020-02-03 04:05:06", tz = "UTC")', '2020-02-03 04:05:06', 'POSIXct', 'number', 1, False),
    ('as.POSIXlt("2020-02-03", tz = "UTC")', '2020-02-03', None, 'map', None, True),
    ('matrix(1:6, 2)', '[2 rows x 3 columns] matrix', 'int [2, 3]', 'table', 3, True),
    ('data.frame(a = 1)', '[1 row x 1 column] data.frame', 'data.frame [1, 1]', 'table', 1, True),
    ('tibble::tibble(a = 1:2)', '[2 rows x 1 column] tbl_df', 'tbl_df [2, 1]', 'table', 1, True),
    ('list(1, b = "x")', '[1, b = "x"]', 'list [2]', 'map', 2, True), ('list()', '[]', 'list [0]', 'map', 0, False),
    ('function(x, y = 2, ...) NULL', 'function(x, y = 2, ...)', 'function', 'function', 0, False),
    ('sum', None, 'function', 'function', 0, False), ('`if`', None, 'function', 'function', 0, False),
    ('quote(f(x, y = 1) + z)', 'f(x, y = 1) + z', 'language', 'other', 0, False), ('quote(x)', 'x', 'symbol', 'other', 0, False),
    ('quote(`a b`$c[[1]])', '`a b`$c[[1]]', 'language', 'other', 0, False), ('y ~ x + log(z)', 'y ~ x + log(z)', 'formula', 'other', 0, False),
    ('quote(if (a) -b else { c; !d })', 'if (a) -b else { c; !d }', 'language', 'other', 0, False),
    ('expression(a, b + 1)', '[a, b + 1]', 'expression [2]', 'map', 2, True), ('quote(expr = )', '<missing argument>', 'missing', 'empty', 0, False),
    ('pairlist(a = 1, 2)', '[a = 1, 2]', 'pairlist', 'map', 2, True), ('new.env()', 'Empty Environment [0 values]', 'environment', 'map', 0, False),
    ('list2env(list(b = 1, a = 2))', '{a, b}', 'environment', 'map', 2, True), ('globalenv()', '<R_GlobalEnv>', 'environment', 'map', None, True),
    ('1:1000000', None, 'int [1000000]', 'collection', 1000000, True), ('as.character(1:3)', '"1" "2" "3"', 'str [3]', 'collection', 3, None),
    ('structure(list(a = 1), class = c("k", "l"))', '[a = 1]', 'k [1]', 'map', 1, True), ('structure(1, class = "k")', '1', 'k', 'number', 1, False),
    ('setClass("Q", representation(u = "numeric")); x <- new("Q", u = 1)', '<Q: u = 1>', 'Q', 'map', 1, True),
    ('R6::R6Class("P", list(n = 1, f = function() 1))$new()', '<P> {clone, f, n}', 'P', 'map', None, True),
    ('R6::R6Class("P")', None, 'R6ClassGenerator', 'class', None, True), ('stdout()', None, 'terminal', 'other', 1, False),
    ('structure(function(x) 1, class = c("S7_class", "S7_object"))', 'function(x)', 'S7_class', 'class', 0, False),
    ('local({ o <- asS4(1); attributes(o) <- NULL; o }); x <- getClass("numeric")', None, 'classRepresentation', 'map', None, True),
    ('compiler:::compile(quote(1 + 1))', '<bytecode>', 'bytecode', 'other', 0, False), ('numeric_version("1.2.3")', None, None, 'map', 1, True),
    ('as.difftime(5, units = "mins")', '5 mins', 'difftime', 'number', 1, False), ('array(1:8, c(2, 2, 2))', '1 2 3 4 5 6 7 8', 'int [8]', 'collection', 8, True),
]


@pytest.mark.parametrize('package', ['R6', 'tibble'])
def test_packages_of_these_tests(package):
    assert subprocess.run(['Rscript', '-e', f'library({package})'], capture_output=True).returncode == 0


def test_all_kinds(pane):
    for code, value, type, kind, length, children in SHOWN:
        pane.ok('rm(list = ls())\nx <- ' + code)
        v = pane.model['x']
        for got, wanted in ((v['display_value'], value), (v['display_type'], type), (v['kind'], kind), (v['length'], length), (v['has_children'], children)):
            assert wanted is None or got == wanted, (code, v)
        assert v['display_value'] and '??' not in v['display_value']
        if v['has_children']:
            assert pane.inspect('x')['length'] > 0


def test_numbers_agree_with_format(pane):
    pane.ok('set.seed(3); x <- c(1e5, 123456, 1e-5, 0.0001, 1e15, 1e16, 100000, 0.1 + 0.2, 1/3, -1e-300, 2^31, 5e-324, 1.10, 99999.99, 1234567.8, runif(40) * 10^sample(-12:12, 40, TRUE))')
    wanted = pane.ok('cat(sapply(x, format), sep = "\\n")').stdout.split()
    assert list(pane.children('x').values()) == wanted
    pane.ok('options(digits = 4); y <- pi * 1000')
    assert pane.model['y']['display_value'] == '3142'


def test_sizes_agree_with_object_size(pane):
    names = {'a': '1', 'b': 'runif(100)', 'c': 'letters', 'd': 'mtcars', 'e': 'list(1, list("x", 2L))', 'f': 'factor(letters)', 'g': 'raw(17)',
             'h': 'c(x = TRUE)', 'i': 'rep("same", 50)', 'j': 'quote(f(x, 1))', 'k': 'NULL', 'l': 'new.env()', 'm': 'as.list(1:100)'}
    pane.ok('; '.join(f'{n} <- {code}' for n, code in names.items()))
    assert len(pane.model) == len(names)
    truth = pane.ok('for (n in ls()) cat(n, object.size(get(n)), "\\n")').stdout.split()
    truth = dict(zip(truth[::2], map(int, truth[1::2])))
    assert {n: v['size'] for n, v in pane.model.items() if n in names} == truth
    pane.ok('big <- as.list(seq_len(1e6))')
    assert pane.model['big']['size_is_minimum'] is True and pane.model['big']['size'] > 1000000


def test_text_is_cut_at_characters(pane):
    pane.ok('a <- strrep("é", 300); b <- strrep("a\\u0301", 150); c <- strrep("\\U1F468\\u200d\\U1F469\\u200d\\U1F467", 120); d <- rawToChar(as.raw(c(0x61, 0xe9, 0x62)))')
    pane.ok('e <- iconv("\\u00fc", "UTF-8", "latin1"); f <- "x"; Encoding(f) <- "bytes"; g <- rawToChar(as.raw(0xff)); Encoding(g) <- "bytes"')
    for name in 'abc':
        assert pane.model[name]['is_truncated']
    assert pane.model['a']['display_value'].rstrip('…') == '"' + 'é' * 98
    assert not pane.model['c']['display_value'].rstrip('…').endswith('\u200d')
    assert pane.model['d']['display_value'] == '"a\\\\xe9b"' and pane.model['e']['display_value'] == '"ü"'
    pane.ok('`strange name é\n` <- 1; assign("\\"", 2)')
    assert {'strange name é\n', '"'} <= set(pane.model)


# ---- looking never touches

def test_promises_and_active_bindings_are_not_run(pane):
    pane.ok('''n <- 0; delayedAssign("p", { n <<- n + 1; 5 }); makeActiveBinding("a", function() { n <<- n + 1; 6 }, globalenv())
        e <- new.env(); delayedAssign("q", { n <<- n + 1; 7 }, assign.env = e); makeActiveBinding("b", function() { n <<- n + 1 }, e)
        r6 <- R6::R6Class("K", list(x = 1), active = list(act = function() n <<- n + 1))$new(); f <- function(z) environment(); g <- f(n <- n + 1)''')
    assert pane.model['p']['kind'] == 'lazy' and pane.model['p']['display_value'] == '{ n <<- n + 1; 5 }' and pane.model['a']['display_type'] == 'active binding'
    pane.call('list')
    for path in (['p'], ['a'], ['e'], ['e', 'q'], ['e', 'b'], ['r6'], ['r6', 'act'], ['g'], ['g', 'z']):
        pane.inspect(*path)
    pane.ok('x <- 1')
    assert pane.ok('cat(n)').stdout == '0'
    pane.ok('p')
    assert pane.model['p']['display_value'] == '5'


def test_lazy_vectors_are_not_expanded(pane, library):
    pane.ok(library + '''set <- function(x, n, v) invisible(.Call("attribute", x, n, v)); lazy <- function(text = FALSE) .Call("lazy", text)
        x <- lazy(); s <- lazy(TRUE); l <- list(a = x, s = s); e <- new.env(); e$x <- x; q <- call("f", x, s)
        d <- set(set(set(list(x, s), "names", c("a", "b")), "row.names", c(NA, -3L)), "class", "data.frame")
        k <- set(set(set(list(1), "names", lazy(TRUE)), "row.names", x), "class", "data.frame"); y <- set(1:10 + 0L, "lazy", x)
        c <- set(lazy(), "class", "Date"); f <- set(set(1:2 + 0L, "levels", lazy(TRUE)), "class", "factor"); z <- set(1:2 + 0, "class", lazy(TRUE))
        m <- set(lazy(), "dim", c(2L, 3L)); n <- set(1:6 + 0L, "dim", x); o <- set(1, "names", s)''')
    assert pane.model['x']['display_type'] == 'dbl [?]' and 'lazypkg::lazy_real' in pane.model['x']['type_info']
    assert pane.model['d']['display_value'] == '[3 rows x 2 columns] data.frame'
    pane.call('list')
    for path in (['x'], ['l'], ['l', '0'], ['d'], ['d', '0'], ['k'], ['e'], ['e', 'x'], ['y'], ['c'], ['q'], ['f'], ['z'], ['m'], ['n'], ['o']):
        pane.inspect(*path)
    pane.ok('new <- 2; rm(x)')
    assert pane.ok('cat("alive")').stdout == 'alive'


def test_no_reference_is_kept(pane, library):
    pane.ok(library + 'address <- function(x) .Call("address", x); x <- numeric(1e7); l <- list(a = numeric(1e6), b = list(numeric(1e6))); '
            'd <- structure(numeric(1e6), class = "Date"); e <- new.env(); e$v <- numeric(1e6); df <- data.frame(a = numeric(1e6))')
    places = '.Call("address", x), .Call("address", l$a), .Call("address", l$b[[1]]), .Call("address", d), .Call("address", e$v)'
    change = 'x[1] <- x[1] + 1; l$a[1] <- 1; l$b[[1]][1] <- 1; d[1] <- d[1]; e$v[1] <- 2\n'
    pane.ok(change)
    before = pane.ok(f'cat({places})').stdout
    for look in (lambda: None, lambda: pane.call('list'), lambda: pane.inspect('x'), lambda: pane.inspect('l', '0'), lambda: pane.inspect('l', '1'),
                 lambda: pane.inspect('e'), lambda: pane.inspect('d')):
        look()
        assert pane.ok(change + f'cat({places.replace(", .Call(#address#, d)", "")})').stdout.split()[:3] == before.split()[:3]
        assert pane.ok(f'cat({places})').stdout.split()[4] == before.split()[4]
    pane.ok('tracemem(x)')
    pane.call('list')
    assert 'tracemem' not in pane.ok('x[2] <- 5').stdout


def test_values_are_not_kept_alive(pane):
    pane.ok('e <- new.env(); reg.finalizer(e, function(e) cat("gone")); l <- list(e)')
    pane.call('list')
    pane.inspect('l')
    assert pane.ok('rm(e, l); invisible(gc())').stdout == 'gone'


def test_what_user_code_sees_is_left_alone(pane):
    pane.ok('set.seed(1); s <- .Random.seed; format.loud <- function(x, ...) { cat("LOUD"); warning("W"); runif(1); options(digits = 3); "loud" }')
    cell = pane.ok('x <- structure(1, class = "loud")')
    assert cell.stdout == cell.stderr == '' and pane.model['x']['display_value'] == 'loud'
    cell = pane.ok('stopifnot(identical(s, .Random.seed)); warnings()')
    assert cell.stderr == '' and 'W' not in cell.stdout


def test_methods_that_fail(pane):
    pane.ok('format.bad <- function(x, ...) stop("no"); x <- structure(3, class = "bad")')
    assert pane.model['x']['display_value'] == '3'
    pane.ok('format.bad <- function(x, ...) invokeRestart("abort"); y <- structure(4, class = "bad"); z <- 1')
    pane.ok('rm(y); format.bad <- function(x, ...) "ok"; z <- 2')
    assert pane.model['z']['display_value'] == '2' and 'y' not in pane.model


def test_a_method_that_hangs_does_so_once(pane):
    pane.ok('format.slow <- function(x, ...) repeat {}; format.fine <- function(x, ...) "fine"; x <- structure(5, class = "slow"); y <- 1')
    begin = time.monotonic()
    pane.ok('y <- 2')
    assert pane.model['x']['display_value'] == '5' and pane.model['y']['display_value'] == '2'
    pane.ok('y <- 3')
    assert time.monotonic() - begin < 30


# ---- large, deep, and circular things

def test_deep_and_circular_structures(pane):
    begin = time.monotonic()
    pane.ok('''l <- NULL; for (i in 1:1000000) l <- list(l)
        e <- new.env(); e$self <- e; e$l <- list(e, list(e)); web <- new.env(); attr(e, "me") <- e
        make <- function() structure(new.env(hash = FALSE), class = c("Node", "R6"))
        nodes <- lapply(1:100000, function(i) make()); for (i in 1:99999) { nodes[[i]]$nxt <- nodes[[i + 1L]]; nodes[[i]]$first <- nodes[[1L]] }
        web <- nodes[[1L]]; q <- quote(x); for (i in 1:5000) q <- call("f", q)
        p <- NULL; for (i in 1:100000) p <- pairlist(p)''')
    setup = time.monotonic()
    assert pane.model['l']['is_truncated'] and pane.model['l']['display_value'].startswith('[[[')
    assert pane.inspect('e', 'self', 'self', 'l', '0')['length'] == 2
    pane.inspect('web', 'nxt', 'nxt')
    pane.inspect('l', '0', '0')
    pane.call('list')
    pane.ok('x <- 1')
    assert time.monotonic() - setup < max(5, setup - begin)
    pane.ok('rm(l, p); x <- 2')
    assert pane.model['x']['display_value'] == '2'


def test_the_c_stack_overflows_while_variables_are_shown(pane):
    """A format method that recurses for ever: the value is shown without it, and the next cell runs."""
    pane.ok('format.deep <- function(x, ...) format(x); x <- structure(1, class = "deep")')
    assert pane.model['x']['display_value'] == '1'
    assert pane.ok('cat("on")').stdout == 'on'


def test_ten_thousand_variables(pane):
    pane.ok('for (i in 1:10000) assign(sprintf("v%05d", i), i)')
    assert len(pane.model) == 10001
    pane.ok('v00500 <- "x"')
    assert [v['display_name'] for v in pane.events[0][1]['assigned']] == ['v00500'] and pane.events[0][1]['removed'] == []
    pane.ok('rm(v00001)')
    assert pane.events[0][1]['removed'] == ['v00001'] and pane.events[0][1]['assigned'] == []


# ---- the model a client keeps

TRUTH = r'''.show <- function(x) {
    if (is.list(x)) {
        n <- names(x); inner <- vapply(x, .show, "")
        paste0("[", paste0(if (is.null(n)) "" else ifelse(nzchar(n), paste0(n, " = "), ""), inner, collapse = ", "), "]")
    } else if (is.character(x)) paste(ifelse(is.na(x), "NA", encodeString(x, quote = '"')), collapse = " ")
    else if (is.environment(x)) paste0("{", paste(ls(x), collapse = ", "), "}")
    else paste(vapply(seq_along(x), function(i) format(x[[i]]), ""), collapse = " ")
}
.truth <- function() for (n in ls(globalenv())) { x <- get(n, globalenv()); cat(n, "\t", .show(x), "\t", length(x), "\t", object.size(x), "\n", sep = "") }'''

MUTATIONS = [
    '{v} <- {n}', '{v} <- "{w} {n}"', '{v} <- c(1, {n}, NA)', '{v} <- list(a = {n}, b = "{w}")', '{v} <- list(a = list(x = {n}, y = 1:3), b = 2)',
    'if (is.list({v}) && !is.null({v}$a)) {v}$a <- {n}', 'if (is.list({v}) && is.list({v}$a)) {v}$a$x <- {n}', 'if (is.numeric({v})) {v}[1] <- {n}',
    'if (is.numeric({v})) {v}[length({v}) + 1] <- {n}', 'if (is.character({v})) {v} <- c({v}, "z{n}")', 'if (exists("{v}")) rm({v})', '{v} <- {w}', '{w} <- {v}',
    'if (is.numeric({v})) names({v}) <- NULL', 'if (is.character({v})) {v}[1] <- "{n}"', 'if (is.list({v})) {v}[[length({v}) + 1]] <- {n}',
    'if (is.list({v}) && length({v})) {v}[[1]] <- NULL', '{v} <- new.env(); {v}$k{n} <- 1', 'if (is.environment({v})) {v}$m{n} <- {n}',
    'local({{ u <- {v}; u[1] <- 3 }})', '{v} <- c(TRUE, NA)', '{v} <- {n}L:({n}L + 3L)', 'if (is.list({v})) attr({v}, "note") <- {n}',
    'for (i in 1:3) {v} <- i', '{v} <- {v}', 'stop("{n}")', 'if (is.list({v}) && is.list({v}$a) && is.numeric({v}$a$y)) {v}$a$y[2] <- {n}']


@pytest.mark.parametrize('seed', range(3))
def test_a_hundred_mutations(pane, seed):
    rnd = random.Random(seed)
    pane.ok(TRUTH)
    for i in range(100):
        for _ in range(rnd.randint(1, 3)):
            v, w = rnd.sample(['x', 'y', 'z', 'u'], 2)
            code = rnd.choice(MUTATIONS).format(v=v, w=w, n=rnd.randint(1, 99))
            pane.run(code)
        truth = {}
        for line in pane.ok('.truth()').stdout.splitlines():
            name, shown, length, size = line.split('\t')
            truth[name] = (shown, int(length), int(size))
        model = {n: (v['display_value'], v['length'], v['size']) for n, v in pane.model.items()}
        assert {n: t for n, t in model.items() if not t[0].endswith('…')} == {n: truth[n] for n, t in model.items() if not t[0].endswith('…')}, code
        assert set(model) == set(truth)


# ---- options, the debugger, methods of packages

def test_last_value(pane):
    pane.ok('options(positron.show_last_value = TRUE)')
    pane.ok('40 + 2')
    assert pane.model['.Last.value']['display_value'] == '42'
    pane.ok('options(positron.show_last_value = FALSE)')
    assert '.Last.value' not in pane.model


def test_the_debuggers_environment(client):
    pane = Variables(client)
    pane.ok('x <- 1; f <- function(a) { inner <- 5; browser(); a }')
    cell = client.submit('f("arg")')
    question = client.wait_input(cell)
    client.wait(lambda: cell.of_type('comm_msg'), 'a refresh')
    pane.events = []
    pane.take(cell)
    assert pane.events[-1][0] == 'refresh' and set(pane.model) == {'a', 'inner'}
    client.answer(question, 'c')
    cell.wait()
    [m] = cell.of_type('comm_msg')[1:]
    pane.event(m['data']['method'], m['data']['params'])
    assert set(pane.model) == {'x', 'f'}


def test_methods_of_packages(pane):
    pane.ok('''reg <- getOption("jupyter.register_variable_method")
        reg("ark_positron_variable_display_value", "tensor", function(x, ..., width) "a tensor")
        reg("ark_positron_variable_display_type", "tensor", function(x, ..., include_length) "tensor [2]")
        reg("ark_positron_variable_kind", "tensor", function(x, ...) "collection")
        reg("ark_positron_variable_has_children", "tensor", function(x, ...) TRUE)
        reg("ark_positron_variable_get_children", "tensor", function(x, ...) list(first = 1, second = list(deep = 2)))
        reg("ark_positron_variable_get_child_at", "tensor", function(x, ..., index, name) list(1, list(deep = 2))[[index]])
        reg("ark_positron_variable_has_viewer", "tensor", function(x, ...) TRUE)
        reg("ark_positron_variable_view", "tensor", function(x, ...) "viewer-7")''')
    pane.ok('x <- structure(list(), class = c("sub", "tensor"))')
    v = pane.model['x']
    assert (v['display_value'], v['display_type'], v['kind'], v['has_children'], v['has_viewer']) == ('a tensor', 'tensor [2]', 'collection', True, True)
    children = pane.inspect('x')['children']
    assert [(c['access_key'], c['display_value']) for c in children] == [('custom-0-5-first', '1'), ('custom-1-6-second', '[deep = 2]')]
    assert pane.children('x', 'custom-1-6-second') == {'deep': '2'}
    assert pane.call('view', path=['x']) == 'viewer-7'
    with pytest.raises(Failure):
        pane.call('inspect', path=['x', 'custom-9-1-a'])


def test_two_panes(client):
    one, two = Variables(client, 'one'), Variables(client, 'two')
    cell = one.ok('x <- 1')
    two.take(cell)
    assert set(one.model) == set(two.model) == {'x'}
    client.wait_idle(client.request('comm_close', {'comm_id': 'one', 'data': {}}))
    two.ok('y <- 1')
    assert set(two.model) == {'x', 'y'} and set(one.model) == {'x'}


def test_after_a_crash_everything_is_sent(start):
    kernel = start(session=None).expect_log('')
    pane = Variables(kernel.client())
    pane.ok('x <- 1')
    cell = pane.run('y <- 2; tools::pskill(Sys.getpid(), 11)')
    assert cell.status == 'error'
    if 'vars' not in pane.client.ask('comm_info_request', {})['comms']:
        return  # no copy was parked: the comm has been closed
    pane.version -= 1
    cell = pane.client.execute('z <- 3')
    [m] = cell.of_type('comm_msg')
    assert m['data']['method'] == 'refresh' and {v['display_name'] for v in m['data']['params']['variables']} == {'x', 'z'}
