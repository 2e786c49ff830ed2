"""Programs from PyPI that run notebooks without a page: papermill, jupytext, jupyter execute, nbconvert, in their present versions."""
import subprocess

import nbformat
import pytest
from jupyter_apps import FACTOR, errors, notebook, stream, values
from lab import VENV, environment


@pytest.fixture
def run(jupyter_env, tmp_path):
    def run(program, *words, ok=True):
        done = subprocess.run([VENV / 'bin' / program, *map(str, words)], env=environment(jupyter_env), cwd=tmp_path,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180 * FACTOR, check=False)
        assert (done.returncode == 0) == ok, done.stdout + done.stderr
        return done
    return run


def read(file):
    nb = nbformat.read(file, as_version=4)
    nbformat.validate(nb)
    return nb.cells


def test_papermill_gives_parameters_in_r(run, tmp_path):
    nbformat.write(notebook(('n <- 3\nname <- "a"', 'parameters'),
                            'cat(n * 2, name, class(d$b), length(v), is.null(none), flag, "\\n")'), tmp_path / 'in.ipynb')
    run('papermill', '--no-progress-bar', 'in.ipynb', 'out.ipynb', '-p', 'n', '5', '-p', 'name', 'a "quote" \\ 東京',
        '-y', '{d: {a: 1, b: x}, v: [1, 2.5], none: null, flag: true}')
    cells = read(tmp_path / 'out.ipynb')
    assert cells[1].metadata.tags == ['injected-parameters'] and 'none = NULL' in cells[1].source
    assert stream(cells[2]) == '10 a "quote" \\ 東京 character 2 TRUE TRUE \n'


def test_papermill_stops_at_an_error_and_keeps_what_there_was(run, tmp_path):
    nbformat.write(notebook('cat("first\\n")', 'stop("half way")', '1'), tmp_path / 'in.ipynb')
    done = run('papermill', '--no-progress-bar', '-k', 'carrack', 'in.ipynb', 'out.ipynb', ok=False)
    assert 'half way' in done.stderr
    cells = [c for c in read(tmp_path / 'out.ipynb') if c.cell_type == 'code']
    assert stream(cells[0]) == 'first\n' and errors(cells[1])[0].evalue == 'half way' and cells[2].outputs == []


def test_jupytext_runs_a_script(run, tmp_path):
    (tmp_path / 's.R').write_text('# %% [markdown]\n# # Title\n\n# %%\nx <- 6 * 7\nx\n\n# %%\nplot(cars)\n')
    run('jupytext', '--set-kernel', 'carrack', 's.R')
    assert 'name: carrack' in (tmp_path / 's.R').read_text()
    run('jupytext', '--to', 'ipynb', '--execute', 's.R', '-o', 's.ipynb')
    cells = read(tmp_path / 's.ipynb')
    assert [c.cell_type for c in cells] == ['markdown', 'code', 'code']
    assert values(cells[1]) == ['[1] 42'] and 'image/png' in cells[2].outputs[0].data
    for form, text in ('Rmd', '```{r}\nx <- 6 * 7\nx\n```'), ('md', '```R\nx <- 6 * 7\nx\n```'), ('R:light', 'x <- 6 * 7\nx\n'):
        assert text in run('jupytext', '--to', form, 's.ipynb', '-o', '-').stdout


def test_jupyter_execute(run, tmp_path):
    nbformat.write(notebook('x <- 6', 'x * 7'), tmp_path / 'n.ipynb')
    run('jupyter', 'execute', '--inplace', 'n.ipynb')
    assert values(read(tmp_path / 'n.ipynb')[1]) == ['[1] 42']
    nbformat.write(notebook('Sys.sleep(300)', '1'), tmp_path / 'slow.ipynb')
    done = run('jupyter', 'execute', '--timeout=3', 'slow.ipynb', ok=False)
    assert 'Timeout' in done.stderr


def test_nbconvert_to_latex_with_tables_mathematics_and_plots(run, tmp_path):
    nbformat.write(notebook(
        'options(jupyter.display_mimetypes = c("text/plain", "text/latex"), jupyter.plot_mimetypes = c("image/png", "application/pdf"))',
        'data.frame(a_b = c("50%", "x & y"), n = 1:2)', 'IRdisplay::display_latex("$$\\\\frac{1}{2}$$")', 'plot(cars)'),
        tmp_path / 'in.ipynb')
    run('jupyter', 'nbconvert', '--execute', '--to', 'latex', 'in.ipynb', '--output', 'out')
    tex = (tmp_path / 'out.tex').read_text()
    assert '\\begin{tabular}' in tex and 'x \\& y & 2' in tex and 'a\\_b' in tex and '50\\%' in tex
    assert '\\frac{1}{2}' in tex
    pictures = [f for f in (tmp_path / 'out_files').iterdir() if f.suffix == '.pdf']
    assert len(pictures) == 1 and pictures[0].read_bytes().startswith(b'%PDF') and pictures[0].name in tex


def test_nbconvert_to_markdown(run, tmp_path):
    nbformat.write(notebook('options(jupyter.display_mimetypes = c("text/plain", "text/markdown"))', 'data.frame(a = "x|y")', 'plot(1)'),
                   tmp_path / 'in.ipynb')
    run('jupyter', 'nbconvert', '--execute', '--to', 'markdown', 'in.ipynb', '--output', 'out')
    text = (tmp_path / 'out.md').read_text()
    assert '| x\\|y |' in text and '```R' in text and '![png](out_files/' in text
