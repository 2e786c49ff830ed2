"""The forms of the messages that a kernel sends (messaging spec 5.5), as data: field, type, and whether it must be there."""
STR, INT, BOOL, DICT, LIST = str, int, bool, dict, list

DISPLAY = {'data': DICT, 'metadata': DICT}
ERROR = {'ename': STR, 'evalue': STR, 'traceback': LIST}

FORMS = {
    'status': {'execution_state': STR},
    'iopub_welcome': {'subscription': STR},
    'stream': {'name': STR, 'text': STR},
    'execute_input': {'code': STR, 'execution_count': INT},
    'execute_result': {'execution_count': INT, **DISPLAY},
    'display_data': DISPLAY,
    'update_display_data': DISPLAY,
    'error': ERROR,
    'clear_output': {'wait': BOOL},
    'comm_open': {'comm_id': STR, 'target_name': STR, 'data': DICT},
    'comm_msg': {'comm_id': STR, 'data': DICT},
    'comm_close': {'comm_id': STR, 'data': DICT},
    'input_request': {'prompt': STR, 'password': BOOL},
    'rpc_request': {'method': STR, 'params': DICT},  # not in the specification: Positron's
}

# What replies have when their status is `ok`.
REPLIES = {
    'execute_reply': {'execution_count': INT, 'user_expressions': DICT},
    'inspect_reply': {'found': BOOL, **DISPLAY},
    'complete_reply': {'matches': LIST, 'cursor_start': INT, 'cursor_end': INT, 'metadata': DICT},
    'history_reply': {'history': LIST},
    'comm_info_reply': {'comms': DICT},
    'kernel_info_reply': {'protocol_version': STR, 'implementation': STR, 'implementation_version': STR,
                          'language_info': DICT, 'banner': STR, 'help_links': LIST, 'supported_features': LIST},
    'shutdown_reply': {'restart': BOOL},
    'interrupt_reply': {},
    'create_subshell_reply': {'subshell_id': STR},
    'delete_subshell_reply': {},
    'list_subshell_reply': {'subshell_id': LIST},
}


def missing(content, form):
    for field, kind in form.items():
        value = content.get(field)
        if not isinstance(value, kind) or kind is INT and isinstance(value, bool):
            yield f'`{field}` must be {kind.__name__}, it is {value!r:.80}'


def reply_problems(m):
    status = m.content.get('status')
    if m.type == 'is_complete_reply':
        if status not in ('complete', 'incomplete', 'invalid', 'unknown'):
            yield f'status {status!r}'
        if (status == 'incomplete') != ('indent' in m.content):
            yield '`indent` belongs to `incomplete`, and only to it'
    elif status == 'ok':
        yield from missing(m.content, REPLIES.get(m.type, {}))
        yield from (f'`{field}` in a reply that is ok' for field in ERROR if field in m.content)
    elif status == 'error':
        yield from missing(m.content, ERROR)
        yield from (f'`{field}` in an error' for field in ('user_expressions', 'payload') if field in m.content)
    elif status != 'aborted' or set(m.content) - {'status', 'execution_count'}:
        yield f'status {status!r} with {sorted(m.content)}'
    if m.type == 'execute_reply':
        yield from missing(m.content, {'execution_count': INT})


def problems(m):
    """What is wrong with the content of a message, in words."""
    if m.type.endswith('_reply'):
        yield from reply_problems(m)
    elif m.type not in FORMS:
        yield 'no such message in the specification'
    yield from missing(m.content, FORMS.get(m.type, {}))
    if m.type == 'status' and m.state not in ('starting', 'busy', 'idle'):
        yield f'no such state: {m.state}'
    if m.type == 'stream':
        if m.content.get('name') not in ('stdout', 'stderr'):
            yield f'no such stream: {m.content.get("name")}'
        if m.content.get('text') == '':
            yield 'text that is empty'
    if m.type == 'error' and ('status' in m.content or 'execution_count' in m.content):
        yield 'an error has neither `status` nor `execution_count`'
    if m.type == 'update_display_data' and 'display_id' not in m.content.get('transient', {}):
        yield 'an update without display_id'
    for line in m.content.get('traceback', []):
        if not isinstance(line, str):
            yield f'a traceback is a list of strings: {line!r}'
