"""Fixtures of the tests with programs from PyPI."""
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'apps')]


@pytest.fixture(scope='session')
def jupyter_env(tmp_path_factory):
    from jupyter_apps import install
    return install(tmp_path_factory.mktemp('jupyter'))


@pytest.fixture(scope='session')
def server(jupyter_env, tmp_path_factory):
    from lab import Server
    server = Server(jupyter_env, tmp_path_factory.mktemp('lab'))
    yield server
    server.end_kernels()
    server.close()


@pytest.fixture(scope='session')
def browser(tmp_path_factory):
    from lab import chromium
    driver = chromium(tmp_path_factory.mktemp('chromium'))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, server, request):
    from jupyter_apps import notebook
    from lab import Page

    opened = []

    def open_page(*sources, name=request.node.name):
        opened.append(Page(browser, server, name, notebook(*sources)))
        return opened[-1]
    yield open_page
    for p in opened:
        p.close()
