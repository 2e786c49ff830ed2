"""Tables and widgets as they are seen: in the classic Notebook, and in the page that nbconvert makes of the notebook."""
import re
import subprocess

import nbformat
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from jupyter_apps import notebook
from test_nbconvert import nbconvert
from test_notebook_browser import browser, page, server  # noqa: F401: fixtures

CELLS = ('data.frame(name = c("a <b>", "é"), n = c(1.5, 22.25))',
         'DT::datatable(head(mtcars, 20))',
         'DT::datatable(head(iris, 3))',
         'htmltools::tagList(htmltools::h2("A title"), DT::datatable(head(cars, 2)))',
         'htmltools::tags$p(htmltools::tags$em("plain"), " tags")')


@pytest.fixture(scope='module', autouse=True)
def packages():
    done = subprocess.run(['Rscript', '-e', 'cat(all(nzchar(sapply(c("DT", "htmltools"), function(p) system.file(package = p)))))'],
                          capture_output=True, text=True, check=False)
    if done.stdout != 'TRUE':
        pytest.skip('no R packages DT and htmltools')


def frames(driver):
    """(height in the page, height of the content, text) of each frame, when it is drawn."""
    found = []
    for frame in driver.find_elements(By.CSS_SELECTOR, 'iframe[srcdoc]'):
        driver.execute_script('arguments[0].scrollIntoView()', frame)
        height = frame.size['height']
        driver.switch_to.frame(frame)
        found.append((height, driver.execute_script('return Math.ceil(document.documentElement.getBoundingClientRect().height)'),
                      driver.execute_script('return document.body ? document.body.innerText : ""')))
        driver.switch_to.default_content()
    return found


def drawn(driver):
    seen = frames(driver)
    return len(seen) == 3 and all('Showing 1 to' in text and abs(height - inside) <= 1 for height, inside, text in seen) and seen


def check(driver, wait):
    table = driver.find_element(By.CSS_SELECTOR, 'table.dataframe')
    assert table.find_element(By.CSS_SELECTOR, 'caption').text == 'A data.frame: 2 × 2'
    lines = driver.execute_script('var r = document.createRange(); r.selectNodeContents(arguments[0].querySelector("caption"));'
                                  'return r.getClientRects().length', table)
    assert lines == 1  # it is wider than the table
    assert [c.text for c in table.find_elements(By.CSS_SELECTOR, 'td')] == ['a <b>', '1.50', 'é', '22.25']
    seen = wait(lambda: drawn(driver))
    assert 'Mazda RX4' in seen[0][2] and 'of 20 entries' in seen[0][2] and 'setosa' in seen[1][2]
    assert seen[2][2].startswith('A title')
    assert 350 < seen[0][0] < 700 and 100 < seen[1][0] < 350


def test_in_the_notebook_and_after_it_is_opened_again(page, jupyter_env):  # noqa: F811
    p = page(*CELLS)
    p.click(0)
    for i in range(len(CELLS)):
        p.press(Keys.SHIFT, Keys.ENTER)
        p.ran(i, i + 1)
    check(p.driver, p.wait)
    assert 'plain tags' in p.output(4)
    nb = p.saved()
    sizes = [len(str(c.outputs)) for c in nb.cells[:4]]
    assert sizes[1] > 100_000 > 40_000 > max(sizes[0], *sizes[2:])
    trust = 'import sys; from nbformat.sign import TrustNotebookApp; TrustNotebookApp.launch_instance([sys.argv[1]])'
    subprocess.run(['/usr/bin/python3', '-c', trust, p.file], env=jupyter_env, check=True)  # its file was not made by the server
    p.js('window.onbeforeunload = null; Jupyter.notebook.set_autosave_interval(0)')
    p.driver.refresh()
    p.wait(lambda: p.js('return !!(window.Jupyter && Jupyter.notebook && Jupyter.notebook._fully_loaded)'))
    check(p.driver, p.wait)


def test_exported(browser, jupyter_env, tmp_path):  # noqa: F811
    nbformat.write(notebook(*CELLS), tmp_path / 'in.ipynb')
    nbconvert(jupyter_env, '--to', 'notebook', '--execute', tmp_path / 'in.ipynb', '--output', 'ran.ipynb')
    nbformat.validate(nbformat.read(tmp_path / 'ran.ipynb', as_version=4))
    nbconvert(jupyter_env, '--to', 'html', tmp_path / 'ran.ipynb')
    assert len(re.findall('id="carrack-datatables-binding', (tmp_path / 'ran.html').read_text())) == 1
    browser.get(f'file://{tmp_path}/ran.html')
    check(browser, lambda condition: WebDriverWait(browser, 30, 0.2).until(lambda _: condition()))
    browser.save_screenshot(str(tmp_path / 'exported.png'))


def test_plotly_draws(browser, jupyter_env, tmp_path):  # noqa: F811
    """Debian 12 has version 1.31.2 of plotly.js below an R package that was written for 2.11.1: without its buttons it draws, in any page."""
    cells = ('suppressMessages(library(plotly)); p <- plot_ly(x = c(11, 12, 13), y = c(101, 103, 102), type = "scatter", mode = "markers")',
             'config(p, displayModeBar = FALSE)')
    nbformat.write(notebook(*cells), tmp_path / 'in.ipynb')
    nbconvert(jupyter_env, '--to', 'html', '--execute', tmp_path / 'in.ipynb')
    browser.get(f'file://{tmp_path}/in.html')

    def points(_):
        frame = browser.find_element(By.CSS_SELECTOR, 'iframe[srcdoc]')
        browser.switch_to.frame(frame)
        try:
            return (len(browser.find_elements(By.CSS_SELECTOR, 'svg .points path')),
                    [e.text for e in browser.find_elements(By.CSS_SELECTOR, '.xtick text')])
        finally:
            browser.switch_to.default_content()
    WebDriverWait(browser, 60, 0.2).until(lambda _: points(_)[0] == 3)
    assert {'11', '12', '13'} <= set(points(None)[1])


def test_as_latex_and_markdown(jupyter_env, tmp_path):
    types = 'options(jupyter.display_mimetypes = c("text/plain", "text/latex", "text/markdown"))'
    nbformat.write(notebook(types, 'data.frame(a_b = c("50%", "x & y"))'), tmp_path / 'in.ipynb')
    nbconvert(jupyter_env, '--to', 'notebook', '--execute', tmp_path / 'in.ipynb', '--output', 'ran.ipynb')
    nbconvert(jupyter_env, '--to', 'latex', tmp_path / 'ran.ipynb')
    assert 'x \\& y\\\\' in (tmp_path / 'ran.tex').read_text()
    nbconvert(jupyter_env, '--to', 'markdown', tmp_path / 'ran.ipynb')
    assert '| 50% |' in (tmp_path / 'ran.md').read_text()
