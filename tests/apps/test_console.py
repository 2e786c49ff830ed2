"""jupyter console in a terminal (tmux, whose screen can be read).

Most of it with --simple-prompt, because the full prompt of Debian 12's jupyter console has two defects that show with
any kernel: it loses its handler of Ctrl-C after the first line (prompt_toolkit resets the signal), and it runs one event
loop inside another, so that now and then an exception of its own comes out of it instead of what was typed. So several
lines, for which the full prompt is needed, are tried again when that has happened; and a cell that ends at once comes
first, since output that arrives while the console is still starting can stay unseen until the cell is over.
"""
import re
import subprocess
import time
import uuid

import pytest

from jupyter_apps import FACTOR


class Terminal:
    def __init__(self, env, command):
        self.name = f'carrack-{uuid.uuid4().hex[:8]}'
        self.env = {**env, 'TERM': 'xterm-256color'}
        self.env.pop('TMUX', None)
        # The shell stays when the program has ended, so that its exit code can be seen.
        self.tmux('-f', '/dev/null', 'new-session', '-d', '-x', '120', '-y', '50',
                  f'{command}; echo "exit code $?"; exec sleep 600')

    def tmux(self, *words):
        return subprocess.run(['tmux', '-u', '-L', self.name, *words], env=self.env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=True).stdout

    def type(self, text):
        self.tmux('send-keys', '-l', text)

    def keys(self, *names):
        self.tmux('send-keys', *names)

    def screen(self):
        return '\n'.join(line.rstrip() for line in self.tmux('capture-pane', '-p', '-S', '-200').rstrip().split('\n'))

    def wait(self, pattern, limit=30):
        end = time.monotonic() + limit * FACTOR
        while time.monotonic() < end:
            if re.search(pattern, self.screen(), re.M):
                return self.screen()
            time.sleep(0.05)
        raise AssertionError(f'{pattern!r} did not come; the screen is\n{self.screen()}')

    def close(self):
        subprocess.run(['tmux', '-L', self.name, 'kill-server'], env=self.env, capture_output=True, check=False)


class Console(Terminal):
    """`n` is the number of the prompt that the console shows."""

    def __init__(self, env, *options):
        super().__init__(env, ' '.join(['jupyter console --kernel carrack', *options]))
        self.n = 0
        try:
            self.next_prompt()
            time.sleep(1)
            assert self.run('cat("ready\\n")') == 'ready'
        except AssertionError:
            self.close()
            raise

    def next_prompt(self):
        """Waits for the next prompt with nothing after it."""
        self.n += 1
        screen = self.wait(rf'In \[{self.n}\]:\s*\Z')
        return screen.split(f'In [{self.n - 1}]:')[-1].split(f'In [{self.n}]:')[0].partition('\n')[2].strip()

    def enter(self, text):
        self.type(text)
        self.wait(re.escape(text.rstrip()) + r'\s*\Z')
        time.sleep(0.2)
        self.keys('Enter')

    def run(self, code):
        """Types a cell and returns what is between it and the prompt after it."""
        self.enter(code)
        return self.next_prompt()


@pytest.fixture
def console(jupyter_env):
    terminal = Console(jupyter_env, '--simple-prompt')
    yield terminal
    terminal.close()


def with_full_prompt(env, use):
    """Runs use(console); again, twice at most, if the console broke down by itself."""
    for attempt in range(3):
        terminal = None
        try:
            terminal = Console(env)
            return use(terminal)
        except AssertionError as e:
            if 'Unhandled exception in event loop' not in str(e) or attempt == 2:
                raise
        finally:
            if terminal:
                terminal.close()


def test_the_full_prompt(jupyter_env):
    def use(console):
        assert 'R 4.' in console.screen()
        assert '[1] 42' in console.run('6 * 7')
        console.keys('C-d')
        console.wait('Do you really want to exit')
        console.keys('y', 'Enter')
        console.wait(r'^exit code 0')
    with_full_prompt(jupyter_env, use)


def test_input_of_several_lines(jupyter_env):
    def use(console):
        for line in ('f <- function(x) {', 'x +', '1'):
            console.enter(line)
            console.wait(r'\.\.\.:\s*\Z')  # the console asks the kernel whether this is complete
            time.sleep(0.3)
        console.enter('}')
        console.next_prompt()
        assert '[1] 42' in console.run('f(41)')
    with_full_prompt(jupyter_env, use)


def test_values_and_text(console):
    assert '[1] 42' in console.run('6 * 7')
    assert console.run('cat("plain\\n")') == 'plain'
    assert 'ÆØÅ 東京' in console.run('toupper("æøå 東京")')
    assert console.run('invisible(1)') == ''


def test_an_error_and_on(console):
    assert 'Error in f() : went wrong' in console.run('f <- function() stop("went wrong"); f()')
    assert '[1] 2' in console.run('1 + 1')


def test_a_syntax_error(console):
    assert "unexpected ')'" in console.run('x <- )')
    assert '[1] 1' in console.run('1')


def test_interrupt(console):
    console.enter('cat("begun\\n"); Sys.sleep(60); cat("not this\\n")')
    console.wait(r'^begun')
    begin = time.monotonic()
    console.keys('C-c')
    assert not re.search('^not this', console.next_prompt(), re.M)
    assert time.monotonic() - begin < 10 * FACTOR
    assert '[1] "still here"' in console.run('"still here"')


def test_interrupt_of_a_loop_in_r(console):
    console.enter('i <- 0; cat("begun\\n"); repeat i <- i + 1')
    console.wait(r'^begun')
    console.keys('C-c')
    console.next_prompt()
    assert '[1] TRUE' in console.run('i > 0')


def test_interrupt_of_a_child(console):
    console.enter('system("echo begun; sleep 60")')
    console.wait(r'^begun')
    console.keys('C-c')
    console.next_prompt()
    assert '[1] 1' in console.run('1')


def test_question_and_answer(console):
    console.enter('name <- readline("Who is there? ")')
    console.wait(r'^Who is there\?\s*\Z')
    console.enter('Ada')
    console.next_prompt()
    assert '[1] "Ada"' in console.run('name')


def test_interrupt_of_a_question(console):
    console.enter('name <- readline("Who is there? ")')
    console.wait(r'^Who is there\?\s*\Z')
    console.keys('C-c')
    console.next_prompt()
    assert '[1] FALSE' in console.run('exists("name")')


def test_exit_by_key(console):
    console.keys('C-d')
    console.wait('Do you really want to exit')
    console.enter('y')
    console.wait(r'^exit code 0')


def test_exit_by_q(console):
    console.enter('q("no")')
    console.wait(r'^exit code 0')


def test_q_asks_first(console):
    """c goes on, n ends without a file, and Ctrl-C at the question goes on as well."""
    console.run('setwd(tempdir())')
    question = r'^Save workspace image\? \[y/n/c\]:\s*\Z'
    for answer in ('c', None):
        console.enter('q("ask")')
        console.wait(question)
        if answer:
            console.enter(answer)
        else:
            console.keys('C-c')
        console.next_prompt()
        assert '[1] FALSE' in console.run('file.exists(".RData")')
    console.enter('q("ask")')
    console.wait(question)
    console.enter('n')
    console.wait(r'^exit code 0')


def test_q_saves_the_workspace(jupyter_env, tmp_path):
    terminal = Console(jupyter_env, '--simple-prompt')
    try:
        terminal.run(f'setwd("{tmp_path}"); kept <- 1')
        terminal.enter('q("ask")')
        terminal.wait(r'^Save workspace image\? \[y/n/c\]:\s*\Z')
        terminal.enter('y')
        terminal.wait(r'^exit code 0')
    finally:
        terminal.close()
    assert (tmp_path / '.RData').stat().st_size > 0


def test_a_picture_is_told_in_words_and_a_table_once(console):
    console.run('setwd(tempdir())')
    assert '[plot of 7 x 7 inches; dev.print(pdf, "plot.pdf") saves it]' in console.run('plot(cars)')
    console.run('invisible(dev.print(pdf, "plot.pdf"))')
    assert '[1] TRUE' in console.run('file.size("plot.pdf") > 3000')
    shown = console.run('data.frame(colA = 1:2)')
    assert shown.count('colA') == 1 and '<' not in shown


def test_menus_and_the_debugger_ask(console):
    console.enter('chosen <- menu(c("red", "green"), title = "Colour?")')
    console.wait(r'2: green[\s\S]*Selection:\s*\Z')
    console.enter('2')
    console.next_prompt()
    assert '[1] 2' in console.run('chosen')
    console.enter('(function(inside) { browser(); inside + 1 })(41)')
    console.wait(r'Browse\[1\]>\s*\Z')
    console.enter('inside * 2')
    console.wait(r'\[1\] 82[\s\S]*Browse\[1\]>\s*\Z')
    console.enter('c')
    assert '[1] 42' in console.next_prompt()


def test_lines_are_indented_and_history_is_there_after_a_restart(jupyter_env):
    def use(console):
        console.enter('c(1, 2) |>')
        console.wait(r'\.\.\.:\s*\Z')
        time.sleep(0.3)
        console.enter('sum()')
        assert '[1] 3' in console.next_prompt()
        lines = console.screen().split('\n')
        head = next(line for line in lines if line.rstrip().endswith('c(1, 2) |>'))
        rest = next(line for line in lines if line.rstrip().endswith('sum()'))
        assert rest.index('sum') == head.index('c(') + 2
        console.run('remembered <- "x"')
        console.keys('C-d')
        console.wait('Do you really want to exit')
        console.keys('y', 'Enter')
        console.wait(r'^exit code 0')
    with_full_prompt(jupyter_env, use)

    def again(console):
        for _ in range(12):  # what is typed at the beginning of a console of these tests, and what attempts before this one left
            console.keys('Up')
            time.sleep(0.3)
            if 'remembered <- "x"' in console.screen():
                return
        raise AssertionError(console.screen())
    with_full_prompt(jupyter_env, again)
