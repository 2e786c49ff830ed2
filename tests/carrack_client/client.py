"""A client: five sockets, and a record of everything that came over them."""
import time
import uuid

import zmq

from .wire import DELIMITER, TIMEOUT, Message, Violation, now, pack, sign

CHANNELS = ('shell', 'control', 'stdin', 'iopub')


class Request:
    """A request that was sent, and whatever came of it at the client that sent it."""

    def __init__(self, client, channel, header, content):
        self.client, self.channel, self.header, self.content = client, channel, header, content
        self.id, self.type = header['msg_id'], header['msg_type']
        self.dropped = False  # True: the kernel must not react to it at all

    def messages(self, channel='iopub'):
        return self.client.by_parent.get((channel, self.id), [])

    @property
    def replies(self):
        return self.messages(self.channel)

    @property
    def reply(self):
        """The content of the reply, None before it is there."""
        replies = self.replies
        return replies[0].content if replies else None

    @property
    def status(self):
        return self.reply and self.reply.get('status')

    @property
    def done(self):
        return any(m.state == 'idle' for m in self.messages())

    def wait_started(self):
        """Until the kernel has said `busy` and, for code that is shown, what it runs."""
        last = 'execute_input' if self.type == 'execute_request' and self.content.get('silent') is not True else 'status'
        self.client.wait(lambda: any(m.type == last for m in self.messages()), f'{last} of {self.type}')
        return self

    def wait_reply(self):
        self.client.wait(lambda: self.replies, f'the reply to {self.type}')
        return self

    def wait_output(self, text):
        """Until the text is in what the cell has written."""
        self.client.wait(lambda: text in self.stdout + self.stderr, f'{text!r} of {self.type}')
        return self

    def wait(self, reply=True):
        """Until reply and idle are there."""
        self.client.wait(lambda: self.done and (self.replies or not reply), f'reply and idle of {self.type}')
        return self

    def window(self):
        """What was published between busy and idle."""
        messages = self.messages()
        end = next((i for i, m in enumerate(messages) if m.state == 'idle'), len(messages))
        return [m for m in messages[:end] if m.type != 'status']

    @property
    def late(self):
        """What was published after idle."""
        messages = self.messages()
        end = next((i for i, m in enumerate(messages) if m.state == 'idle'), len(messages))
        return messages[end + 1:]

    @property
    def outputs(self):
        """The published messages but execute_input, with neighbouring text of one stream joined, as (type, content)."""
        out = []
        for m in self.window():
            if m.type == 'execute_input':
                continue
            if m.type == 'stream' and out and out[-1][0] == 'stream' and out[-1][1]['name'] == m.content['name']:
                out[-1] = ('stream', {'name': m.content['name'], 'text': out[-1][1]['text'] + m.content['text']})
            else:
                out.append((m.type, dict(m.content)))
        return out

    def story(self):
        """The outputs in short: 'out:…' and 'err:…' for text, the type for the rest."""
        short = {'stdout': 'out', 'stderr': 'err'}
        return [f"{short[c['name']]}:{c['text']}" if t == 'stream' else t for t, c in self.outputs]

    def text(self, name):
        return ''.join(m.content['text'] for m in self.window() if m.type == 'stream' and m.content['name'] == name)

    @property
    def stdout(self):
        return self.text('stdout')

    @property
    def stderr(self):
        return self.text('stderr')

    def of_type(self, type):
        return [m.content for m in self.window() if m.type == type]

    @property
    def result(self):
        """text/plain of the execute_result, None without one."""
        results = self.of_type('execute_result')
        return results[0]['data']['text/plain'] if results else None

    @property
    def error(self):
        errors = self.of_type('error')
        return errors[0] if errors else None

    @property
    def count(self):
        return self.reply['execution_count']

    def __repr__(self):
        return f'<{self.type} {self.content.get("code", "")!r:.60} {self.status}>'


Cell = Request


class Subshell:
    """Sends as its client does, to one subshell."""

    def __init__(self, client, id):
        self.client, self.id = client, id
        self.header = {'subshell_id': id}

    def request(self, type, content=None, **more):
        return self.client.request(type, content, header=self.header, **more)

    def ask(self, type, content=None, **more):
        return self.request(type, content, **more).wait().reply

    def submit(self, code, **content):
        return self.client.submit(code, header=self.header, **content)

    def execute(self, code, **content):
        return self.client.execute(code, header=self.header, **content)

    def delete(self):
        return self.client.ask('delete_subshell_request', {'subshell_id': self.id}, channel='control')


class Client:
    """`subscribe` lists the topics of the iopub socket; None leaves that socket out. A slow client's iopub socket takes
    as little as ZeroMQ lets it, and is read only by read_iopub."""

    def __init__(self, kernel, subscribe=(b'',), slow=False, session=None, username='tester', identity=None):
        self.kernel, self.slow, self.username = kernel, slow, username
        self.session = session or uuid.uuid4().hex
        self.identity = identity or uuid.uuid4().hex.encode()
        self.topics = subscribe
        self.received = {channel: [] for channel in CHANNELS}
        self.by_parent = {}  # the same, by channel and the parent's msg_id
        self.arrived = []    # all channels, in order of arrival
        self.count = 0
        self.first = None  # how many requests had been sent when the subscription was known to stand
        self.closed = False
        self.sockets = {}
        self.poller = zmq.Poller()
        for channel in CHANNELS:
            if channel != 'iopub' or subscribe is not None:
                self.open(channel)
        kernel.clients.append(self)
        self.wait_connected()
        if subscribe is not None and not slow:
            self.wait(lambda: self.of_type('iopub_welcome'), 'iopub_welcome')
        self.first = len(kernel.sent)

    def open(self, channel):
        socket = self.kernel.context.socket(zmq.SUB if channel == 'iopub' else zmq.DEALER)
        socket.linger = 0
        socket.setsockopt(zmq.RECONNECT_IVL, 5)
        if channel == 'iopub':
            socket.rcvhwm = 1 if self.slow else 0
            if self.slow:
                socket.setsockopt(zmq.RCVBUF, 65536)
            for topic in self.topics:
                socket.subscribe(topic)
        else:
            socket.rcvhwm = socket.sndhwm = 0
            socket.identity = self.identity
        if channel == 'stdin':
            self.monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        socket.connect(self.kernel.endpoint(channel))
        self.sockets[channel] = socket
        if not (channel == 'iopub' and self.slow):
            self.poller.register(socket, zmq.POLLIN)

    def wait_connected(self):
        """A question to a client whose stdin socket has not connected yet finds nobody."""
        self.wait(lambda: self.monitor.poll(20), 'connection on stdin')
        self.sockets['stdin'].disable_monitor()

    @property
    def full(self):
        """True if this client hears all of iopub."""
        return self.topics is not None and b'' in self.topics and not self.slow

    # ---- sending

    def header(self, type, **fields):
        self.count += 1
        header = {'msg_id': f'{self.session}_{self.count}', 'session': self.session, 'username': self.username,
                  'date': now(), 'msg_type': type, 'version': '5.5'}
        header.update(fields)
        return {k: v for k, v in header.items() if v is not None}

    def frames(self, header, content, metadata=None, parent=None, buffers=(), key=None):
        """The frames of a signed message; arguments that are bytes are taken as they are."""
        parts = [p if isinstance(p, bytes) else pack({} if p is None else p)
                 for p in (header, parent, metadata, content)]
        return [DELIMITER, sign(self.kernel.key if key is None else key, parts), *parts, *buffers]

    def send_raw(self, channel, frames):
        """Sends anything; what comes of it is not followed."""
        self.sockets[channel].send_multipart(frames)

    def request(self, type, content=None, channel='shell', metadata=None, buffers=(), header=None):
        """Sends a request without waiting for anything."""
        header = self.header(type, **(header or {}))
        request = Request(self, channel, header, content if content is not None else {})
        self.kernel.sent.append(request)
        self.send_raw(channel, self.frames(header, request.content, metadata, buffers=buffers))
        return request

    def ask(self, type, content=None, channel='shell', **more):
        """Sends a request, waits for its end, and returns the reply's content."""
        return self.request(type, content, channel, **more).wait().reply

    def subshell(self):
        """A new subshell (JEP 91)."""
        reply = self.ask('create_subshell_request', channel='control')
        assert reply['status'] == 'ok', reply
        return Subshell(self, reply['subshell_id'])

    def submit(self, code, *, metadata=None, buffers=(), header=None, **content):
        """Sends an execute_request with the usual fields and does not wait. A field that is None is left out."""
        full = {'code': code, 'silent': False, 'store_history': True, 'user_expressions': {}, 'allow_stdin': True,
                'stop_on_error': True}
        full.update(content)
        full = {k: v for k, v in full.items() if v is not None}
        return self.request('execute_request', full, metadata=metadata, buffers=buffers, header=header)

    def execute(self, code, *, inputs=(), **content):
        """Runs a cell to its end, answering its questions from `inputs`."""
        cell = self.submit(code, **content)
        for value in inputs:
            self.answer(self.wait_input(cell), value)
        return cell.wait()

    def wait_input(self, cell, n=None):
        """The next input_request of the cell that has no answer yet (or its n-th, from 0)."""
        n = getattr(cell, 'answered', 0) if n is None else n
        self.wait(lambda: len(cell.messages('stdin')) > n, 'input_request')
        return cell.messages('stdin')[n]

    def answer(self, question, value=None, **rpc):
        """With `value` what the user typed; with `result` or `error` what a front end answers to an rpc_request."""
        for request in self.kernel.sent:
            if request.id == question.parent_id:
                request.answered = getattr(request, 'answered', 0) + 1
        is_rpc = question.type == 'rpc_request'
        header = self.header('rpc_reply' if is_rpc else 'input_reply')
        self.send_raw('stdin', self.frames(header, rpc if is_rpc else {'value': value}, parent=question.header))

    def interrupt(self):
        return self.request('interrupt_request', channel='control').wait()

    def kernel_info(self, channel='shell'):
        return self.ask('kernel_info_request', channel=channel)

    def shutdown(self, restart=False, channel='control', wait=True):
        request = self.request('shutdown_request', {'restart': restart}, channel)
        return request.wait_reply() if wait else request

    def heartbeat(self, payload=b'ping'):
        """A REQ socket's round trip; returns the echo."""
        with self.kernel.context.socket(zmq.REQ) as socket:
            socket.linger = 0
            socket.setsockopt(zmq.RECONNECT_IVL, 5)
            socket.connect(self.kernel.endpoint('hb'))
            socket.send(payload)
            if not socket.poll(int(TIMEOUT * 1000)):
                raise AssertionError('the heartbeat did not answer')
            return socket.recv()

    # ---- receiving

    def take(self, channel, frames):
        message = Message(channel, frames, self.kernel.key)
        self.received[channel].append(message)
        self.by_parent.setdefault((channel, message.parent_id), []).append(message)
        self.arrived.append(message)

    def pump(self, seconds=0):
        """Takes what has come, waiting up to `seconds` for the first of it. True if something came."""
        came = False
        for socket, _ in self.poller.poll(int(seconds * 1000)):
            channel = next(c for c, s in self.sockets.items() if s is socket)
            try:
                for _ in range(100):
                    frames = socket.recv_multipart(zmq.DONTWAIT)
                    came = True
                    self.take(channel, frames)
            except zmq.Again:
                pass
            except Violation as e:
                self.kernel.violations.append(f'{self.session[:8]}: {e}')
                raise
        return came

    def wait(self, condition, what, timeout=TIMEOUT):
        """Takes messages until the condition holds. The kernel's own end cuts the wait short."""
        end = time.monotonic() + timeout
        ended = 0
        while not condition():
            if self.pump(0.05):
                ended = 0
                continue
            ended += self.kernel.process.poll() is not None
            if ended > 5 or time.monotonic() > end:
                why = f'exit code {self.kernel.process.returncode}' if ended else f'{timeout:.0f} s'
                tail = '\n  '.join(map(repr, self.arrived[-12:]))
                raise AssertionError(f'no {what} ({why}); last came:\n  {tail}\nlog:\n{self.kernel.log()[-2000:]}')
        return self

    def settle(self, seconds=0.1):
        """Takes what comes until nothing has come for so long: to see that something does not come."""
        while self.pump(seconds):
            pass
        return self

    def read_iopub(self, until, what):
        """The way a slow client reads: message after message, until the condition holds for the list of them."""
        socket = self.sockets['iopub']
        end = time.monotonic() + TIMEOUT
        while not until(self.received['iopub']):
            if not socket.poll(100):
                if time.monotonic() > end:
                    raise AssertionError(f'no {what}')
                continue
            end = time.monotonic() + TIMEOUT
            self.take('iopub', socket.recv_multipart())

    def of_type(self, type, channel='iopub'):
        return [m for m in self.received[channel] if m.type == type]

    def iopub_of(self, request):
        return self.by_parent.get(('iopub', request.id), [])

    def wait_idle(self, *requests):
        """Until the given requests of any client, or all that were sent since it subscribed, are idle here."""
        open_ = {r.id for r in (requests or self.kernel.sent[self.first:]) if not r.dropped}

        def idle():
            return not open_ - {m.parent_id for m in self.received['iopub'] if m.state == 'idle'}
        return self.wait(idle, f'idle of {len(open_)} requests')

    def close(self):
        self.closed = True
        for socket in self.sockets.values():
            socket.close()
        self.sockets = {}
        self.poller = zmq.Poller()
