"""What all test-suites in Python share: the path, the fixtures that start a kernel, and the checks at its end."""
import resource
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # sessions are made to crash


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, f'result_{call.when}', outcome.get_result())


@pytest.fixture
def start(request):
    """Starts kernels. Each is ended, and all that it sent is checked against the laws, when the test is over."""
    from carrack_client import Kernel
    kernels = []

    def start_kernel(**options):
        kernels.append(Kernel(**options))
        return kernels[-1]
    yield start_kernel
    result = getattr(request.node, 'result_call', None)
    try:
        if result is not None and result.passed:
            for kernel in kernels:
                kernel.finish()
    finally:
        for kernel in kernels:
            if not kernel.finished:
                kernel.kill()


@pytest.fixture
def kernel(start):
    return start()


@pytest.fixture
def client(kernel):
    return kernel.client()
