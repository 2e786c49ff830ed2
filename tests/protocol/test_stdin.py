"""input_request and input_reply (messaging spec, "Messages on the stdin channel")."""
import time


def test_input(client):
    cell = client.submit('out a\ninput name? \nout b')
    question = client.wait_input(cell)
    assert question.content == {'prompt': 'name? ', 'password': False}
    assert question.parent == cell.header
    client.answer(question, 'Ada')
    assert cell.wait().stdout == 'a\nAda\nb\n'


def test_password(client):
    cell = client.submit('password secret: ')
    question = client.wait_input(cell)
    assert question.content == {'prompt': 'secret: ', 'password': True}
    client.answer(question, 'xyzzy')
    assert cell.wait().stdout == 'xyzzy\n'


def test_any_value(client):
    for value in ('', 'é𐍈"\\\n\t', 'x' * 500_000):
        assert client.execute('input ? ', inputs=[value]).stdout == value + '\n'


def test_several_questions(client):
    cell = client.execute('\n'.join(f'input {i}? ' for i in range(20)), inputs=[str(i) for i in range(20)])
    assert cell.stdout == ''.join(f'{i}\n' for i in range(20))
    assert [m.content['prompt'] for m in cell.messages('stdin')] == [f'{i}? ' for i in range(20)]


def test_not_allowed(client):
    cell = client.execute('input ? ', allow_stdin=False)
    assert cell.error['ename'] == 'StdinNotAllowed' and client.received['stdin'] == []


def test_the_answer_may_lack_its_parent(client):
    """Older clients answer without a parent header."""
    cell = client.submit('input ? ')
    client.wait_input(cell)
    client.send_raw('stdin', client.frames(client.header('input_reply'), {'value': 'orphan'}))
    assert cell.wait().stdout == 'orphan\n'


def test_an_unasked_answer_is_thrown_away(client):
    client.send_raw('stdin', client.frames(client.header('input_reply'), {'value': 'early'}))
    client.settle()
    assert client.execute('input ? ', inputs=['asked']).stdout == 'asked\n'


def test_a_second_answer_is_thrown_away(client):
    cell = client.submit('input 1? \nsleep 200\ninput 2? ')
    first = client.wait_input(cell)
    client.answer(first, 'one')
    client.answer(first, 'one again')
    second = client.wait_input(cell, 1)
    client.answer(first, 'one more')  # it names the first question
    client.answer(second, 'two')
    assert cell.wait().stdout == 'one\ntwo\n'


def test_interrupt_while_waiting_and_a_late_answer(client):
    cell = client.submit('input ? \nout never')
    question = client.wait_input(cell)
    client.interrupt()
    assert cell.wait().error['ename'] == 'interrupt' and cell.stdout == ''
    client.answer(question, 'too late')
    assert client.execute('input ? ', inputs=['in time']).stdout == 'in time\n'


def test_interrupt_right_after_the_answer(client):
    for i in range(20):
        cell = client.submit('input ? \nsleep 5000')
        client.answer(client.wait_input(cell), 'x')
        client.interrupt()
        assert cell.wait().status == 'error'
    assert client.execute('fine').result == 'fine'


def test_each_client_hears_its_own_questions(kernel):
    a, b = kernel.client(), kernel.client()
    cells = {a: a.submit('input a? '), b: b.submit('input b? ')}
    for client, name in ((a, 'a'), (b, 'b')):
        question = client.wait_input(cells[client])
        assert question.content['prompt'] == f'{name}? '
        client.answer(question, name)
    assert cells[a].wait().stdout == 'a\n' and cells[b].wait().stdout == 'b\n'
    assert [len(c.received['stdin']) for c in (a, b)] == [1, 1]


def test_the_answer_of_another_client_is_thrown_away(kernel):
    a, b = kernel.client(), kernel.client()
    cell = a.submit('input ? ')
    question = a.wait_input(cell)
    b.send_raw('stdin', b.frames(b.header('input_reply'), {'value': 'thief'}, parent=question.header))
    b.send_raw('stdin', b.frames(b.header('input_reply'), {'value': 'thief'}))
    b.settle()
    assert not cell.done
    a.answer(question, 'owner')
    assert cell.wait().stdout == 'owner\n'


def test_the_rest_is_served_while_a_question_waits(client):
    cell = client.submit('input ? ')
    question = client.wait_input(cell)
    begin = time.monotonic()
    assert client.kernel_info('control')['execution_state'] == 'busy'
    assert client.kernel_info('shell')['status'] == 'ok'
    assert client.heartbeat() == b'ping'
    assert time.monotonic() - begin < 30
    client.answer(question, 'x')
    cell.wait()


def test_a_bad_answer_is_no_answer(client):
    cell = client.submit('input ? ')
    question = client.wait_input(cell)
    for content in (b'{}', b'{"value": 3}', b'{"value": null}', b'[]', b'nonsense'):
        client.send_raw('stdin', client.frames(client.header('input_reply'), content, parent=question.header))
    client.settle()
    client.answer(question, 'good')
    assert cell.wait().stdout == 'good\n'


def test_other_messages_on_stdin_are_ignored(client):
    cell = client.submit('input ? ')
    question = client.wait_input(cell)
    client.send_raw('stdin', client.frames(client.header('execute_request'), {'code': 'out no'}))
    client.send_raw('stdin', [b'x'])
    client.send_raw('stdin', client.frames(client.header('input_reply'), {'value': 'forged'}, key=b'wrong'))
    client.settle()
    client.answer(question, 'good')
    assert cell.wait().stdout == 'good\n'
