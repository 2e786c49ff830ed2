"""What R asks a front end that has opened positron.ui, and waits for: rpc_request on stdin. With a client that knows Positron's contract
(ui-frontend) and package rstudioapi as people call it."""
import urllib.request

import pytest

DOCUMENT = {
    'document': {'path': 'file:///home/ada/a.R', 'eol': '\n', 'is_closed': False, 'is_dirty': True, 'is_untitled': False,
                 'language_id': 'r', 'line_count': 2, 'version': 3},
    'contents': ['x <- "é"', 'x'],
    'selection': {'active': {'line': 1, 'character': 1}, 'start': {'line': 1, 'character': 0}, 'end': {'line': 1, 'character': 1}, 'text': 'x'},
    'selections': [{'active': {'line': 1, 'character': 1}, 'start': {'line': 1, 'character': 0}, 'end': {'line': 1, 'character': 1},
                    'text': 'x'}]}


class FrontEnd:
    """Opens the comm, and answers what cells ask."""

    def __init__(self, kernel, id='ui'):
        self.kernel, self.client, self.id = kernel, kernel.client(), id
        self.client.wait_idle(self.client.request('comm_open', {'comm_id': id, 'target_name': 'positron.ui', 'data': {}}))

    def run(self, code, *answers, **content):
        """A cell, whose questions get these answers. What it asked is in `asked`."""
        cell = self.client.submit(code, **content)
        for answer in answers:
            self.client.answer(self.client.wait_input(cell), **answer)
        cell.wait()
        self.asked = [(m.content['method'], m.content['params']) for m in cell.messages('stdin')]
        assert len(self.asked) == len(answers)
        assert all(set(m.content) == {'method', 'params'} for m in cell.messages('stdin'))
        return cell

    def told(self, cell):
        data = [m.content['data'] for m in cell.window() if m.type == 'comm_msg' and m.content['comm_id'] == self.id]
        return [(d['method'], d['params']) for d in data if d['method'] != 'busy']


@pytest.fixture
def kernel(start):
    return start(session=None, args=['--session-mode', 'console'])


@pytest.fixture
def ui(kernel):
    return FrontEnd(kernel)


def ok(cell):
    assert cell.status == 'ok', cell.reply
    return cell.result


def test_a_question_is_answered(ui):
    cell = ui.run('cat("a\\n"); rstudioapi::showQuestion("T", "Sure?", "Yes", "No")', {'result': True})
    assert ok(cell) == '[1] TRUE' and cell.stdout == 'a\n'
    assert ui.asked == [('show_question', {'title': 'T', 'message': 'Sure?', 'ok_button_title': 'Yes', 'cancel_button_title': 'No'})]
    assert ok(ui.run('rstudioapi::showQuestion("T", "?")', {'result': False})) == '[1] FALSE'
    assert ui.asked[0][1]['ok_button_title'] == 'OK'
    assert ok(ui.run('rstudioapi::showPrompt("Name", "Who?", "é")', {'result': 'Ada'})) == '[1] "Ada"'
    assert ui.asked == [('show_prompt', {'title': 'Name', 'message': 'Who?', 'default': 'é', 'timeout': 60})]
    assert ok(ui.run('is.null(rstudioapi::askForPassword("PW"))', {'result': None})) == '[1] TRUE'
    assert ui.asked == [('ask_for_password', {'prompt': 'PW'})]
    assert ok(ui.run('is.null(rstudioapi::getActiveProject())', {})) == '[1] TRUE'
    assert ui.asked == [('workspace_folder', {})]


def test_text_and_plots_are_seen_before_the_question(ui):
    cell = ui.client.submit('plot(1); cat("before"); x <- rstudioapi::showDialog("T", "M"); cat("after")')
    question = ui.client.wait_input(cell)
    # Sockets have no order between them: what was sent first may be read second.
    ui.client.wait(lambda: 'before' in cell.stdout and cell.of_type('comm_open'), 'what was shown before the question')
    assert 'after' not in cell.stdout
    ui.client.answer(question, result=None)
    # In a console with positron.ui a plot is a comm.
    assert [s for s in cell.wait().story() if s != 'comm_msg'] == ['comm_open', 'out:beforeafter']


def test_it_is_available_while_the_comm_is_open(ui):
    assert ok(ui.run('rstudioapi::isAvailable()')) == '[1] TRUE'
    assert ok(ui.run('c(rstudioapi::isAvailable("1.4"), rstudioapi::hasFun("viewer"), rstudioapi::hasFun("jobAdd"))')) == '[1]  TRUE  TRUE FALSE'
    assert ok(ui.run('"tools:rstudio" %in% search() || .Platform$GUI == "RStudio"')) == '[1] FALSE'
    assert ok(ui.run('Sys.setenv(POSITRON_VERSION = "2025.7.0", POSITRON_MODE = "server"); with(rstudioapi::versionInfo(), c(format(version), mode))')) \
        == '[1] "2025.7.0" "server"  '
    ui.client.wait_idle(ui.client.request('comm_close', {'comm_id': 'ui', 'data': {}}))
    assert ok(ui.run('rstudioapi::isAvailable()')) == '[1] FALSE'
    cell = ui.run('rstudioapi::showDialog("a", "b")')
    assert cell.error['evalue'] == 'RStudio not running'
    assert ok(ui.run('exists(".rs.api.versionInfo")')) == '[1] FALSE'


def test_the_document_that_is_edited(ui):
    code = 'd <- rstudioapi::getSourceEditorContext(); cat(d$path, d$contents, d$selection[[1]]$range$end, d$selection[[1]]$text, sep = "|")'
    assert ui.run(code, {'result': DOCUMENT}).stdout == 'file:///home/ada/a.R|x <- "é"|x|2|2|x'
    assert ui.asked == [('last_active_editor_context', {})]
    assert ok(ui.run('rstudioapi::primary_selection(rstudioapi::getActiveDocumentContext())$text', {'result': DOCUMENT})) == '[1] "x"'
    assert ok(ui.run('rstudioapi::documentPath()', {'result': DOCUMENT})) == '[1] "file:///home/ada/a.R"'
    for empty in ({}, {'result': None}):
        assert ok(ui.run('rstudioapi::getActiveDocumentContext()', empty)) == 'NULL'
    cell = ui.run('rstudioapi::documentPath("another")', {'result': DOCUMENT})
    assert 'active last' in cell.error['evalue']


def place(line, character):
    return {'line': line, 'character': character}


def test_text_is_inserted(ui):
    assert ui.run('rstudioapi::insertText(c(1, 2), "é\\n")', {'result': None}).status == 'ok'
    assert ui.asked == [('modify_editor_selections', {'selections': [{'start': place(0, 1), 'end': place(0, 1)}], 'values': ['é\n']})]
    ui.run('invisible(rstudioapi::insertText("new"))', {'result': DOCUMENT}, {'result': None})
    assert ui.asked[1] == ('modify_editor_selections', {'selections': [{'start': place(1, 0), 'end': place(1, 1)}], 'values': ['new']})
    ui.run('invisible(rstudioapi::modifyRange(list(rstudioapi::document_range(c(1, 1), c(2, Inf)), c(3, 1, 3, 4)), c("a", "b")))', {'result': None})
    [(_, params)] = ui.asked
    assert params['values'] == ['a', 'b'] and params['selections'][1] == {'start': place(2, 0), 'end': place(2, 3)}
    assert params['selections'][0]['start'] == place(0, 0) and params['selections'][0]['end']['character'] > 1e9
    cell = ui.run('rstudioapi::setSelectionRanges(list(c(1, 1, 2, 3)))')
    assert ui.told(cell) == [('set_editor_selections', {'selections': [{'start': place(1, 1), 'end': place(2, 3)}]})]
    assert 'four numbers' in ui.run('rstudioapi::insertText(list("a"), "b")').error['evalue']


def test_what_is_told_and_not_answered(ui, tmp_path):
    (tmp_path / 'a.R').write_text('1')
    cell = ui.run(f'rstudioapi::navigateToFile("{tmp_path}/a.R", 3, 2)')
    assert ui.told(cell) == [('open_editor', {'file': f'{tmp_path}/a.R', 'line': 3, 'column': 2, 'kind': 'path'})]
    cell = ui.run(f'rstudioapi::openProject("{tmp_path}")')
    assert ui.told(cell) == [('open_workspace', {'path': str(tmp_path), 'new_window': False})]
    assert ui.told(ui.run('rstudioapi::viewer("https://a.b")')) == [('show_url', {'url': 'https://a.b'})]
    cell = ui.run(f'rstudioapi::viewer("{tmp_path}/a.html", "maximize")')
    assert ui.told(cell) == [('show_html_file', {'path': f'{tmp_path}/a.html', 'title': '', 'destination': 'viewer', 'height': -1})]
    assert ui.told(ui.run('rstudioapi::executeCommand("noSuchCommand")')) == [
        ('show_message', {'message': "The command 'noSuchCommand' does not exist."})]
    assert ui.told(ui.run('rstudioapi::executeCommand("noSuchCommand", quiet = TRUE)')) == []


def test_what_is_answered(ui):
    ui.run('rstudioapi::executeCommand("activateConsole")', {'result': None})
    assert ui.asked == [('execute_command', {'command': 'workbench.action.positronConsole.focusConsole'})]
    ui.run('rstudioapi::executeCommand("vcsRefresh")', {'result': False})
    assert [method for method, _ in ui.asked] == ['evaluate_when_clause']
    ui.run('rstudioapi::executeCommand("vcsRefresh")', {'result': True}, {'result': None})
    assert ui.asked[1] == ('execute_command', {'command': 'git.refresh'})
    ui.run('rstudioapi::documentNew("x <- 1\\n", "rmarkdown")', {'result': None})
    assert ui.asked == [('new_document', {'contents': 'x <- 1\n', 'language_id': 'rmd'})]
    ui.run('rstudioapi::sendToConsole(c("1", "2"), focus = FALSE)', {'result': None})
    assert ui.asked == [('execute_code', {'language_id': 'r', 'code': '1\n2', 'focus': False, 'allow_incomplete': False})]
    assert ok(ui.run('rstudioapi::documentSave()', {'result': None})) == '[1] TRUE'
    ui.run('rstudioapi::restartSession()', {'result': None})
    assert ui.asked == [('execute_command', {'command': 'workbench.action.language.runtime.restartActiveSession'})]


def test_an_error_of_the_front_end_is_an_error(ui):
    cell = ui.run('rstudioapi::showDialog("T", "M")', {'error': {'code': -32601, 'message': 'no such method'}})
    assert cell.error['evalue'] == 'show_dialog: the front end says: no such method'
    for odd in ({'result': {'deep': [[[1]]]}}, {'error': 'x'}, {'error': {}}):
        ui.run('try(rstudioapi::showDialog("T", "M"), silent = TRUE)', odd)
    assert ok(ui.run('1')) == '[1] 1'


def test_an_interrupt_ends_the_wait(ui):
    cell = ui.client.submit('rstudioapi::showDialog("T", "M"); cat("no")')
    question = ui.client.wait_input(cell)
    ui.client.interrupt()
    cell.wait()
    assert cell.status == 'error' and cell.stdout == ''
    ui.client.answer(question, result=None)  # too late for anything
    assert ok(ui.run('rstudioapi::showQuestion("T", "M")', {'result': True})) == '[1] TRUE'
    cell = ui.client.submit('tryCatch(rstudioapi::showDialog("T", "M"), interrupt = function(e) "caught")')
    ui.client.wait_input(cell)
    ui.client.interrupt()
    assert ok(cell.wait()) == '[1] "caught"'


def test_a_closed_comm_ends_the_wait(ui):
    """The message waits for its turn behind the cell; the question does not wait for it."""
    cell = ui.client.submit('r <- try(rstudioapi::showDialog("T", "M"), silent = TRUE); cat(r); try(rstudioapi::showDialog("T", "again"))')
    ui.client.wait_input(cell)
    close = ui.client.request('comm_close', {'comm_id': 'ui', 'data': {}})
    cell.wait()
    assert 'show_dialog: the front end has closed the comm, and nobody answers' in cell.stdout
    assert len(cell.messages('stdin')) == 1 and 'closed the comm' in cell.stderr
    ui.client.wait_idle(close)
    assert ok(ui.run('rstudioapi::isAvailable()')) == '[1] FALSE'


def test_nobody_can_be_asked(ui):
    cell = ui.run('rstudioapi::showDialog("T", "M")', allow_stdin=False)
    assert 'allow_stdin is false' in cell.error['evalue']
    # Code of the front end's own is evaluated beside the cells, and has nobody to ask.
    request = ui.client.request('comm_msg', {'comm_id': 'ui', 'data': {'id': 'x', 'method': 'evaluate_code', 'params': {
        'code': 'rstudioapi::showDialog("T", "M")'}}})
    ui.client.wait_idle(request)
    [answer] = [m.content['data'] for m in request.window() if m.type == 'comm_msg' and 'error' in m.content['data']]
    assert 'nobody can be asked' in answer['error']['message']


def test_an_answer_of_another_kind_is_thrown_away(ui):
    cell = ui.client.submit('rstudioapi::showQuestion("T", "M")')
    question = ui.client.wait_input(cell)
    ui.client.send_raw('stdin', ui.client.frames(ui.client.header('input_reply'), {'value': 'x'}, parent=question.header))
    ui.client.answer(question, result=True)
    assert ok(cell.wait()) == '[1] TRUE'
    cell = ui.client.submit('readline("? ")')
    question = ui.client.wait_input(cell)
    ui.client.send_raw('stdin', ui.client.frames(ui.client.header('rpc_reply'), {'result': 'x'}, parent=question.header))
    ui.client.answer(question, 'line')
    assert ok(cell.wait()) == '[1] "line"'


def test_code_that_runs_meanwhile_cannot_ask_as_well(ui):
    """Its question would take the first one's place, which then waited for ever."""
    port = ui.run('''assign("ask", function(...) list(payload = paste(try(readline("inner"), silent = TRUE))), tools:::.httpd.handlers.env)
    cat(suppressMessages(tools::startDynamicHelp(NA)))''').stdout
    for code, answer, result in (('rstudioapi::showPrompt("outer", "?", "")', {'result': 'O'}, '[1] "O"'),
                                 ('readline("outer")', {'value': 'O'}, '[1] "O"')):
        cell = ui.client.submit(code)
        question = ui.client.wait_input(cell)
        with urllib.request.urlopen(f'http://127.0.0.1:{port}/custom/ask', timeout=60) as page:
            assert b'another question waits' in page.read()
        assert len(cell.messages('stdin')) == 1
        ui.client.answer(question, **answer)
        assert ok(cell.wait()) == result


def test_messages_are_served_while_it_waits(ui):
    cell = ui.client.submit('rstudioapi::showQuestion("T", "M")')
    question = ui.client.wait_input(cell)
    assert ui.client.kernel_info('control')['status'] == 'ok'
    assert ui.client.ask('comm_info_request')['comms'] == {'ui': {'target_name': 'positron.ui'}}
    assert ui.client.ask('complete_request', {'code': 'mea', 'cursor_pos': 3})['status'] == 'ok'
    ui.client.answer(question, result=True)
    assert ok(cell.wait()) == '[1] TRUE'


def test_a_subshell_asks_its_own_client(ui):
    cell = ui.client.submit('rstudioapi::showQuestion("T", "M")')
    question = ui.client.wait_input(cell)
    sub = ui.client.subshell()
    other = sub.submit('rstudioapi::showPrompt("S", "M", "")')
    ui.client.wait(lambda: other.messages('stdin'), 'the question of the subshell')
    ui.client.answer(question, result=True)
    ui.client.answer(other.messages('stdin')[0], result='sub')
    assert ok(cell.wait()) == '[1] TRUE'
    assert ok(other.wait()) == '[1] "sub"'


def test_the_end_of_the_kernel_does_not_wait(ui):
    cell = ui.client.submit('rstudioapi::showDialog("T", "M")')
    ui.client.wait_input(cell)
    ui.client.shutdown()
    ui.kernel.wait_exit()
