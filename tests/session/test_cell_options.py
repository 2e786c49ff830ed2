"""The `#|` lines at the head of a cell."""
import base64
import struct

import pytest


@pytest.fixture(scope='module')
def r():
    from carrack_client import Kernel
    with Kernel(session=None, args=['--session-mode', 'notebook']) as kernel:
        yield kernel.client()


def picture(cell):
    return next(m.content for m in cell.messages() if m.type == 'display_data' and set(m.content['data']) - {'text/plain'})


def png_size(content):
    return struct.unpack('>II', base64.b64decode(content['data']['image/png'])[16:24])


def test_figures(r):
    cell = r.execute('#| fig-width: 5\n#| fig-height: 3\n#| fig-dpi: 100\nplot(1)')
    assert png_size(picture(cell)) == (500, 300) and not cell.stderr
    assert picture(cell)['metadata']['image/png'] == {'width': 480, 'height': 288}
    assert png_size(picture(r.execute('plot(1)'))) == (840, 840), 'options end with their cell'
    assert 'image/svg+xml' in picture(r.execute('#| fig-format: svg\nplot(1)'))['data']
    assert png_size(picture(r.execute('\n#|fig-width:   4\n#| fig-height: 2.5\n#| fig-format: retina\nplot(1)'))) == (768, 480)


def test_warnings_and_messages(r):
    code = 'warning("W"); message("M"); f <- function() as.integer("x"); x <- f(); cat("end")'
    cell = r.execute(code)
    assert 'W' in cell.stderr and 'M' in cell.stderr and 'NAs introduced' in cell.stderr
    assert r.execute('#| warning: false\n' + code).stderr == 'M\n'
    cell = r.execute('#| message: no\n' + code)
    assert 'W' in cell.stderr and 'M\n' not in cell.stderr.splitlines(True)
    assert r.execute('#| message: false\n#| warning: FALSE\n' + code).stderr == ''
    assert 'W' in r.execute(code).stderr


def test_errors(r):
    cell = r.execute('#| error: true\ncat("a")\nstop("E1")\ncat("b")\nlog("x")\n5')
    assert cell.status == 'ok' and cell.stdout == 'ab'
    assert [m.content['evalue'] for m in cell.messages() if m.type == 'error'] == ['E1', 'non-numeric argument to mathematical function']
    assert cell.result == '[1] 5'
    assert r.execute('#| error: false\nstop("E")\n1').status == 'error'


@pytest.mark.parametrize('code', ['repeat {}', 'Sys.sleep(600)', 'invisible(system("sleep 600"))', 'tryCatch(Sys.sleep(600), interrupt = function(e) repeat {})'])
def test_timeout(r, code):
    cell = r.execute(f'#| timeout: 0.5\ncat("a")\n{code}\ncat("b")')
    assert cell.status == 'error' and cell.stdout == 'a'
    assert cell.error['ename'] == 'timeout' and '0.5 s' in cell.error['evalue']
    assert r.execute('#| timeout: 60\ncat("fine")').stdout == 'fine'


def test_options_of_other_tools_are_left_alone(r):
    cell = r.execute('#| label: fig-x\n#| echo: false\n#| fig-cap:\n#|   - "one: two"\n#|   - three\n#| layout: [[1,2], {a: b}]\n#| cache: true\ncat("ok")')
    assert cell.stdout == 'ok' and cell.stderr == ''


@pytest.mark.parametrize('lines, words', [
    ('#| fig-width: wide', '`fig-width`: expected a number above 0, got `wide`'),
    ('#| fig-width: -1', 'expected a number above 0, got `-1`'),
    ('#| fig-width: [1, 2]', '`fig-width`: expected a number above 0, got a list'),
    ('#| warning: maybe', '`warning`: expected true or false'),
    ('#| fig-format: bmp', 'png, retina, svg, jpeg or pdf'),
    ('#| a: "b', 'cannot be read as YAML'),
    ('#| just words', 'not a list of'),
])
def test_wrong_values_are_a_warning_on_the_cell(r, lines, words):
    cell = r.execute(lines + '\ncat("ran")')
    assert words in cell.stderr and cell.stdout == 'ran' and cell.status == 'ok'


def test_only_at_the_head(r):
    assert r.execute('1 -> x\n#| error: true\nstop("E")\ncat("no")').status == 'error'
