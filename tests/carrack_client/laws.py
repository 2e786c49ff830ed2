"""What must be true of every message that a kernel has sent, whatever the test was about.

`check` looks at all that the clients of one kernel have received and returns a list of breaches. The laws are those of
ARCHITECTURE.md (order) and the messaging specification (forms). How the order between two sockets is known: each message
carries the time at which it was made, in microseconds.
"""
from . import forms

REPLIED = {f'{name}_request': f'{name}_reply' for name in (
    'execute', 'inspect', 'complete', 'history', 'is_complete', 'comm_info', 'kernel_info', 'shutdown', 'interrupt',
    'create_subshell', 'delete_subshell', 'list_subshell')}


def check(kernel):
    problems = []
    sent = {r.id: r for r in kernel.sent}
    for client in kernel.clients:
        name = f'client {kernel.clients.index(client)}'
        for group in (one_author, forms_of, topics, parents, own_replies, questions):
            problems += [f'{name}: {p}' for p in group(kernel, client, sent)]
        if client.full:
            for group in (one_order, windows, cells, late_text):
                problems += [f'{name}: {p}' for p in group(kernel, client, sent)]
    problems += [f'the same msg_id for two messages: {p}' for p in twice(kernel)]
    return problems


def one_author(kernel, client, sent):
    """One session id for the whole life of a kernel process."""
    authors = {m.header['session'] for c in kernel.clients for m in c.arrived}
    return [f'messages of several kernel sessions: {authors}'] if len(authors) > 1 else []


def twice(kernel):
    """A msg_id belongs to one message: the same one, if several clients heard it."""
    seen = {}
    for client in kernel.clients:
        here = set()
        for m in client.arrived:
            form = (m.channel, m.type, m.header['date'])
            if m.id in here or seen.setdefault(m.id, form) != form:
                yield f'{m.id}: {m} and {seen[m.id]}'
            here.add(m.id)


def forms_of(kernel, client, sent):
    return [f'{m}: {problem}' for m in client.arrived for problem in forms.problems(m)]


def topics(kernel, client, sent):
    """On iopub there is one part before the delimiter, the topic, and the subscriber asked for it."""
    for m in client.received['iopub']:
        if len(m.prefix) != 1:
            yield f'{m}: {len(m.prefix)} parts before the delimiter'
        elif m.type == 'iopub_welcome':
            if m.prefix[0] != m.content['subscription'].encode():
                yield f'{m}: the topic is {m.prefix[0]!r}'
        elif not m.prefix[0].startswith(m.type.encode()):
            yield f'{m}: the topic is {m.prefix[0]!r}'
    for channel in ('shell', 'control', 'stdin'):
        for m in client.received[channel]:
            if m.prefix:
                yield f'{m}: parts before the delimiter: {m.prefix}'


def parents(kernel, client, sent):
    """The parent is a copy of the header of a request that somebody sent; some messages have none."""
    cell_seen = False
    for m in (m for channel in client.received.values() for m in channel):
        cell_seen = cell_seen or m.channel == 'iopub' and m.parent_id in sent and sent[m.parent_id].type == 'execute_request'
        if m.parent:
            request = sent.get(m.parent_id)
            if request is None:
                yield f'{m}: the parent was never sent: {m.parent}'
            elif request.header != m.parent:
                yield f'{m}: parent_header {m.parent} is not the header {request.header}'
        elif m.type == 'iopub_welcome' or m.state == 'starting' or m.type == 'stream' and not cell_seen:
            pass
        elif m.type.startswith('comm_') and not cell_seen:
            pass
        else:
            yield f'{m}: no parent'


def own_replies(kernel, client, sent):
    """Each request gets one reply, on its own channel, at its own client, of its own type."""
    for channel in ('shell', 'control'):
        for m in client.received[channel]:
            request = sent.get(m.parent_id)
            if request and (request.client is not client or request.channel != channel):
                yield f'{m}: the reply to a {request.type} that another client or channel sent'
            elif request and m.type != REPLIED.get(request.type, request.type.replace('_request', '_reply')):
                yield f'{m}: this answers a {request.type}'
    for request in sent.values():
        if request.client is not client or request.type not in REPLIED:
            continue
        n = len(request.replies)
        owed = not request.dropped and not kernel.killed and not client.closed
        if request.dropped and n or n > 1 or n == 0 and owed:
            yield f'{request}: {n} replies'


def questions(kernel, client, sent):
    """A question goes to the client whose cell asks, only if it takes questions, and within the cell's window."""
    for m in client.received['stdin']:
        request = sent.get(m.parent_id)
        if m.type not in ('input_request', 'rpc_request'):
            yield f'{m}: on stdin'
        elif not request or request.client is not client:
            yield f'{m}: a question of another client\'s cell'
        elif request.content.get('allow_stdin', True) is False:
            yield f'{m}: allow_stdin was false'


def one_order(kernel, client, sent):
    """What was made earlier is heard earlier; `starting` comes at most once, before any other status."""
    messages = client.received['iopub']
    for a, b in zip(messages, messages[1:]):
        if b.date < a.date:
            yield f'{b} was made before {a} and came after it'
    states = [m.state for m in messages if m.state]
    if 'starting' in states[1:]:
        yield f'`starting` is not the first status: {states[:10]}'


def windows(kernel, client, sent):
    """busy, what belongs to it, the reply, idle; and after that nothing but text (law 6: late_text), and the end of the
    comms of a session that is gone; a copy that was woken tells those that are opened again how things are."""
    late = ('stream', 'comm_close') + (('comm_msg',) if 'is the session now' in kernel.log() else ())
    order = {r.id: i for i, r in enumerate(kernel.sent)}
    for request in sent.values():
        messages = client.by_parent.get(('iopub', request.id), [])
        if request.dropped and messages:
            yield f'{request}: must have been dropped, but {messages[:3]} came'
        if request.dropped or client.first is None or order[request.id] < client.first:
            continue
        states = [m.state for m in messages if m.state]
        if (kernel.killed or client.closed) and states in ([], ['busy']):
            continue
        if states != ['busy', 'idle']:
            yield f'{request}: the statuses are {states}'
            continue
        if messages[0].state != 'busy':
            yield f'{request}: {messages[0]} came before busy'
        end = next(i for i, m in enumerate(messages) if m.state == 'idle')
        yield from (f'{request}: {m} came after idle' for m in messages[end + 1:]
                    if m.type not in late)
        for reply in request.replies:
            if not messages[0].date <= reply.date <= messages[end].date:
                yield f'{request}: the reply of {reply.date} is not between busy and idle ({messages[0].date}, {messages[end].date})'
            yield from (f'{request}: {m} was made after the reply' for m in messages[1:end] if m.date > reply.date)


def cells(kernel, client, sent):
    """Cells of a subshell run one after the other, and so do those of the main shell; what they run is said first; the
    counter of each only grows, by one with each that counts."""
    opens, lasts = {}, {}
    ran = {r.id for r in sent.values() if has_run(client, r)}
    for m in client.received['iopub']:
        request = sent.get(m.parent_id)
        if not request or request.type != 'execute_request':
            continue
        shell = subshell(request)
        if m.state == 'busy' and request.id in ran:
            if opens.get(shell):
                yield f'{request} became busy while {opens[shell]} was'
            opens[shell] = request
        elif m.state == 'idle' and opens.get(shell) is request:
            opens[shell] = None
        elif m.type == 'execute_input':
            if client.by_parent['iopub', request.id][1:2] != [m]:
                yield f'{m} is not the first message after busy'
            if m.content['code'] != request.content['code']:
                yield f'{m}: the code was {request.content["code"]!r}'
            count, last = m.content['execution_count'], lasts.get(shell, 0)
            counts = request.content.get('store_history', True)
            if count < last or counts and count <= last and last:
                yield f'{m}: the count before was {last}'
            if request.replies and request.count != count:
                yield f'{m}: the reply says {request.count}'
            lasts[shell] = max(last, count if counts else 0)
    for request in sent.values():
        inputs = [m for m in client.by_parent.get(('iopub', request.id), []) if m.type == 'execute_input']
        wanted = request.type == 'execute_request' and request.content.get('silent') is not True
        if len(inputs) > bool(wanted):
            yield f'{request}: {len(inputs)} times execute_input'


def subshell(request):
    return str(request.header.get('subshell_id'))


def has_run(client, request):
    """True for a cell that was begun, and not answered in the queue; the clients see what begins, unless it is silent."""
    if request.type != 'execute_request':
        return False
    if request.content.get('silent') is True:
        return request.status != 'aborted'
    return any(m.type == 'execute_input' for m in client.by_parent.get(('iopub', request.id), []))


def late_text(kernel, client, sent):
    """Text outside of every window has the header of the cell that started last, in its subshell or the main shell."""
    started, closed = {}, set()
    for m in client.received['iopub']:
        request = sent.get(m.parent_id)
        if not request:
            continue
        if m.state == 'busy' and has_run(client, request):
            started[subshell(request)] = request
        elif m.state == 'idle':
            closed.add(request.id)
        elif m.type in ('stream', 'comm_close') and request.id in closed and request is not started.get(subshell(request)):
            yield f'{m}: late text of {request}, but {started} had started'
