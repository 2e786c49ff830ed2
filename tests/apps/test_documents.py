"""A document as people write them, with the packages they use, run and exported by nbconvert and looked at in a browser."""
import re

import nbformat
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from jupyter_apps import FACTOR, notebook
from test_nbconvert import nbconvert
from test_notebook_browser import browser  # noqa: F401: a fixture

CELLS = {
    'ggplot2': 'library(ggplot2)\nggplot(mtcars, aes(wt, mpg, colour = factor(cyl))) + geom_point() + labs(title = "Wagen – 車 – ΑΒΓ")',
    'lattice': 'library(lattice)\nxyplot(mpg ~ wt | factor(cyl), mtcars)',
    'base': 'before <- par(mfrow = c(1, 2))\nhist(mtcars$mpg)\nboxplot(mpg ~ cyl, mtcars)\npar(before)',
    'loop': 'for (n in 1:3) { cat("number", n, "\\n"); plot(n) }',
    'svg': '#| fig-format: svg\n#| fig-width: 5\n#| fig-height: 3\nplot(cars)',
    'data.table': 'library(data.table)\nas.data.table(mtcars)[, .(mpg = mean(mpg)), by = cyl]',
    'dplyr': 'suppressPackageStartupMessages(library(dplyr))\nmtcars |> group_by(cyl) |> summarise(n = n(), mpg = mean(mpg))',
    'grouped': 'as_tibble(mtcars) |> group_by(gear)',
    'kable': 'knitr::kable(head(iris, 2), format = "html")',
    'DT': 'DT::datatable(head(mtcars, 20))',
    'dygraphs': 'dygraphs::dygraph(ldeaths)',
    'model': 'summary(lm(mpg ~ wt, mtcars))',
    'colour': 'cat("\\033[31mred\\033[0m and plain\\n")',
    'message': 'message("to whom it may concern"); warning("mind the gap")',
    'help': '?median',
    'S4': 'setClass("P", representation(x = "numeric")); new("P", x = 1)',
    'factor': 'data.frame(f = factor(c("a", "b")), d = as.Date("2024-02-29") + 0:1, l = I(list(1, "x")), na = c(NA, 1))',
    'error': 'stop("on purpose")',
}
NAMES = list(CELLS)


@pytest.fixture(scope='module')
def document(jupyter_env, tmp_path_factory):
    """The notebook's cells by name, and the page."""
    base = tmp_path_factory.mktemp('document')
    nbformat.write(notebook(*CELLS.values()), base / 'in.ipynb')
    nbconvert(jupyter_env, '--to', 'notebook', '--execute', '--allow-errors', base / 'in.ipynb', '--output', 'ran.ipynb')
    nb = nbformat.read(base / 'ran.ipynb', as_version=4)
    nbformat.validate(nb)
    nbconvert(jupyter_env, '--to', 'html', base / 'ran.ipynb')
    return dict(zip(NAMES, nb.cells)), base / 'ran.html'


@pytest.fixture(scope='module')
def page(document, browser):  # noqa: F811
    browser.get(f'file://{document[1]}')
    return browser


def cell(page, name):
    return page.find_elements(By.CSS_SELECTOR, '.jp-CodeCell')[NAMES.index(name)]


def ink(page, image):
    """How many points of a picture are dark."""
    return page.execute_script('''const i = arguments[0], c = document.createElement('canvas'), g = c.getContext('2d');
        [c.width, c.height] = [i.naturalWidth, i.naturalHeight];
        g.fillStyle = 'white'; g.fillRect(0, 0, c.width, c.height); g.drawImage(i, 0, 0);
        return g.getImageData(0, 0, c.width, c.height).data.filter((v, n) => n % 4 == 0 && v < 128).length''', image)


def test_every_cell_has_what_it_should(document):
    kinds = {name: [o.get('name') or o.output_type for o in c.outputs] for name, c in document[0].items()}
    assert kinds['loop'].count('display_data') == 3 and kinds['loop'][0] == 'stdout'
    assert set(kinds['message']) == {'stderr'}
    assert kinds['error'] == ['error']
    for name in 'ggplot2', 'lattice', 'base', 'svg':
        assert kinds[name] == ['display_data'], name
    for name in 'data.table', 'dplyr', 'grouped', 'kable', 'DT', 'dygraphs', 'model', 'help', 'S4', 'factor':
        assert [k for k in kinds[name] if k != 'stderr'] == ['execute_result'], name  # packages greet


def test_plots_are_seen(page):
    for name, count in (('ggplot2', 1), ('lattice', 1), ('base', 1), ('loop', 3)):
        images = cell(page, name).find_elements(By.CSS_SELECTOR, 'img')
        assert len(images) == count, name
        for image in images:
            assert image.size['width'] >= 300 and ink(page, image) > 400, name
    picture = cell(page, 'svg').find_elements(By.CSS_SELECTOR, 'svg, img')[0]
    assert picture.size['width'] / picture.size['height'] == pytest.approx(5 / 3, 0.02)


def test_tables_are_seen(page):
    rows = {'data.table': 3, 'dplyr': 3, 'grouped': 32, 'kable': 2, 'factor': 2}
    for name, count in rows.items():
        body = cell(page, name).find_elements(By.CSS_SELECTOR, 'table tbody tr')
        assert len(body) == count, name
    words = cell(page, 'factor').find_element(By.CSS_SELECTOR, 'table').text
    assert '2024-02-29' in words and 'NA' in words and '<fct>' in words
    assert 'gear' in cell(page, 'grouped').find_element(By.CSS_SELECTOR, 'caption').text


def test_widgets_are_drawn(page):
    def look(name, seen):
        frame = cell(page, name).find_element(By.CSS_SELECTOR, 'iframe')
        page.execute_script('arguments[0].scrollIntoView()', frame)
        page.switch_to.frame(frame)
        try:
            WebDriverWait(page, 60 * FACTOR, 0.2).until(lambda _: seen())
        finally:
            page.switch_to.default_content()
    look('DT', lambda: 'of 20 entries' in page.find_element(By.TAG_NAME, 'body').text)
    look('dygraphs', lambda: len(page.find_elements(By.CSS_SELECTOR, '.dygraph-axis-label')) > 5)


def test_text_is_seen(page):
    assert 'Multiple R-squared' in cell(page, 'model').text
    assert cell(page, 'colour').find_element(By.CSS_SELECTOR, '.ansi-red-fg').text == 'red'
    words = cell(page, 'message').text
    assert 'to whom it may concern' in words and 'mind the gap' in words
    assert 'Median Value' in cell(page, 'help').find_element(By.CSS_SELECTOR, 'h2').text
    assert 'Slot "x"' in cell(page, 'S4').text
    assert 'on purpose' in cell(page, 'error').text


def test_nothing_is_loaded_from_elsewhere_for_what_r_shows(document):
    html = '\n'.join(str(o.get('data', {}).get('text/html', '')) for c in document[0].values() for o in c.outputs)
    assert not re.search(r'(src|href)=\\?["\']https?://[^"\']*\.(js|css)', html)
