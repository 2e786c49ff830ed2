"""JupyterLab 4 in a real browser: a server, and a page that is used as a person uses it, by keys and clicks. Pictures go to the
build directory, or where CARRACK_SCREENSHOTS says: `make pictures` so makes those of the README.

JupyterLab is that of venv/ (scripts/setup-lab); Selenium and pytest are Debian's."""
import json
import os
import re
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import nbformat
from selenium import webdriver
from selenium.common.exceptions import ElementNotInteractableException, NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from jupyter_apps import BUILD, FACTOR, ROOT

VENV = ROOT / 'venv'
TOKEN = 'carrack'
FLAGS = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-dev-shm-usage',
         '--disable-background-networking', '--disable-component-update', '--disable-sync', '--window-size=1100,1300']
NOT_YET = [StaleElementReferenceException, ElementNotInteractableException, NoSuchElementException,
           IndexError]  # the page is being drawn
PICTURES = Path(os.environ.get('CARRACK_SCREENSHOTS') or BUILD / 'pictures')

# Nothing is asked of servers elsewhere, and nothing lies over the page.
SETTINGS = {'@jupyterlab/apputils-extension/notification': {'fetchNews': 'false', 'checkForUpdates': False,
                                                            'doNotDisturbMode': True},
            '@jupyterlab/notebook-extension/tracker': {'codeCellConfig': {'autoClosingBrackets': False}}}


def environment(env):
    """The same, with the programs of venv/ first."""
    return {**env, 'PATH': f'{VENV}/bin:{env["PATH"]}', 'VIRTUAL_ENV': str(VENV)}


def answers(address):
    try:
        return urllib.request.urlopen(address, timeout=5).status == 200
    except OSError:
        return False


class Server:
    def __init__(self, env, base):
        self.work, self.log = base / 'notebooks', open(base / 'lab.log', 'w+')
        self.work.mkdir()
        for name, values in SETTINGS.items():
            file = base / 'settings' / f'{name}.jupyterlab-settings'
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values))
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            port = s.getsockname()[1]
        self.address = f'http://127.0.0.1:{port}'
        env = {**environment(env), 'JUPYTERLAB_SETTINGS_DIR': str(base / 'settings'),
               'JUPYTERLAB_WORKSPACES_DIR': str(base / 'workspaces')}
        self.process = subprocess.Popen(
            [VENV / 'bin/jupyter', 'lab', '--no-browser', '--allow-root', '--ip=127.0.0.1', f'--port={port}',
             f'--IdentityProvider.token={TOKEN}', '--expose-app-in-browser', f'--ServerApp.root_dir={self.work}'],
            env=env, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        end = time.monotonic() + 120 * FACTOR
        while not answers(f'{self.address}/api?token={TOKEN}'):
            if self.process.poll() is not None or time.monotonic() > end:
                self.close()
                raise AssertionError((base / 'lab.log').read_text())
            time.sleep(0.1)

    def api(self, path, method='GET'):
        request = urllib.request.Request(f'{self.address}/api/{path}?token={TOKEN}', method=method)
        answer = urllib.request.urlopen(request).read()
        return json.loads(answer) if answer else None

    def end_kernels(self):
        for session in self.api('sessions'):
            self.api(f'sessions/{session["id"]}', 'DELETE')

    def close(self):
        self.process.terminate()
        self.process.wait(30 * FACTOR)
        self.log.close()


def chromium(profile):
    options = webdriver.ChromeOptions()
    for flag in [*FLAGS, f'--user-data-dir={profile}']:
        options.add_argument(flag)
    options.binary_location = '/usr/bin/chromium'
    driver = webdriver.Chrome(service=Service('/usr/bin/chromedriver'), options=options)
    driver.set_script_timeout(60 * FACTOR)
    return driver


class Page:
    """One notebook, open in JupyterLab."""

    def __init__(self, driver, server, name, nb):
        self.driver, self.server, self.file = driver, server, server.work / f'{name}.ipynb'
        nbformat.write(nb, self.file)
        if driver.current_url.startswith(server.address):
            self.js('''return jupyterapp.commands.execute('docmanager:open', {path: arguments[0]}).then(() => true)''',
                    self.file.name)
            self.ready()
        else:
            self.load()

    def load(self):
        """All of JupyterLab anew; that takes its time."""
        self.driver.get(f'{self.server.address}/doc/tree/{self.file.name}?token={TOKEN}&reset')
        self.ready()

    def ready(self):
        self.wait(lambda: self.status() == 'Idle' and self.circle() == 'idle', 120)

    def close(self):
        """Without a question."""
        self.js('jupyterapp.shell.currentWidget.dispose()')
        self.server.end_kernels()

    def js(self, script, *args):
        return self.driver.execute_script(script, *args)

    def find(self, selector, within=None):
        return (within or self.driver).find_elements(By.CSS_SELECTOR, selector)

    def wait(self, condition, limit=80):
        wait = WebDriverWait(self.driver, limit * FACTOR, 0.1, ignored_exceptions=NOT_YET)
        return wait.until(lambda _: condition())

    def status(self):
        """What the status bar says of the kernel: Idle, Busy …"""
        found = re.findall(r'^R \(Carrack\) \| (.+)$', self.find('#jp-main-statusbar')[0].text, re.M)
        return found[0] if found else None

    def circle(self):
        """The same by the circle beside the kernel's name."""
        return self.find('.jp-Notebook-ExecutionIndicator')[0].get_attribute('data-status')

    def cell(self, i):
        return self.find('.jp-Notebook .jp-Cell')[i]

    def prompt(self, i):
        return self.find('.jp-InputPrompt', self.cell(i))[0].text

    def outputs(self, i):
        """[(kind, what is seen)] of the outputs below cell i."""
        found = []
        for output in self.find('.jp-OutputArea-output', self.cell(i)):
            kind = output.get_attribute('data-mime-type')
            if kind: # not a field for input
                found.append((kind.removeprefix('application/vnd.jupyter.'), re.sub(' +$', '', output.text, flags=re.M)))
        return found

    def output(self, i):
        return '\n'.join(text for _, text in self.outputs(i))

    def click(self, i):
        """The cursor to the end of the cell's text."""
        self.wait(lambda: (self.find('.cm-content', self.cell(i))[0].click(), True)[1])
        self.wait(lambda: self.find('.jp-Editor.jp-mod-focused, .cm-focused', self.cell(i)))
        self.press(Keys.CONTROL, Keys.END)

    def press(self, *keys):
        webdriver.ActionChains(self.driver).key_down(keys[0]).send_keys(*keys[1:]).key_up(keys[0]).perform()

    def type(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def run(self, i, n=None, limit=60):
        """Runs cell i; with n, waits until it has ended as number n."""
        self.click(i)
        self.press(Keys.SHIFT, Keys.ENTER)
        if n is not None:
            self.ran(i, n, limit)

    def ran(self, i, n, limit=60):
        self.wait(lambda: self.prompt(i) == f'[{n}]:', limit)

    def tool(self, name):
        """A button of the notebook's toolbar."""
        item = self.find(f'.jp-NotebookPanel-toolbar [data-jp-item-name="{name}"]')[0]
        (self.find('jp-button, button', item) or [item])[0].click()

    def accept(self):
        self.wait(lambda: [b for b in self.find('.jp-Dialog .jp-mod-accept') if b.is_displayed()])[0].click()

    def saved(self):
        self.press(Keys.CONTROL, 's')
        self.wait(lambda: not self.find('.jp-mod-dirty'))
        nb = nbformat.read(self.file, as_version=4)
        nbformat.validate(nb)
        return nb

    def source(self, i):
        return self.js('return arguments[0].textContent', self.find('.cm-content', self.cell(i))[0])

    def scroll(self, i):
        self.js('arguments[0].scrollIntoView()', self.cell(i))

    def trust(self):
        """As the menu's `Trust Notebook`."""
        if self.js('return jupyterapp.shell.currentWidget.content.model.cells.get(0).trusted'):
            return
        self.js('jupyterapp.commands.execute("notebook:trust")')
        self.accept()

    def picture(self, name, over=None):
        """A picture of the notebook, as high as that is, and as what lies over it (a selector) reaches down."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        before = self.driver.get_window_size()
        frame = before['height'] - self.js('return window.innerHeight')
        seen = [self.find(selector)[0] for selector in ['.jp-Notebook-footer'] + ([over] if over else [])]
        end = max(e.location['y'] + e.size['height'] for e in seen)
        self.driver.set_window_size(before['width'], end + 40 + frame)
        if over: # all of it is in the picture
            lies = self.find(over)[0]
            assert lies.is_displayed() and lies.location['y'] + lies.size['height'] < self.js('return window.innerHeight') - 24
        self.driver.save_screenshot(str(PICTURES / f'{name}.png'))
        self.driver.set_window_size(before['width'], before['height'])
