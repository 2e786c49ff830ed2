"""What R would show in a pager, a browser or a window is shown in the cell."""
import pytest


@pytest.fixture(scope='module')
def r():
    from carrack_client import Kernel
    with Kernel(session=None, args=['--session-mode', 'notebook']) as kernel:
        yield kernel.client()


def shown(cell):
    return [m.content['data'] for m in cell.messages() if m.type in ('display_data', 'execute_result')]


@pytest.mark.parametrize('code', ['?mean', 'help("mean")', 'x <- ?mean; x'])
def test_help(r, code):
    data, = shown(r.execute(code))
    assert 'Arithmetic Mean' in data['text/plain'] and '\b' not in data['text/plain']
    assert 'Arithmetic Mean' in data['text/html'] and '<code' in data['text/html']
    assert 'href="../' not in data['text/html']


def test_help_of_nothing(r):
    data, = shown(r.execute('?no_such_topic_at_all'))
    assert 'No documentation' in data['text/plain']


@pytest.mark.parametrize('code, part', [
    ('data(package = "datasets")', 'AirPassengers'),
    ('help.search("linear models", package = "stats")', 'stats::lm'),
    ('file.show(file.path(R.home("doc"), "COPYING"))', 'GNU GENERAL PUBLIC LICENSE'),
    ('page(letters, method = "print")', '"a" "b"'),
    ('RShowDoc("COPYING")', 'GNU GENERAL PUBLIC LICENSE'),
])
def test_pages(r, code, part):
    cell = r.execute(code)
    assert any(part in data['text/plain'] for data in shown(cell)), (cell.outputs, cell.stderr)


def test_urls_are_links(r):
    data, = shown(r.execute('browseURL("https://www.r-project.org/?a=1&b=\\"2\\"")'))
    assert data['text/plain'].startswith('https://www.r-project.org')
    assert '<a href="https://www.r-project.org/?a=1&amp;b=%222%22"' in data['text/html']


def test_view(r):
    data, = shown(r.execute('View(mtcars, "cars")'))
    assert 'Mazda RX4' in data['text/html'] and 'cars' in data['text/html'] and '<table' in data['text/html']
    assert '[32 of 32 rows]' not in data['text/plain'] and data['text/plain'].startswith('cars')
    data, = shown(r.execute('View(data.frame(a = 1:1000, b = "<x>"))'))
    assert '&lt;x&gt;' in data['text/html'] and '[60 of 1000 rows]' in data['text/plain']


def test_example_runs(r):
    cell = r.execute('example(mean, echo = TRUE)')
    assert '[1] 8.75 5.50' in cell.stdout


def test_a_pager_of_the_user_stays(r):
    cell = r.execute('options(pager = function(files, ...) cat("mine", length(files))); file.show(file.path(R.home("doc"), "COPYING"))')
    assert cell.stdout == 'mine 1' and not shown(cell)
