"""What the tests with real clients share: a kernelspec of the build under test, a home that is nobody's, and ways to
make and to read notebooks."""
import os
import subprocess
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get('CARRACK_BUILD', ROOT / 'build')).resolve()
FACTOR = float(os.environ.get('CARRACK_TIME_FACTOR', '1'))  # sanitizers are slow


def environment(base):
    """An environment in which Jupyter finds our kernelspec below `base` and writes below `base` only."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(('JUPYTER', 'XDG_', 'IPYTHON'))}
    env.update(HOME=str(base / 'home'), PATH='/usr/bin:' + os.environ.get('PATH', ''),
               JUPYTER_PATH=str(base / 'share/jupyter'), JUPYTER_DATA_DIR=str(base / 'home/data'),
               JUPYTER_CONFIG_DIR=str(base / 'home/config'), JUPYTER_RUNTIME_DIR=str(base / 'home/runtime'),
               IPYTHONDIR=str(base / 'home/ipython'), LC_ALL='C.UTF-8', PYTHONDONTWRITEBYTECODE='1')
    return env


def install(base):
    """Installs the kernelspec below `base` and returns the environment to use it in."""
    (base / 'home').mkdir(parents=True)
    env = environment(base)
    done = subprocess.run([BUILD / 'carrack', 'install', '--prefix', base], env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return env


def notebook(*sources):
    """A notebook of code cells; a source may be (text, tag)."""
    cells = []
    for source in sources:
        text, tags = (source[0], [source[1]]) if isinstance(source, tuple) else (source, [])
        cells.append(nbformat.v4.new_code_cell(text, metadata={'tags': tags} if tags else {}))
    return nbformat.v4.new_notebook(cells=cells, metadata={'kernelspec': {
        'name': 'carrack', 'display_name': 'R (Carrack)', 'language': 'R'}})


def stream(cell, name=None):
    """The text that a cell wrote (to one of its streams)."""
    return ''.join(o.text for o in cell.outputs if o.output_type == 'stream' and name in (None, o.name))


def values(cell):
    """The text forms of the values that a cell showed."""
    return [o.data['text/plain'] for o in cell.outputs if o.output_type in ('display_data', 'execute_result')]


def errors(cell):
    return [o for o in cell.outputs if o.output_type == 'error']
