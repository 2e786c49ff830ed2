import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))


def pytest_terminal_summary(terminalreporter):
    """How many boundaries were tried; nothing where other processes ran the tests."""
    import faultlib
    if faultlib.Exchange.total:
        terminalreporter.write_line(f'sessions ended at {faultlib.Exchange.total} boundaries of frames')
