"""Help pages are rendered in C (session/rd.h): what is read, and what it is made of, is what R's own tools make of the same page.

With CARRACK_PROOF set (`make proof`) every page of the packages is compared, otherwise some of each."""
import os
import re
from pathlib import Path

import pytest
from carrack_client import Kernel

PROOF = bool(os.environ.get('CARRACK_PROOF'))
PACKAGES = {'base': 40, 'stats': 30, 'utils': 30, 'graphics': 12, 'grDevices': 12, 'methods': 14, 'tools': 25, 'grid': 14,
            'ggplot2': 40, 'dplyr': 20, 'data.table': 12}
COMPARE = Path(__file__).with_name('help_pages.R')


@pytest.fixture(scope='module')
def client():
    with Kernel(session=None, args=['--session-mode', 'notebook'], env={'CARRACK_TEST': '1'}) as kernel:
        client = kernel.client()
        assert client.execute(f'source("{COMPARE}")').status == 'ok'
        assert client.execute('tagged <- function(x, tag) structure(x, Rd_tag = tag); word <- tagged("word", "TEXT")\n'
                              'title <- tagged(list(word), "\\\\title"); name <- tagged(list(word), "\\\\name")').status == 'ok'
        yield client


def run(client, code):
    cell = client.submit(code)
    client.wait(lambda: cell.done and cell.replies, 'many pages', 3600 if PROOF else 600)
    return cell


@pytest.mark.parametrize('package', PACKAGES)
def test_pages_are_those_of_tools(client, package):
    cell = run(client, f'compare_pages("{package}", {1 if PROOF else PACKAGES[package]})')
    lines = cell.stdout.splitlines()
    assert re.fullmatch(rf'{package} [1-9]\d* pages', lines[-1]), cell.reply
    assert lines[:-1] == []


RD = r'''
\name{f}\alias{f}\title{Things --- and `more' of \code{f}}
\description{One \emph{thing} \strong{and} \code{x <- "<&>"}, price $5 and $6.

Second paragraph -- with \dQuote{quotes}, \url{https://example.org/a?b=1&c=2}, \href{https://example.org}{a name}, \email{a@example.org}.
% a comment alone on its line
still the second.}
\usage{
f(x, \dots)
\method{f}{default}(x, y = "\\{")
\method{[}{f}(x, i)
\method{$}{f}(x, name) <- value
\method{+}{f}(e1, e2)
\method{!}{f}(x)
\S4method{show}{f}(object)
}
\arguments{
  \item{x, y}{\var{this}.

    More of it.}
  \item{\dots}{\itemize{\item one \item two}}
}
\details{
\describe{\item{label}{what it is}}
\enumerate{\item first \item second \preformatted{  kept
    as it is}}
\tabular{lr}{a \tab 10 \cr long cell \tab 2}
\eqn{x^2 + \alpha}{x^2 + alpha} \deqn{\frac{a}{b}}{a / b} \eqn{n}{n}
\if{html}{only HTML}\if{text}{only text}\ifelse{latex}{no}{otherwise}
\subsection{Below}{deeper}
}
\examples{
f(1) # \% sign
\dontrun{f(2)}
\dontshow{f(3)}
}
'''


@pytest.fixture(scope='module')
def forms(client):
    """What a page of every kind of thing becomes: text, HTML and Markdown."""
    client.execute('rd <- tools:::prepare_Rd(tools::parse_Rd(textConnection(' + repr_r(RD) + ')))')
    made = []
    for i in (1, 2, 3):
        made.append(client.execute(f'cat(.carrack_internal(test_help(rd, "pkg"))[{i}])').stdout)
    return made


def repr_r(text):
    return "r'---(" + text + ")---'"


def test_text(forms):
    text = forms[0]
    for line in ("f                     package:pkg                      R Documentation", "Things - and 'more' of 'f'", 'Usage:',
                 '     f(x, ...)', "     ## Default S3 method:", '     x[i]', '     x$name <- value', '     e1 + e2', '     !x',
                 "     ## S4 method for signature 'f'", '     show(object)', '    x, y: this.', '          More of it.',
                 '            • one', '       1. first', 'kept', '       a          10', '     f(1) # % sign'):
        found = [found.rstrip() if line.startswith(' ') else found.strip() for found in text.splitlines()]
        assert line.rstrip() in found, line
    assert '“quotes”, <https://example.org/a?b=1&c=2>, a name,' in ' '.join(text.split())
    assert 'only text' in text and 'only HTML' not in text and 'otherwise' in text and 'f(3)' not in text
    assert '<mailto:a@example.org>' in text.replace('\n     ', ' ')


def test_html(forms):
    html = forms[1]
    for part in ('<h2>Things — and ‘more’ of <code>f</code></h2>', '<h3>Usage</h3>', '<h4>Below</h4>',
                 '<code>x &lt;- &quot;&lt;&amp;&gt;&quot;</code>', '<a target="_blank" rel="noopener" href="https://example.org/a?b=1&amp;c=2">',
                 '<a href="mailto:a@example.org">', '<span class="math">\\(x^2 + \\alpha\\)</span>', '<i>n</i>', '\\[\\frac{a}{b}\\]',
                 '<dt>label</dt><dd>what it is\n</dd>', '<td style="text-align:right;vertical-align:top">', 'only HTML'):
        assert part in html, part
    # Two dollar signs are no formula; a comment is not an empty line.
    assert 'price <span>$</span>5 and <span>$</span>6' in html
    assert html.count('<p>', 0, html.index('Usage')) == 2
    assert 'only text' not in html and '<script' not in html


def test_html_nests(forms):
    """Every element is closed, in its place."""
    stack = []
    for close, name in re.findall(r'<(/?)(\w+)[^>]*>', forms[1]):
        if name in ('br', 'img'):
            continue
        if close:
            assert stack and stack.pop() == name
        else:
            stack.append(name)
    assert stack == []


def test_markdown(forms):
    markdown = forms[2]
    for part in ('# Things', '```r\nf(x, ...)\n', '## Arguments\n\n- `x, y`: *this*.', '`x <- "<&>"`', '[a name](https://example.org)',
                 '$x^2 + \\alpha$', '$$\\frac{a}{b}$$', '1. first\n2. second', '### Below'):
        assert part in markdown, part
    assert markdown.count('```') % 2 == 0


def test_what_is_not_known_is_left_to_tools(client):
    cell = client.execute('''other <- rd; other[[length(rd)]][[1]] <- structure(list("x"), Rd_tag = "\\\\nonsense")
        cat(is.null(.carrack_internal(test_help(other))), is.null(.carrack_internal(test_help(list(1, NULL)))), is.null(.carrack_internal(test_help("x"))))''')
    assert cell.stdout == 'TRUE TRUE TRUE'


@pytest.mark.parametrize('code', ['deep <- structure(list(word), Rd_tag = "\\\\code"); for (i in 1:5000) deep <- structure(list(deep), Rd_tag = "\\\\emph")',
                                  'deep <- structure(list(word), Rd_tag = "\\\\itemize"); for (i in 1:60) deep <- structure(list(structure(list(), Rd_tag = "\\\\item"), deep), Rd_tag = "\\\\itemize")'])
def test_pages_that_are_too_deep(client, code):
    cell = client.execute(code + '''
        rd <- list(title, name, structure(list(deep), Rd_tag = "\\\\details"))
        x <- .carrack_internal(test_help(rd)); cat(is.null(x) || all(nzchar(x)))''')
    assert cell.status == 'ok' and cell.stdout == 'TRUE', cell.reply


def test_any_tree_is_survived(client):
    """Pages whose parts are mixed up: lists where text belongs, parts missing, other types."""
    cell = run(client, r'''set.seed(1)
tags <- c("\\code", "\\item", "\\itemize", "\\describe", "\\emph", "\\tabular", "\\tab", "\\cr", "\\href", "\\url", "\\eqn", "\\deqn", "\\figure",
          "\\if", "\\ifelse", "\\out", "\\method", "\\S4method", "\\subsection", "\\preformatted", rep("TEXT", 5),
          "RCODE", "VERB", "LIST", "COMMENT", "\\enc", "\\link", "\\dontrun")
leaf <- function() switch(sample(8, 1), "\n", "text `a' -- $x", "  ", "f(x, y) <- ", "lcr", NULL, 3L, c("\t tab\n", "two"))
tree <- function(depth) {
    x <- if (depth == 0 || runif(1) < .2) leaf() else lapply(seq_len(sample(0:5, 1)), function(i) tree(depth - 1))
    if (is.null(x)) x else structure(x, Rd_tag = sample(tags, 1))
}
n <- 0
for (i in 1:400) {
    rd <- c(list(title, name),
            lapply(1:2, function(i) structure(lapply(1:2, function(j) tree(3)), Rd_tag = sample(c("\\usage", "\\arguments", "\\details", "\\value"), 1))))
    page <- .carrack_internal(test_help(rd, "p", brief = i %% 2 == 0, width = sample(c(1, 20, 80), 1)))
    n <- n + !is.null(page)
    stopifnot(is.null(page) || all(validUTF8(page)))
}
cat(n, n > 20)''')
    assert cell.status == 'ok' and cell.stdout.endswith('TRUE'), cell.reply
