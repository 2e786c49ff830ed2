"""qtconsole, without a screen."""
import json
import subprocess
from pathlib import Path

from jupyter_apps import FACTOR


def use(env, tmp_path, *steps):
    (tmp_path / 'steps.json').write_text(json.dumps(steps))
    done = subprocess.run(['/usr/bin/python3', Path(__file__).with_name('qtconsole_user.py'), tmp_path / 'steps.json'],
                          env={**env, 'XDG_RUNTIME_DIR': str(tmp_path)}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=240 * FACTOR, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_session(jupyter_env, tmp_path):
    plain, plot, table, error, question, answered, stopped, after, completed, more, back = use(
        jupyter_env, tmp_path, ('run', 'cat("text\\n"); 6 * 7'), ('run', 'cat("one\\n"); plot(cars); cat("two\\n")'),
        ('run', 'data.frame(colA = 1:2)'), ('run', 'stop("no way")'), ('answer', 'name <- readline("Who? ")'), ('reply', 'Ada'),
        ('interrupt', 'cat("begun\\n"); Sys.sleep(300)'), ('run', 'name'), ('tab', 'quantil'), ('enter', 'f <- function(x) {'), ('up', ''))
    assert 'text\n' in plain['text'] and '[1] 42' in plain['text']
    assert plot['images'] == 1 and plot['text'].index('one') < plot['text'].index('two')
    assert table['text'].count('colA') >= 2 and table['images'] == 0  # as it was typed, and above its column
    assert 'Error' in error['text'] and 'no way' in error['text']
    assert 'Who? ' in question['text'] and 'In [' in answered['text']
    assert '[1] "Ada"' in after['text'] and 'In [' in stopped['text']
    assert completed['input'] == 'quantile'
    assert more['input'] == 'f <- function(x) {\n  '
    assert back['input'] == 'name'
