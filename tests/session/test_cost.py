"""What a cell cost is in the metadata of its reply."""


def cost(cell):
    return cell.replies[0].metadata['carrack']


def test_cost(start):
    r = start(session=None).client()
    c = cost(r.execute('Sys.sleep(0.3)'))
    assert 300 <= c['elapsed_ms'] < 30000 and c['cpu_ms'] < c['elapsed_ms'] and c['peak_mb'] > 10
    c = cost(r.execute('x <- 0; while (proc.time()[["user.self"]] < 2) x <- x + 1'))
    assert c['cpu_ms'] > 100
    c = cost(r.execute('invisible(system("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"))'))
    assert c['children_cpu_ms'] > 50
    peak = cost(r.execute('x <- numeric(2e7); x[] <- 1'))['peak_mb']
    assert peak > 150
    assert cost(r.execute('stop("also of errors")'))['elapsed_ms'] >= 0
