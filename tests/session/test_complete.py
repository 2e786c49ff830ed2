"""Completion as a client sees it: code with a cursor (‸) in, names and offsets out."""
import pytest

CURSOR = '‸'


class Completion:
    """One reply, checked for what holds for all of them."""

    def __init__(self, client, text):
        cursor = text.index(CURSOR) if CURSOR in text else len(text)
        self.code = text.replace(CURSOR, '')
        self.reply = client.ask('complete_request', {'code': self.code, 'cursor_pos': cursor})
        self.matches = self.reply['matches']
        self.start, self.end = self.reply['cursor_start'], self.reply['cursor_end']
        self.types = self.reply['metadata']['_jupyter_types_experimental']
        assert self.reply['status'] == 'ok' and len(self.matches) <= 300
        assert 0 <= self.start <= cursor <= self.end <= len(self.code)
        assert [t['text'] for t in self.types] == self.matches
        assert all((t['start'], t['end']) == (self.start, self.end) and t['type'] for t in self.types)

    def type(self, match):
        return self.types[self.matches.index(match)]['type']

    def applied(self, match):
        assert match in self.matches, self.matches
        return self.code[:self.start] + match + self.code[self.end:]


class Completer:
    def __init__(self, client):
        self.client = client

    def __call__(self, text):
        return Completion(self.client, text)

    def run(self, code):
        cell = self.client.execute(code)
        assert cell.status == 'ok', cell.reply
        return cell

    def value(self, code):
        return self.run(code).result


@pytest.fixture
def complete(start):
    return Completer(start(session=None).client())


def test_search_path(complete):
    c = complete('rnor')
    assert c.matches == ['rnorm'] and (c.start, c.end) == (0, 4) and c.type('rnorm') == 'function'
    assert complete('x <- 1 + data.fr').matches == ['data.frame']
    assert complete('mtca').type('mtcars') == 'instance'
    assert 'LETTERS' in complete('LET').matches
    assert complete('me‸an(1)').applied('median') == 'medianan(1)'  # what is behind the cursor stays


def test_first_in_the_same_case_then_in_any_then_anywhere(complete):
    assert complete('lett').matches == ['letters']
    assert 'LETTERS' not in complete('lette').matches
    assert complete('DATA.FR').matches == ['data.frame']
    assert 'read.csv' in complete('readcsv').matches
    assert 'read.csv' in complete('rdcsv').matches
    assert complete('nosuchthing').matches == []


def test_keywords(complete):
    c = complete('fun')
    assert 'function' in c.matches and '`function`' not in c.matches and c.type('function') == 'keyword'
    assert complete('repe').matches[-1] == 'repeat'


def test_globals_come_before_the_search_path(complete):
    complete.run('meadow <- 1; meal <- function(x) x; .mea <- 1')
    c = complete('mea')
    assert c.matches[:2] == ['meadow', 'meal'] and 'mean' in c.matches[2:] and '.mea' not in c.matches
    assert [t['type'] for t in c.types[:2]] == ['instance', 'function']
    assert c.types[1]['signature'] == '(x)'
    assert '.mea' in complete('.me').matches


def test_names_of_the_cell(complete):
    code = 'zeta1 <- 1\nzeta2 = function(zarg) {\n  zinner <- 2\n  for (zi in 1:3) z‸'
    assert {'zeta1', 'zeta2', 'zarg', 'zinner', 'zi'} <= set(complete(code).matches)
    assert complete(code).type('zeta2') == 'function'
    outside = complete('f <- function(zarg) { zinner <- 2 }\n5 -> zeta3\nz‸')
    assert 'zeta3' in outside.matches and not {'zarg', 'zinner'} & set(outside.matches)
    assert 'zlater' not in complete('z‸\nzlater <- 1').matches


def test_arguments_come_first(complete):
    c = complete('read.csv(s')
    assert c.matches[0] == 'sep = ' and c.type('sep = ') == 'param'
    assert complete('rnorm(').matches[:3] == ['n = ', 'mean = ', 'sd = ']
    assert complete('rnorm(5, ').matches[:2] == ['mean = ', 'sd = ']
    assert complete('rnorm(sd = 1, ‸, n = 3)').matches[0] == 'mean = '
    assert 'sd = ' not in complete('rnorm(sd = 1, ').matches
    assert complete('rnorm(me‸ = 3)').matches == ['mean']
    assert complete('rnorm(mean = me').type('mean') == 'function'
    assert 'n = ' not in complete('rnorm({ ').matches
    assert complete('sum(na').matches[0] == 'na.rm = '       # a primitive
    assert complete('stats::rnorm(me').matches[0] == 'mean = '
    assert complete('outer(1, rnorm(me').matches[0] == 'mean = '


def test_arguments_of_functions_of_the_cell_and_the_user(complete):
    complete.run('mine <- function(alpha, beta = 2, ...) 1; l <- list(f = function(gamma) 1)')
    assert complete('mine(').matches[:2] == ['alpha = ', 'beta = ']
    assert complete('l$f(').matches[0] == 'gamma = '
    assert complete('theirs <- function(delta) 1\ntheirs(').matches[0] == 'delta = '
    complete.run('odd <- function(`a b`, if_) 1')
    assert complete('odd(').matches[:2] == ['`a b` = ', 'if_ = ']


def test_arguments_of_the_method(complete):
    complete.run('d <- data.frame(a = 1); m <- lm(mpg ~ wt, mtcars); x <- structure(1, class = c("none", "mine"))\n'
                 'summary.mine <- function(object, own = 1, ...) 1')
    assert 'maxsum = ' in complete('summary(d, ').matches
    assert 'correlation = ' in complete('summary(m, cor').matches
    assert complete('summary(x, ').matches[0] == 'own = '
    assert complete('x |> summary(').matches[0] == 'own = '
    assert 'trim = ' in complete('y <- mean(mtcars$mpg, ').matches
    assert complete('seq(1, 2, len').matches[0].startswith('length')


def test_packages_that_are_loaded(complete):
    c = complete('stats::rnor')
    assert c.matches == ['rnorm'] and c.start == 7
    assert 'mtcars' in complete('datasets::mtc').matches
    assert 'paste' in complete('base::pas').matches
    assert complete('stats:::Pil').matches == ['Pillai']
    assert 'Pillai' not in complete('stats::Pil').matches
    assert complete('utils::').matches and complete('nosuchpackage::a').matches == []


def test_packages_that_are_installed(complete):
    assert 'makeCluster' in complete('parallel::make').matches
    assert complete('splines::').matches
    assert 'lda' in complete('MASS::').matches and 'Boston' in complete('MASS::Bos').matches
    loaded = complete.value('loadedNamespaces()')
    assert not any(p in loaded for p in ('splines', 'MASS', 'parallel'))


def test_library(complete):
    assert complete('library(spl').matches == ['splines']
    assert complete('library("spl').applied('splines"') == 'library("splines"'
    assert complete('library("spl‸")').applied('splines') == 'library("splines")'
    assert 'stats' in complete('require(').matches and complete('require(').type('stats') == 'module'
    assert complete("requireNamespace('spl").matches == ["splines'"]
    assert 'splines::' in complete('x <- splin').matches


def test_dollar(complete):
    complete.run('l <- list(a = 1, `b c` = list(deep = list(er = 2)), f = mean, `if` = 3); e <- new.env(); e$v <- 1; e$.h <- 2')
    c = complete('l$')
    assert c.matches == ['a', '`b c`', 'f', '`if`'] and c.start == 2 and c.type('f') == 'function'
    assert complete('print(l$`b c`$deep$‸)').matches == ['er']
    assert complete('l[["b c"]]$').matches == ['deep']
    assert complete('l[[2]]$d').matches == ['deep']
    assert complete('l$b').applied('`b c`') == 'l$`b c`'
    assert complete('l$`b').applied('`b c`') == 'l$`b c`'
    assert complete('l$`b‸` + 1').applied('`b c`') == 'l$`b c` + 1'
    assert complete('e$').matches == ['v'] and complete('e$.').matches == ['.h']
    assert 'mpg' in complete('mtcars$').matches and 'mpg' in complete('datasets::mtcars$').matches
    assert complete('mean$').matches == [] and complete('nosuch$').matches == [] and complete('f(l)$').matches == []


def test_dollar_of_r6(complete):
    complete.run('C <- R6::R6Class("C", public = list(x = 1, go = function(far) 1, initialize = function(first) 1),\n'
                 '  active = list(act = function() { hits <<- hits + 1 })); hits <- 0; o <- C$new(1); hits <- 0')
    assert {'x', 'go', 'act', 'clone'} <= set(complete('o$').matches)
    assert complete('o$go(').matches[0] == 'far = '
    assert complete('C$new(').matches[0] == 'first = '
    assert complete.value('hits') == '[1] 0'


def test_slots(complete):
    complete.run('setClass("P", representation(name = "character", age = "numeric")); p <- new("P", name = "a", age = 1)\n'
                 'R <- setRefClass("R", fields = list(field = "numeric"), methods = list(act = function() 1)); r <- R$new(field = 1)')
    assert complete('p@').matches == ['name', 'age'] and complete('p@na').matches == ['name']
    assert 'field' in complete('r$fi').matches
    assert complete('mtcars@').matches == []


def test_indexing(complete):
    complete.run('d <- data.frame(alpha = 1, `b c` = 2, check.names = FALSE); v <- c(one = 1, two = 2)\n'
                 'm <- matrix(1:4, 2, dimnames = list(c("r1", "r2"), c("c1", "c2")))')
    assert complete('d[["').applied('alpha"') == 'd[["alpha"'
    assert complete('d[["‸"]]').applied('b c') == 'd[["b c"]]'
    assert complete("d['al").matches == ["alpha'"]
    assert complete('d[1, c("alpha", "b').matches == ['b c"']
    assert complete('d[[').matches[:2] == ['"alpha"', '"b c"']
    assert complete('v["t').matches == ['two"'] and complete('v[').matches[:2] == ['"one"', '"two"']
    assert complete('m["').matches == ['r1"', 'r2"'] and complete('m[, "').matches == ['c1"', 'c2"']
    assert 'alpha' not in complete('d[').matches


def test_columns(complete):
    complete.run('d <- data.frame(alpha = 1, `a b` = 2, check.names = FALSE)')
    for code in ('d |> subset(al', 'd %>% filter(al', 'd |>\n  head() |>\n  transform(x = al', 'filter(d, al',
                 'd[d$alpha > 0, ] %>% select(al', 'ggplot(d, aes(al', 'ggplot(d) + geom_point(aes(x = al',
                 'd |> ggplot() + geom_line(aes(al', 'lm(y ~ al‸, data = d)', 'with(d, { al', 'geom_point(aes(al‸), data = d)'):
        c = complete(code)
        assert 'alpha' in c.matches, code
    assert complete('d |> subset(a').matches[:2] == ['alpha', '`a b`']
    assert 'alpha' not in complete('nrow(d) + al').matches


def test_data_table(complete):
    complete.run('dt <- data.table::data.table(alpha = 1, beta = 2)')
    assert complete('dt[al').matches[0] == 'alpha'
    assert 'beta' in complete('dt[alpha > 0, .(m = mean(be').matches
    assert complete('dt[, by = al').matches[0] == 'alpha'


def test_files(complete, tmp_path):
    (tmp_path / 'dir one').mkdir()
    (tmp_path / 'dir one' / 'größe.csv').write_text('')
    (tmp_path / 'data.csv').write_text('')
    (tmp_path / '.hidden').write_text('')
    (tmp_path / 'q"uote').write_text('')
    complete.run(f'setwd("{tmp_path}")')
    c = complete('read.csv("d')
    assert set(c.matches) == {'data.csv"', 'dir one/'} and (c.start, c.end) == (10, 11) and c.type('dir one/') == 'path'
    assert complete('read.csv("dir one/gr').applied('größe.csv"') == 'read.csv("dir one/größe.csv"'
    assert complete(f'read.csv("{tmp_path}/da').matches == ['data.csv"']
    assert complete('"./d‸"').matches == ['data.csv', 'dir one/']
    assert complete('"q').matches == ['q\\"uote"'] and complete("r'(q").matches == ['q"uote']
    assert complete('".h').matches == ['.hidden"'] and '.hidden"' not in complete('"').matches
    assert complete('"nosuch/x').matches == []


def test_files_at_home(complete):
    complete.run('dir.create("~/of-mine")')
    assert complete('"~').matches == ['~/']
    assert complete('"~/of').applied('of-mine/') == '"~/of-mine/'


def test_options_and_environment(complete):
    complete.run('options(my.own.option = 1); Sys.setenv(MY_OWN_VARIABLE = "1")')
    assert complete('options(my.own').matches == ['my.own.option = ']
    assert complete('getOption("my.o').matches == ['my.own.option"']
    assert complete('getOption(my.o').matches == ['"my.own.option"']
    assert complete('Sys.getenv("MY_OW').matches == ['MY_OWN_VARIABLE"']
    assert complete('Sys.setenv(MY_OW').matches == ['MY_OWN_VARIABLE = ']
    assert complete('Sys.unsetenv("MY_OW').matches == ['MY_OWN_VARIABLE"']


def test_offsets_are_code_points(complete):
    complete.run('größe <- 1; `smile 😀` <- 2; l <- list(`ñ 𐍈` = 1, é = 2)')
    c = complete('"😀𐍈é"; grö')
    assert c.matches == ['größe'] and (c.start, c.end) == (7, 10)
    assert complete('smi').applied('`smile 😀`') == '`smile 😀`'
    assert complete('😀 <- l$ñ').matches == ['`ñ 𐍈`']
    assert complete('# 😀😀\nl$‸ # 😀').applied('é') == '# 😀😀\nl$é # 😀'


def test_names_that_need_backticks(complete):
    complete.run('`my var` <- 1; `2nd` <- 2; `_x` <- 3; `back\\`tick` <- 4')
    assert complete('my').matches[0] == '`my var`'
    assert complete('`my').applied('`my var`') == '`my var`'
    assert complete('`my‸` + 1').applied('`my var`') == '`my var` + 1'
    assert complete('back').matches[0] == '`back\\`tick`' and complete('2n').matches == []


def test_where_nothing_is_due(complete):
    for code in ('# mea', 'x # mea', '12', '1e-', 'f(x)', 'function(mea', '"a"', 'mean(x) '):
        assert complete(code).matches == [], code


@pytest.mark.parametrize('code', ['', '‸)', 'f((((', '}}}mea', 'x <- )\nmea', '"', "r'(", '`', 'a$b$$', '::', ':::x', '@', '[[',
                                  'x[[[', '%', '\\', 'if (', 'function(', '\x00mea', 'ab\u2028', '$', 'x$`', '{{{', 'f(a = , '])
def test_half_typed_code_has_an_answer(complete, code):
    complete(code)


def test_strange_requests(complete):
    for content in ({}, {'code': 3, 'cursor_pos': 'x'}, {'code': 'mea', 'cursor_pos': 10 ** 6}, {'code': 'mea', 'cursor_pos': -5},
                    {'code': [], 'cursor_pos': {}}):
        assert complete.client.ask('complete_request', content)['status'] == 'ok', content


def test_nothing_is_run(complete):
    complete.run('hits <- 0\n'
                 'makeActiveBinding("active", function() { hits <<- hits + 1; list(inside = 1) }, globalenv())\n'
                 'delayedAssign("promised", { hits <- hits + 1; list(inside = 1) })\n'
                 'e <- new.env(); makeActiveBinding("active", function() { hits <<- hits + 1; list(inside = 1) }, e)\n'
                 'delayedAssign("promised", { hits <<- hits + 1; list(inside = 1) }, assign.env = e)\n'
                 '`$.touchy` <- function(x, name) { hits <<- hits + 1; 1 }\n'
                 '`[[.touchy` <- `$.touchy`; names.touchy <- function(x) { hits <<- hits + 1; "a" }; dim.touchy <- names.touchy\n'
                 'length.touchy <- names.touchy; .DollarNames.touchy <- function(x, pattern) { hits <<- hits + 1; "a" }\n'
                 't <- structure(list(real = 1), class = "touchy")')
    for name in ('active', 'promised'):
        assert name in complete(name[:3]).matches
        for code in ('%s$', 'e$%s$', '%s[["', '%s@', '%s |> f(', 'summary(%s, ', '%s(', 'lm(x, data = %s, ', 'e$%s('):
            complete(code % name)
    assert complete('e$').matches == ['active', 'promised']
    assert complete('t$').matches == ['real'] and complete('t[["').matches == ['real"']
    complete('t[, "'), complete('summary(t, '), complete('print(t, '), complete('t[t')
    assert complete.value('hits') == '[1] 0'


def test_promises_stay_promises(complete):
    """Also those by which packages load their functions and data when they are used."""
    state = 'c(is.call(substitute(sd, as.environment("package:stats"))), is.call(substitute(women, as.environment("package:datasets"))))'
    assert complete.value(state) == '[1] TRUE TRUE'
    assert complete('sd(').matches[:2] == ['x = ', 'na.rm = ']
    assert complete('women$').matches == ['height', 'weight']
    assert complete.value(state) == '[1] TRUE TRUE'


def test_altrep_stays_small(complete):
    complete.run('big <- 1:1e9; l <- list(big = big, x = 1)')
    before = complete.value('gc()[2, 2] < 1000')
    for code in ('big', 'big[', 'l$', 'summary(big, ', 'l$big$', 'l[["'):
        complete(code)
    assert before == complete.value('gc()[2, 2] < 1000') == '[1] TRUE'


def test_no_copy_is_made_of_what_was_looked_at(complete):
    complete.run('d <- data.frame(a = 1:3, b = 4:6); tracemem(d$a) -> id; big <- runif(10); tracemem(big) -> id2')
    complete('d$'), complete('big['), complete('summary(d, '), complete('d |> subset(')
    cell = complete.run('big[1] <- 2')
    assert 'tracemem' not in cell.stdout


def test_500_columns(complete):
    complete.run('wide <- as.data.frame(matrix(1, 2, 500)); names(wide) <- sprintf("column number %03d", 1:500)')
    c = complete('wide$')
    assert len(c.matches) == 300 and c.matches[0] == '`column number 001`'
    assert complete('wide$col').matches[299] == '`column number 300`'
    assert complete('wide$`column number 49').matches == [f'`column number 49{i}`' for i in range(10)]
    assert complete('wide |> subset(`column number 50').matches == ['`column number 500`']


def test_state_of_r_is_left_alone(complete):
    complete.run('invisible(runif(1)); seed <- .Random.seed; 42')
    for code in ('MASS::', 'library(', 'summary(mtcars, ', 'ggplot2:::', '"', 'rn'):
        complete(code)
    assert complete.value('.Last.value') == '[1] 42'
    assert complete.value('identical(seed, .Random.seed)') == '[1] TRUE'
    assert complete.value('is.null(warnings()) || !length(warnings())') == '[1] TRUE'
    assert complete.value('ls(all.names = TRUE)') == '[1] ".Random.seed" "seed"        '


def test_the_cell_that_computes_is_not_disturbed(start):
    kernel = start(session=None)
    a, b = kernel.client(), kernel.client()
    cell = a.request('execute_request', {'code': 'Sys.sleep(0.5); lately <- 1', 'silent': False, 'store_history': True,
                                         'user_expressions': {}, 'allow_stdin': False, 'stop_on_error': True})
    cell.wait_started()
    reply = b.ask('complete_request', {'code': 'latel', 'cursor_pos': 5})  # of a copy, or after the cell
    assert reply['matches'] in ([], ['lately']) and cell.wait().status == 'ok'
    assert b.ask('complete_request', {'code': 'latel', 'cursor_pos': 5})['matches'] == ['lately']


def test_without_a_session_the_answer_is_empty(start):
    kernel = start(session=None, env={'CARRACK_SESSION': '/nonexistent/session'})
    kernel.expect_log('.')
    client = kernel.client()
    reply = client.ask('complete_request', {'code': '😀a', 'cursor_pos': 2})
    assert reply == {'status': 'ok', 'matches': [], 'cursor_start': 2, 'cursor_end': 2, 'metadata': {}}
    reply = client.ask('inspect_request', {'code': 'mean', 'cursor_pos': 2, 'detail_level': 0})
    assert reply == {'status': 'ok', 'found': False, 'data': {}, 'metadata': {}}


def test_a_completion_makes_room_for_a_cell(start):
    """What it would find comes last in a list that takes long to look through."""
    kernel = start(session=None)
    r = kernel.client()
    r.execute('l <- setNames(vector("list", 1e6), c(sprintf("n%07d", 2:1e6), "zlast"))')
    code = {'code': 'l$zla', 'cursor_pos': 5}
    assert r.ask('complete_request', code)['matches'] == ['zlast']
    look = r.request('complete_request', code)
    look.wait_started()
    cell = r.execute('1 + 1')
    assert cell.reply['status'] == 'ok' and cell.result == '[1] 2'
    assert look.wait().reply == {'status': 'ok', 'matches': [], 'cursor_start': 2, 'cursor_end': 5,
                                 'metadata': {'_jupyter_types_experimental': []}}
    assert 'complete_request' not in kernel.log()  # it is no failure
