"""A client of a Jupyter kernel for tests: an independent reading of the messaging specification.

    from carrack_client import Kernel

    with Kernel() as kernel:                 # `carrack kernel` with echo-session, in a home of its own
        client = kernel.client()
        cell = client.execute('out hello')
        assert cell.stdout == 'hello\\n'

It uses ZeroMQ and hashlib, and nothing of jupyter_client. Every message on every channel is kept and checked against the
laws (laws.py), whether or not the test looks at it; `Kernel.finish`, at the end of each test, fails on any breach.
"""
from .client import Cell, Client, Request
from .kernel import Kernel, build_path, descendants
from .wire import DELIMITER, TIMEOUT, Message, Violation, pack, sign

__all__ = ['Cell', 'Client', 'DELIMITER', 'Kernel', 'Message', 'Request', 'TIMEOUT', 'Violation', 'build_path',
           'descendants', 'pack', 'sign']
