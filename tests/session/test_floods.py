"""Output in masses, by R, by C code and by children: complete, in order, within bounds of memory (docs/reliability.md).

With CARRACK_PROOF set (`make proof`) the sizes are those that are promised: 10 GB, 1,000 displays, values of 100 MB."""
import os
import subprocess

import pytest
from carrack_client.flood import BLOCK, Meter, Reader

PROOF = bool(os.environ.get('CARRACK_PROOF'))
MB = 1_000_000

C_CODE = r'''
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static char body[1000000];
static void make_body(void) {
	int at = 0;
	for (int i = 1; i < 12500; i++) {
		at += sprintf(body + at, "%07d ", i);
		memset(body + at, 'x', 71);
		at += 71;
		body[at++] = '\n';
	}
}
static void put(const char *s, size_t n) {
	while (n) {
		ssize_t k = write(1, s, n);
		if (k < 0 && errno != EINTR) return;
		if (k > 0) { s += k; n -= k; }
	}
}
#ifdef MAIN
int main(int argc, char **argv) {
	long n;
	char line[81];
	sscanf(argv[1], "%ld", &n);
	make_body();
	for (long b = 1; b <= n; b++) { put(line, sprintf(line, "%079ld\n", b)); put(body, strlen(body)); }
	return 0;
}
#else
#include <R.h>
#include <Rinternals.h>
#include <sys/resource.h>
/* So many megabytes of addresses more than are in use now; 0: no limit. */
SEXP c_room(SEXP mb) {
	struct rlimit l;
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (fscanf(f, "%ld", &pages) != 1) pages = 0;
	fclose(f);
	getrlimit(RLIMIT_AS, &l);
	l.rlim_cur = asReal(mb) ? pages * sysconf(_SC_PAGESIZE) + asReal(mb) * 1e6 : RLIM_INFINITY;
	return ScalarInteger(setrlimit(RLIMIT_AS, &l));
}
SEXP c_pour(SEXP how, SEXP blocks) {
	char line[81];
	make_body();
	for (long b = 1; b <= (long) asReal(blocks); b++) {
		int n = sprintf(line, "%079ld\n", b);
		if (asInteger(how) == 0) { printf("%s", line); printf("%s", body); }
		if (asInteger(how) == 1) { Rprintf("%s", line); Rprintf("%s", body); }
		if (asInteger(how) == 2) { put(line, n); put(body, strlen(body)); }
		if (asInteger(how) == 0) fflush(stdout);
		R_CheckUserInterrupt();
	}
	return R_NilValue;
}
#endif
'''

SETUP = '''
dyn.load("{place}/pour.so"); pour <- function(how, n) invisible(.Call("c_pour", how, as.double(n)))
lines <- sprintf("%07d %s\\n", 1:12499, strrep("x", 71)); body <- paste0(lines, collapse = "")
invisible(NULL)'''

# How a million bytes, or n of them, are written; how many in the long run.
WAYS = {
    'lines': ('for (b in seq_len({n})) {{ cat(sprintf("%079d\\n", b)); for (l in lines) cat(l) }}', 200),
    'cat': ('for (b in seq_len({n})) cat(sprintf("%079d\\n", b), body, sep = "")', 10000),
    'printf': ('pour(0L, {n})', 10000),
    'Rprintf': ('pour(1L, {n})', 10000),
    'write': ('pour(2L, {n})', 10000),
    'child': ('invisible(system("{place}/pour {n}"))', 10000),
}


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp('pour')
    (place / 'pour.c').write_text(C_CODE)
    subprocess.run(['R', 'CMD', 'SHLIB', 'pour.c'], cwd=place, check=True, capture_output=True)
    subprocess.run(['cc', '-O2', '-DMAIN', '-o', 'pour', 'pour.c'], cwd=place, check=True)
    return place


@pytest.fixture
def r(start, place):
    """A client that hears nothing: what is published is left to readers."""
    client = start(session=None).client(subscribe=None)
    assert client.submit(SETUP.replace('{place}', str(place))).wait_reply().status == 'ok'
    return client


def session_of(client):
    """The process id of R."""
    reader = Reader(client.kernel)
    cell, out = client.submit('cat(Sys.getpid())'), []
    reader.read(cell, lambda m: out.append(m.content.get('text', '')))
    reader.close()
    return int(''.join(out))


@pytest.mark.parametrize('way', WAYS)
def test_it_is_complete(r, place, way):
    code, most = WAYS[way]
    n = most if PROOF else 30
    session, reader = session_of(r), Reader(r.kernel)
    with Meter(r.kernel, session) as meter:
        cell = r.submit(code.format(n=n, place=place))
        assert reader.read_blocks(cell) == n
        assert cell.wait_reply().status == 'ok'
    assert reader.bytes == n * BLOCK
    assert r.kernel.peak() < 256 * MB
    if PROOF:
        print('\n' + meter.line(way, n * BLOCK))
    if PROOF and way == 'lines':
        assert meter.own < meter.r / 2
    reader.close()


def show(n, mb):
    return f'''for (i in seq_len({n}))
        IRdisplay::publish_mimebundle(list("text/plain" = strrep(letters[(i - 1) %% 26 + 1], {mb}e6)))'''


def test_many_large_displays(r):
    n, seen, reader = 1000 if PROOF else 80, [], Reader(r.kernel)

    def take(m):
        if m.type == 'display_data':
            text = m.content['data']['text/plain']
            seen.append((text[0], len(text), len(set(text))))
    cell = r.submit(show(n, 1))
    reader.read(cell, take)
    assert seen == [(chr(97 + i % 26), MB, 1) for i in range(n)]
    assert cell.wait_reply().status == 'ok'
    assert r.kernel.peak() < 256 * MB
    if PROOF:
        print(f'\n{n} displays of 1 MB: most memory of the kernel {r.kernel.peak() / 1e6:.0f} MB')


ONE = 100 if PROOF else 20  # MB


@pytest.mark.parametrize('what, code', [
    ('display_data', show(1, ONE)),
    ('stream', f'strrep("a", {ONE}e6)'),
    ('error', f'stop(structure(class = c("big", "error", "condition"), list(message = strrep("a", {ONE / 5}e6), call = NULL)))'),
    ('comm_open', f'getOption("jupyter.comm_manager")()$new_comm("t")$open(buffers = list(raw({ONE}e6)))'),
])
def test_one_large_value(r, what, code):
    got, reader = [], Reader(r.kernel)
    cell = r.submit(code)
    reader.read(cell, got.append)
    assert cell.wait_reply().status == ('error' if what == 'error' else 'ok')
    if what == 'display_data':
        [text] = [m.content['data']['text/plain'] for m in got if m.type == what]
    elif what == 'stream':  # as a result while it is short enough for one (64 MB)
        text = ''.join(m.content['text'] if m.type == 'stream' else m.content['data']['text/plain']
                       for m in got if m.type in ('stream', 'execute_result'))
        assert text.startswith('[1] "') and text.rstrip('\n').endswith('"')
        text = text[5:].rstrip('\n')[:-1]
    elif what == 'error':
        [text] = [m.content['evalue'] for m in got if m.type == what]
        assert cell.reply['evalue'] == text
        text *= 5
    else:
        [text] = ['a' * len(b) for m in got if m.type == what for b in m.buffers if not any(b)]
    assert text == 'a' * (ONE * MB)
    if PROOF:
        print(f'\n{what} of {ONE} MB: most memory of the kernel {r.kernel.peak() / 1e6:.0f} MB')
    assert r.kernel.peak() < ONE * MB + 80 * MB  # itself, and what may be on its way besides


@pytest.mark.parametrize('size', [10, 5000, 70_000, 3_000_000])
def test_every_part_of_a_message_arrives_whole(r, size):
    """Small parts are copied on their way and large ones are not, those of a large frame lie in it beside each other."""
    got, reader = [], Reader(r.kernel)
    cell = r.submit(f'''
        x <- function(letter) list(x = strrep(letter, {size}))
        comm <- getOption("jupyter.comm_manager")()$new_comm("t")
        comm$open(x("a"), metadata = x("b"), buffers = list(raw(0), as.raw(rep_len(1:250, {size})), as.raw(1:3)))
        IRdisplay::publish_mimebundle(list("text/plain" = strrep("c", {size})))''')
    reader.read(cell, got.append)
    assert cell.wait_reply().status == 'ok', cell.reply
    [opened] = [m for m in got if m.type == 'comm_open']
    assert opened.content['data'] == {'x': 'a' * size} and opened.metadata == {'x': 'b' * size}
    assert [bytes(b) for b in opened.buffers] == [b'', bytes(i % 250 + 1 for i in range(size)), b'\1\2\3']
    assert [m.content['data'] for m in got if m.type == 'display_data'] == [{'text/plain': 'c' * size}]


def test_what_cannot_be_sent_is_said(r):
    """Wherever on the way of a display memory ends, the user sees it, or an error, or that it was not sent."""
    r.kernel.expect_log('larger than a message may be, or memory is short')
    story, reader = [], Reader(r.kernel)
    room = range(4, 88, 4) if r.kernel.peak() else [0]  # AddressSanitizer needs all the addresses that there are
    cell = r.submit(f'''
        x <- strrep("a", 1e7); show <- function() IRdisplay::publish_mimebundle(list("text/plain" = x))
        options(warn = -1); show()
        for (mb in c({", ".join(map(str, room))})) {{
            cat("|")
            .Call("c_room", as.double(mb)); tryCatch(show(), error = function(e) cat("error")); .Call("c_room", 0)
        }}''')
    reader.read(cell, lambda m: story.append(m.content['text'] if m.type == 'stream' else
                                             'shown' if m.type == 'display_data' else ''))
    assert cell.wait_reply().status == 'ok', cell.reply
    ends = ''.join(story).split('|')[1:]
    assert len(ends) == len(room) and 'shown' in ends
    assert [e for e in ends if e not in ('shown', 'error') and not (
        'A message (display_data) is larger' in e and e.endswith('it was not sent.\n'))] == []


@pytest.mark.skipif(not PROOF, reason='needs 4 GB of memory')
@pytest.mark.parametrize('less', range(0, 200, 40))
def test_the_ceiling_is_said(r, less):
    """Around 1 GB: what fits is shown, what does not is said to be too large, by R or by the session."""
    r.kernel.expect_log('larger than a message may be')
    got, reader = [], Reader(r.kernel)
    cell = r.submit(f'IRdisplay::publish_mimebundle(list("text/plain" = strrep("a", 2^30 - {less})))')
    reader.read(cell, lambda m: got.append((m.type, m.content.get('text', '') + m.content.get('evalue', ''))))
    cell.wait_reply()
    assert any(t == 'display_data' or 'larger than a message may be' in text for t, text in got)


@pytest.mark.parametrize('code', [
    'repeat cat(body)', 'cat(strrep(body, 150))', 'pour(0L, 1e5)', 'pour(1L, 1e5)', 'system("yes")', 'repeat print(lines)'])
def test_an_interrupt_does_not_wait_for_a_slow_client(start, place, code):
    """R waits, as nobody reads; it stops nevertheless, its cell ends, and those who do read hear it."""
    kernel = start(session=None)
    client, slow = kernel.client(), kernel.client(slow=True)
    slow.read_iopub(lambda ms: ms, 'iopub_welcome')
    client.execute(SETUP.replace('{place}', str(place)))
    cell = client.submit(code)
    client.wait(lambda: sum(len(m.content['text']) for m in cell.messages() if m.type == 'stream') > 32 * MB, 'text')
    while client.pump(1):
        pass
    assert not cell.done
    client.interrupt()
    cell.wait()
    assert kernel.peak() < 256 * MB
    after = client.submit('cat("after")').wait_started()
    slow.close()
    assert after.wait().stdout == 'after'
