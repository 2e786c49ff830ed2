"""jupyter console in a terminal (tmux, whose screen can be read)."""
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
    def __init__(self, env):
        super().__init__(env, 'jupyter console --kernel carrack')
        self.at_prompt(1)

    def at_prompt(self, n):
        """Waits for the prompt In [n]: with nothing below it."""
        return self.wait(rf'In \[{n}\]:[^\n]*\Z')

    def run(self, code, n):
        """Types cell n and waits for the prompt after it. Returns what came in between."""
        self.type(code)
        self.keys('Enter')
        screen = self.at_prompt(n + 1)
        return screen.split(f'In [{n}]:')[-1].split(f'In [{n + 1}]:')[0].split('\n', 1)[1].strip()


@pytest.fixture
def console(jupyter_env):
    terminal = Console(jupyter_env)
    yield terminal
    terminal.close()


def test_banner_values_and_text(console):
    assert 'R version' in console.screen()
    assert '[1] 42' in console.run('6 * 7', 1)
    assert console.run('cat("plain\\n")', 2) == 'plain'
    assert 'ÆØÅ 東京' in console.run('toupper("æøå 東京")', 3)


def test_an_error_and_on(console):
    out = console.run('stop("went wrong")', 1)
    assert 'went wrong' in out
    assert '[1] 2' in console.run('1 + 1', 2)


def test_input_of_several_lines(console):
    console.type('f <- function(x) {')
    console.keys('Enter')
    console.wait(r'^\s+\.\.\.:')  # the console asks the kernel whether this is complete
    console.type('x + 1')
    console.keys('Enter')
    console.type('}')
    console.keys('Enter')
    # prompt_toolkit wants an empty line after several
    time.sleep(0.5)
    if not re.search(r'In \[2\]:[^\n]*\Z', console.screen()):
        console.keys('Enter')
    console.at_prompt(2)
    assert '[1] 42' in console.run('f(41)', 2)


def test_interrupt(console):
    console.type('cat("begun\\n"); Sys.sleep(60)')
    console.keys('Enter')
    console.wait(r'^begun')
    begin = time.monotonic()
    console.keys('C-c')
    console.at_prompt(2)
    assert time.monotonic() - begin < 10 * FACTOR
    assert '[1] "still here"' in console.run('"still here"', 2)


def test_interrupt_of_a_loop_in_r(console):
    console.type('i <- 0; cat("begun\\n"); repeat i <- i + 1')
    console.keys('Enter')
    console.wait(r'^begun')
    console.keys('C-c')
    console.at_prompt(2)
    assert '[1] TRUE' in console.run('i > 0', 2)


def test_question_and_answer(console):
    console.type('name <- readline("Who is there? ")')
    console.keys('Enter')
    console.wait(r'Who is there\? ?')
    console.type('Ada')
    console.keys('Enter')
    console.at_prompt(2)
    assert '[1] "Ada"' in console.run('name', 2)


def test_exit_by_key(console):
    console.keys('C-d')
    console.wait(r'Do you really want to exit|exit code')
    if 'exit code' not in console.screen():
        console.type('y')
        console.keys('Enter')
    console.wait(r'^exit code 0')


def test_exit_by_word(console):
    console.type('exit')
    console.keys('Enter')
    console.wait(r'^exit code 0')


def test_q(console):
    console.type('q("no")')
    console.keys('Enter')
    console.wait(r'^exit code 0|In \[2\]:')
