"""Fixtures of the tests with real clients."""
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))


@pytest.fixture(scope='session')
def jupyter_env(tmp_path_factory):
    """The environment for programs of Jupyter."""
    from jupyter_apps import install
    return install(tmp_path_factory.mktemp('jupyter'))


@pytest.fixture
def jupyter_here(jupyter_env, monkeypatch):
    """The same for Jupyter's libraries in this process."""
    for name in [n for n in os.environ if n.startswith(('JUPYTER', 'XDG_', 'IPYTHON'))]:
        monkeypatch.delenv(name)
    for name, value in jupyter_env.items():
        monkeypatch.setenv(name, value)
