"""Text: whole, in order, valid UTF-8, in few messages (issue: "streamed while the cell runs, batched")."""
import time


def test_a_flood_of_small_writes_is_whole_and_few_messages(client):
    n = 100_000
    cell = client.execute(f'flood {n}')
    assert cell.stdout == ''.join(f'{i}\n' for i in range(n))
    assert len(cell.of_type('stream')) < 500


def test_one_large_write(client):
    n = 20_000_000
    cell = client.execute(f'big {n}')
    assert len(cell.stdout) == n
    assert cell.stdout == (''.join(chr(97 + i % 26) * 79 + '\n' for i in range(n // 80)))[:n]


def test_text_is_streamed_while_the_cell_runs(client):
    cell = client.submit('out early\nsleep 60000\nout late')
    cell.wait_output('early')
    assert not cell.done
    client.interrupt()
    assert cell.wait().stdout == 'early\n'


def test_two_streams_in_order(client):
    lines = [f"{'out' if i % 3 else 'err'} {i}" for i in range(300)]
    cell = client.execute('\n'.join(lines))
    story, last = [], None
    for line in lines:
        stream, text = line.split()
        if stream == last:
            story[-1] += text + '\n'
        else:
            story.append(f'{stream}:{text}\n')
        last = stream
    assert cell.story() == story


def test_characters_split_over_writes(client):
    for text in ('é', '€', '𐍈'):
        raw = text.encode()
        cell = client.execute('\nsleep 30\n'.join(f'raw {raw[i:i + 1].hex()}' for i in range(len(raw))))
        assert cell.stdout == text
        assert len(cell.of_type('stream')) == 1


def test_a_character_split_by_other_output(client):
    """The bytes of a character with a display between them: nothing is lost, and what is sent is UTF-8."""
    cell = client.execute('raw 61c3\ndisplay {"data": {}, "metadata": {}}\nraw a962')
    assert cell.stdout in ('aéb', 'a\\xc3\\xa9b')
    assert cell.story()[0].startswith('out:a')


def test_a_character_split_by_the_other_stream(client):
    cell = client.execute('raw c3\nerr x\nraw a9')
    assert cell.stdout in ('é', '\\xc3\\xa9') and cell.stderr == 'x\n'


def test_characters_at_every_offset_of_a_large_text(client):
    """Whatever the sizes in which the text is cut, no character is."""
    text = 'a€𐍈é' * 100_000
    for shift in range(3):
        raw = ('b' * shift + text).encode()
        cell = client.execute('\n'.join(f'raw {raw[i:i + 7919].hex()}' for i in range(0, len(raw), 7919)))
        assert cell.stdout == 'b' * shift + text


NO_CHARACTERS = [
    ('636166e9', 'caf\\xe9'),                    # Latin-1
    ('ff', '\\xff'),
    ('c3', '\\xc3'),                             # the beginning of a character, and no more
    ('c328', '\\xc3('),
    ('c0af', '\\xc0\\xaf'),                      # overlong
    ('eda080', '\\xed\\xa0\\x80'),               # a surrogate
    ('f4908080', '\\xf4\\x90\\x80\\x80'),        # above U+10FFFF
    ('610062', 'a\0b'),
    ('1b5b316d', '\x1b[1m'),
    ('e282', '\\xe2\\x82'),
]


def test_bytes_that_are_no_characters(client):
    for raw, text in NO_CHARACTERS:
        assert client.execute(f'raw {raw}').stdout == text
        assert client.execute('out after').stdout == 'after\n'


def test_invalid_bytes_in_bulk(client):
    cell = client.execute('raw ' + 'ff' * 50_000)
    assert cell.stdout == '\\xff' * 50_000


def test_half_a_character_does_not_pass_to_the_next_cell(client):
    assert client.execute('raw c3').stdout == '\\xc3'
    assert client.execute('raw a9').stdout == '\\xa9'


def test_late_text(client):
    cell = client.execute('child 150 late')
    client.wait(lambda: cell.late, 'late text')
    assert [(m.content['name'], m.content['text']) for m in cell.late] == [('stdout', 'late\n')]


def test_late_text_wakes_an_idle_kernel_at_once(client):
    cell = client.execute('child 300 late')
    client.wait(lambda: cell.late, 'late text')


def test_text_before_the_first_cell_is_published(start):
    """What the session writes while it starts has no parent, or that of whoever asked first."""
    kernel = start(env={'ECHO_START_MS': '300', 'ECHO_START_TEXT': 'hello from the start'})
    client = kernel.client()
    client.execute('out cell')
    text = ''.join(m.content['text'] for m in client.of_type('stream'))
    assert text.endswith('cell\n')
    assert 'hello from the start' in text
