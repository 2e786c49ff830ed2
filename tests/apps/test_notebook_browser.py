"""Jupyter's classic Notebook in a real browser (headless Chromium)."""
import json
import os
import socket
import subprocess
import time
import urllib.request

import nbformat
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from jupyter_apps import FACTOR, notebook

TOKEN = 'carrack'
FLAGS = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-dev-shm-usage',
         '--disable-background-networking', '--disable-component-update', '--disable-sync', '--window-size=1200,1400']


def answers(address):
    try:
        return urllib.request.urlopen(address, timeout=5).status == 200
    except OSError:
        return False


@pytest.fixture(scope='module')
def server(jupyter_env, tmp_path_factory):
    """(address, directory of the notebooks)"""
    work = tmp_path_factory.mktemp('notebooks')
    log = open(work.parent / 'notebook-server.log', 'w+')
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    address = f'http://127.0.0.1:{port}'
    process = subprocess.Popen(['jupyter', 'notebook', '--no-browser', '--allow-root', '--ip=127.0.0.1', f'--port={port}',
                                f'--NotebookApp.token={TOKEN}', '--NotebookApp.iopub_data_rate_limit=1e10',
                                f'--notebook-dir={work}'], env=jupyter_env, stdin=subprocess.DEVNULL, stdout=log,
                               stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + 60 * FACTOR
        while not answers(f'{address}/api?token={TOKEN}'):
            assert process.poll() is None and time.monotonic() < end, (work.parent / 'notebook-server.log').read_text()
            time.sleep(0.1)
        yield address, work
    finally:
        process.terminate()
        process.wait(20 * FACTOR)
        log.close()


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    for flag in [*FLAGS, f'--user-data-dir={tmp_path_factory.mktemp("chromium")}']:
        options.add_argument(flag)
    options.binary_location = '/usr/bin/chromium'
    driver = webdriver.Chrome(service=Service('/usr/bin/chromedriver'), options=options)
    driver.set_script_timeout(60 * FACTOR)
    yield driver
    driver.quit()


class Page:
    """One notebook, open in the browser."""

    def __init__(self, driver, address, work, name, nb):
        self.driver, self.address, self.file = driver, address, work / f'{name}.ipynb'
        nbformat.write(nb, self.file)
        driver.get(f'{address}/notebooks/{name}.ipynb?token={TOKEN}')
        self.wait(lambda: self.js('return !!(window.Jupyter && Jupyter.notebook && Jupyter.notebook.kernel && '
                                  'Jupyter.notebook.kernel.is_connected() && Jupyter.notebook._fully_loaded)'))

    def js(self, script):
        return self.driver.execute_script(script)

    def wait(self, condition, limit=40):
        return WebDriverWait(self.driver, limit * FACTOR, 0.1).until(lambda _: condition())

    def cell(self, i):
        return self.driver.find_elements(By.CSS_SELECTOR, '#notebook-container > .cell')[i]

    def prompt(self, i):
        return self.cell(i).find_element(By.CSS_SELECTOR, '.input_prompt').text.replace('\xa0', ' ')

    def output(self, i):
        """What is seen below cell i."""
        return self.cell(i).find_element(By.CSS_SELECTOR, '.output').text

    def click(self, i):
        self.cell(i).find_element(By.CSS_SELECTOR, '.CodeMirror').click()

    def press(self, *keys):
        webdriver.ActionChains(self.driver).key_down(keys[0]).send_keys(*keys[1:]).key_up(keys[0]).perform()

    def button(self, selector):
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def menu(self, name, item):
        self.wait(lambda: not self.driver.find_elements(By.CSS_SELECTOR, '.modal.in, .modal-backdrop'))
        self.driver.find_element(By.LINK_TEXT, name).click()
        self.wait(lambda: self.driver.find_element(By.CSS_SELECTOR, item).is_displayed())
        self.driver.find_element(By.CSS_SELECTOR, item + ' a').click()

    def confirm(self):
        """The red button of the dialogue."""
        self.wait(lambda: [b for b in self.driver.find_elements(By.CSS_SELECTOR, '.modal.in .btn-danger')
                           if b.is_displayed()])[0].click()

    def ran(self, i, n, limit=40):
        self.wait(lambda: self.prompt(i) == f'In [{n}]:', limit)

    def saved(self):
        self.js('Jupyter.notebook.save_notebook()')
        self.wait(lambda: self.js('return !Jupyter.notebook.dirty'))
        nb = nbformat.read(self.file, as_version=4)
        nbformat.validate(nb)
        return nb

    def shut(self):
        """Closes the notebook and its kernel."""
        self.js('window.onbeforeunload = null; Jupyter.notebook.dirty = false; Jupyter.notebook.set_autosave_interval(0)')
        self.driver.get('about:blank')
        request = urllib.request.Request(f'{self.address}/api/sessions?token={TOKEN}')
        for session in json.load(urllib.request.urlopen(request)):
            urllib.request.urlopen(urllib.request.Request(
                f'{self.address}/api/sessions/{session["id"]}?token={TOKEN}', method='DELETE'))


@pytest.fixture
def page(browser, server, request, tmp_path):
    opened = []

    def open_page(*sources):
        opened.append(Page(browser, *server, request.node.name, notebook(*sources)))
        return opened[-1]
    yield open_page
    # A picture of how it ended, for a human: in pytest's own directory, or where CARRACK_SCREENSHOTS says.
    folder = os.environ.get('CARRACK_SCREENSHOTS') or tmp_path
    browser.save_screenshot(f'{folder}/{request.node.name}.png')
    for p in opened:
        p.shut()


def test_cells_run_and_their_output_is_in_place(page):
    p = page('x <- c(a = 1, b = 2)\nx', 'cat("text\\n"); message("aside"); summary(cars)', 'toupper("smørrebrød 東京")')
    p.click(0)
    p.press(Keys.SHIFT, Keys.ENTER)
    p.ran(0, 1)
    assert p.output(0).split() == ['Out[1]:', 'a', 'b', '1', '2']
    p.press(Keys.SHIFT, Keys.ENTER)
    p.ran(1, 2)
    assert p.output(1).startswith('text\naside\n') and 'Median :15.0' in p.output(1)
    p.press(Keys.SHIFT, Keys.ENTER)
    p.ran(2, 3)
    assert '[1] "SMØRREBRØD 東京"' in p.output(2)
    assert 'Median' not in p.output(0) + p.output(2)
    stderr = p.cell(1).find_elements(By.CSS_SELECTOR, '.output_stderr')
    assert [e.text for e in stderr] == ['aside']
    nb = p.saved()
    assert nb.metadata.language_info.name == 'R'
    assert [c.execution_count for c in nb.cells[:3]] == [1, 2, 3]


def test_the_language_is_known_to_the_editor(page):
    p = page('x <- "text"  # remark')
    p.wait(lambda: p.cell(0).find_elements(By.CSS_SELECTOR, '.cm-comment'))
    assert p.cell(0).find_element(By.CSS_SELECTOR, '.cm-string').text == '"text"'
    assert p.js('return Jupyter.notebook.codemirror_mode.name || Jupyter.notebook.codemirror_mode').lower() == 'r'


def test_output_appears_while_the_cell_runs(page):
    p = page('for (i in 1:3) { cat("step", i, "\\n"); Sys.sleep(1) }')
    p.click(0)
    p.press(Keys.SHIFT, Keys.ENTER)
    p.wait(lambda: 'step 1' in p.output(0))
    assert 'step 3' not in p.output(0) and p.prompt(0) == 'In [*]:'
    p.ran(0, 1)
    assert p.output(0).split() == 'step 1 step 2 step 3'.split()


def test_interrupt(page):
    p = page('cat("begun\\n"); Sys.sleep(120); cat("not this\\n")', '"and on"')
    p.click(0)
    p.press(Keys.SHIFT, Keys.ENTER)
    p.wait(lambda: 'begun' in p.output(0))
    p.button("button[data-jupyter-action='jupyter-notebook:interrupt-kernel']")
    p.ran(0, 1, 15)
    assert 'not this' not in p.output(0)
    p.click(1)
    p.press(Keys.SHIFT, Keys.ENTER)
    p.ran(1, 2)
    assert '[1] "and on"' in p.output(1)


def test_restart_and_run_all(page):
    p = page('n <- if (exists("n")) n + 1 else 1\nn', 'Sys.getpid()', 'cat("the end\\n")')
    p.click(0)
    p.menu('Cell', '#run_all_cells')
    p.ran(2, 3)
    p.menu('Cell', '#run_all_cells')
    p.ran(2, 6)
    assert '[1] 2' in p.output(0)
    before = p.output(1)
    p.menu('Kernel', '#restart_run_all')
    p.confirm()
    p.ran(2, 3, 60)
    assert [p.prompt(i) for i in range(3)] == ['In [1]:', 'In [2]:', 'In [3]:']
    assert '[1] 1' in p.output(0) and 'the end' in p.output(2)
    assert p.output(1) != before
    p.saved()


def test_restart_while_a_cell_runs(page):
    p = page('x <- 1; cat("begun\\n"); Sys.sleep(120)', 'exists("x")')
    p.click(0)
    p.press(Keys.SHIFT, Keys.ENTER)
    p.wait(lambda: 'begun' in p.output(0))
    p.menu('Kernel', '#restart_kernel')
    p.confirm()
    p.wait(lambda: p.js('return Jupyter.notebook.kernel.is_connected()'))
    p.click(1)
    p.press(Keys.SHIFT, Keys.ENTER)
    p.ran(1, 1, 60)
    assert '[1] FALSE' in p.output(1)


def test_an_error_is_shown_and_stops_run_all(page):
    p = page('f <- function(x) stop("no way")', 'f(1)', '"not run"')
    p.click(0)
    p.menu('Cell', '#run_all_cells')
    p.wait(lambda: 'no way' in p.output(1))
    p.wait(lambda: p.prompt(2) != 'In [*]:')  # an aborted reply has a count, too (messaging spec), and this client shows it
    assert p.output(2) == ''
    assert p.cell(1).find_elements(By.CSS_SELECTOR, '.output_error')
    nb = p.saved()
    assert nb.cells[1].outputs[0].output_type == 'error'


def test_a_question_is_asked_in_place(page):
    p = page('name <- readline("Who? ")\ncat("Hello,", name, "\\n")')
    p.click(0)
    p.press(Keys.SHIFT, Keys.ENTER)
    box = p.wait(lambda: p.cell(0).find_elements(By.CSS_SELECTOR, '.raw_input'))[0]
    assert 'Who?' in p.cell(0).find_element(By.CSS_SELECTOR, '.raw_input_container').text
    box.send_keys('Ada' + Keys.ENTER)
    p.ran(0, 1)
    assert 'Hello, Ada' in p.output(0)


def test_death_of_r_is_seen_and_the_notebook_goes_on(page):
    p = page('cat("last words\\n"); tools::pskill(Sys.getpid(), 9); Sys.sleep(10)', '6 * 7')
    p.click(0)
    p.press(Keys.SHIFT, Keys.ENTER)
    p.ran(0, 1)
    assert 'last words' in p.output(0)
    assert p.cell(0).find_elements(By.CSS_SELECTOR, '.output_error')
    p.click(1)
    p.press(Keys.SHIFT, Keys.ENTER)
    p.ran(1, 2)
    assert '[1] 42' in p.output(1)
