"""jupyter nbconvert, and `make demo`, which is built on it."""
import os
import re
import subprocess

import nbformat
import pytest

from jupyter_apps import BUILD, FACTOR, ROOT, errors, notebook, stream, values


def nbconvert(env, *words, ok=True):
    done = subprocess.run(['jupyter', 'nbconvert', *map(str, words)], env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120 * FACTOR, check=False)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done


@pytest.fixture(scope='module')
def tour(tmp_path_factory):
    """The demo, run once: its words and its output directory."""
    base = tmp_path_factory.mktemp('demo')
    (base / 'home').mkdir()
    env = {**os.environ, 'HOME': str(base / 'home')}
    done = subprocess.run([ROOT / 'scripts/demo', '--build', BUILD, '--out', base / 'out'], env=env,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180 * FACTOR, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, base


def test_demo_says_where_and_what(tour):
    words, base = tour
    lines = words.strip().split('\n')
    assert f'The notebook: {base}/out/tour.ipynb' in lines
    assert f'The page:     {base}/out/tour.html' in lines
    summary = lines[-5:]
    assert [s.split()[0] for s in summary] == ['cells', 'outputs', 'errors', 'time', 'R']
    ran, of = re.match(r'\s+cells\s+(\d+) of (\d+) run', summary[0]).groups()
    assert int(ran) == int(of) >= 12
    assert '1 (1 of them on purpose)' in summary[2]
    assert re.search(r'\d+\.\d+\.\d+$', summary[4])


def test_demo_writes_nothing_home(tour):
    assert list((tour[1] / 'home').rglob('*')) == []


def test_tour_is_a_valid_notebook_whose_cells_all_ran(tour):
    nb = nbformat.read(tour[1] / 'out/tour.ipynb', as_version=4)
    nbformat.validate(nb)
    cells = [c for c in nb.cells if c.cell_type == 'code']
    assert [c.execution_count for c in cells] == list(range(1, len(cells) + 1))
    assert [c.id for c in cells if errors(c)] == ['unhandled']
    assert nb.metadata.language_info.name == 'R'
    assert nb.metadata.language_info.file_extension.lower() == '.r'


def test_tour_outputs(tour):
    nb = nbformat.read(tour[1] / 'out/tour.ipynb', as_version=4)
    cell = {c.id: c for c in nb.cells}
    shown = {name: '\n'.join(values(c)) for name, c in cell.items() if c.cell_type == 'code'}
    assert 'Mazda RX4 Wag' in shown['mtcars'] and 'kml' in shown['mtcars']
    assert len(values(cell['mtcars'])) == 2
    assert "NA's" in shown['airquality']
    assert 'Multiple R-squared:  0.8399' in shown['lm'] and '‘***’' in shown['lm']
    assert 'ÆRØSKØBING' in shown['utf8'] and '"ήτηλβατεμ"' in shown['utf8'] and '東京' in stream(cell['utf8'])
    assert '1204511' in shown['regex']
    assert 'converting 3 temperatures' in stream(cell['warnings'], 'stderr')
    assert 'NAs introduced by coercion' in stream(cell['warnings'], 'stderr')
    assert 'non-conformable' in stream(cell['handled'], 'stdout')
    assert 'of > 0 is not TRUE' in errors(cell['unhandled'])[0].evalue
    assert '0.25 0.25 0.50' in shown['after-the-error']
    assert '100%' in stream(cell['progress'])
    assert '<11..22>' in stream(cell['s4']) + shown['s4']
    assert 'Ada has 150.25' in stream(cell['r5']) + shown['r5']


def test_tour_children_write_in_order(tour):
    nb = nbformat.read(tour[1] / 'out/tour.ipynb', as_version=4)
    cell = next(c for c in nb.cells if c.get('id') == 'children')
    assert re.match(r'R: before\nshell: line 1\nshell: line 2\nshell: line 3\nR: after, exit status 3 ?\n$',
                    stream(cell, 'stdout'))
    assert stream(cell, 'stderr') == 'shell: an error line\n'


def test_tour_page(tour):
    page = (tour[1] / 'out/tour.html').read_text()
    assert 'A tour of R in a notebook' in page and 'Mazda RX4 Wag' in page and '東京' in page


def test_inplace_and_html(jupyter_env, tmp_path):
    file = tmp_path / 'a b.ipynb'
    nbformat.write(notebook('x <- 6', 'x * 7'), file)
    nbconvert(jupyter_env, '--to', 'notebook', '--execute', '--inplace', file)
    nb = nbformat.read(file, as_version=4)
    nbformat.validate(nb)
    assert values(nb.cells[1]) == ['[1] 42']
    nbconvert(jupyter_env, '--to', 'html', '--execute', file)
    assert '[1] 42' in (tmp_path / 'a b.html').read_text()


def test_a_failing_cell_fails_the_conversion(jupyter_env, tmp_path):
    file = tmp_path / 'bad.ipynb'
    nbformat.write(notebook('stop("this far")', '1'), file)
    done = nbconvert(jupyter_env, '--to', 'notebook', '--execute', '--inplace', file, ok=False)
    assert 'CellExecutionError' in done.stderr and 'this far' in done.stderr


def test_allow_errors(jupyter_env, tmp_path):
    file = tmp_path / 'bad.ipynb'
    nbformat.write(notebook('stop("this far")', '1 + 1'), file)
    nbconvert(jupyter_env, '--to', 'notebook', '--execute', '--allow-errors', '--inplace', file)
    nb = nbformat.read(file, as_version=4)
    nbformat.validate(nb)
    assert errors(nb.cells[0])[0].evalue == 'this far'
    assert values(nb.cells[1]) == ['[1] 2']


def test_the_language_info_names_the_script(jupyter_env, tmp_path):
    file = tmp_path / 'plain.ipynb'
    nbformat.write(notebook('x <- 1'), file)
    nbconvert(jupyter_env, '--to', 'notebook', '--execute', '--inplace', file)
    nbconvert(jupyter_env, '--to', 'script', file)
    scripts = [f for f in tmp_path.iterdir() if f.suffix.lower() == '.r']
    assert len(scripts) == 1 and 'x <- 1' in scripts[0].read_text()


def test_another_working_directory_is_the_notebooks(jupyter_env, tmp_path):
    (tmp_path / 'data.csv').write_text('a,b\n1,2\n')
    file = tmp_path / 'here.ipynb'
    nbformat.write(notebook('read.csv("data.csv")$b'), file)
    nbconvert(jupyter_env, '--to', 'notebook', '--execute', '--inplace', file)
    assert values(nbformat.read(file, as_version=4).cells[0]) == ['[1] 2']
