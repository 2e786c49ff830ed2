"""Messages on the wire (messaging spec, "The Wire Protocol"): frames to messages and back, and the signature."""
import datetime
import hashlib
import hmac
import json
import os
import re

DELIMITER = b'<IDS|MSG>'
TIMEOUT = 30 * float(os.environ.get('CARRACK_TIME_FACTOR', '1'))  # seconds; the only one


class Violation(AssertionError):
    """The kernel broke a rule of the specification or a law of order."""


def pack(value):
    return json.dumps(value, ensure_ascii=False).encode()


def sign(key, parts):
    """The hex HMAC-SHA256 over the parts; empty without a key."""
    if not key:
        return b''
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        digest.update(part)
    return digest.hexdigest().encode()


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat()


def parse_date(text):
    """ISO 8601 with a time zone, as microseconds."""
    if not re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)', text):
        raise Violation(f'not an ISO 8601 date with a time zone: {text!r}')
    return datetime.datetime.fromisoformat(text.replace('Z', '+00:00'))


def strict_object(what, raw):
    def no_duplicates(pairs):
        if len({k for k, _ in pairs}) != len(pairs):
            raise Violation(f'{what} has a key twice: {raw[:200]!r}')
        return dict(pairs)

    def no_constant(name):
        raise Violation(f'{what} has {name}, which is not JSON')
    try:
        value = json.loads(raw.decode('utf-8', 'strict'), object_pairs_hook=no_duplicates, parse_constant=no_constant)
    except ValueError as e:
        raise Violation(f'{what} is not JSON in UTF-8 ({e}): {raw[:200]!r}')
    if not isinstance(value, dict):
        raise Violation(f'{what} is not an object: {raw[:200]!r}')
    return value


class Message:
    """One message as it was received; `prefix` is what stood before the delimiter (the topic, on iopub)."""

    def __init__(self, channel, frames, key):
        if DELIMITER not in frames:
            raise Violation(f'{channel}: no delimiter in {frames[:3]!r}')
        at = frames.index(DELIMITER)
        self.channel, self.prefix = channel, frames[:at]
        if len(frames) < at + 6:
            raise Violation(f'{channel}: {len(frames) - at - 1} parts after the delimiter, at least 5 are due')
        signature, parts, self.buffers = frames[at + 1], frames[at + 2:at + 6], frames[at + 6:]
        if not hmac.compare_digest(signature, sign(key, parts)):
            raise Violation(f'{channel}: wrong signature {signature!r} of {parts!r}'[:1000])
        names = ('header', 'parent_header', 'metadata', 'content')
        self.header, self.parent, self.metadata, self.content = (
            strict_object(f'{channel}: {name}', part) for name, part in zip(names, parts))
        self.check_header()

    def check_header(self):
        for field in ('msg_id', 'session', 'username', 'date', 'msg_type', 'version'):
            if not isinstance(self.header.get(field), str):
                raise Violation(f'{self.channel}: header without the string {field}: {self.header}')
        if not re.fullmatch(r'5\.\d+(\.\d+)?', self.header['version']):
            raise Violation(f'{self.channel}: protocol version {self.header["version"]}')
        if not self.header['msg_id'] or not self.header['session']:
            raise Violation(f'{self.channel}: empty id in the header: {self.header}')
        self.date = parse_date(self.header['date'])

    @property
    def type(self):
        return self.header['msg_type']

    @property
    def id(self):
        return self.header['msg_id']

    @property
    def parent_id(self):
        return self.parent.get('msg_id')

    @property
    def state(self):
        return self.content.get('execution_state') if self.type == 'status' else None

    def __repr__(self):
        content = json.dumps(self.content, ensure_ascii=False)
        if len(content) > 160:
            content = f'{content[:120]} … ({len(content)})'
        return f'<{self.channel} {self.type} of {(self.parent_id or "-")[:16]} {content}>'
