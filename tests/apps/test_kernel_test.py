"""jupyter_kernel_test: the Jupyter project's own test of a kernel. Its samples are given for everything that Carrack
does; what it does in another way is skipped by jupyter_kernel_test itself and listed in tests/skips.txt."""
import os
import tempfile
from pathlib import Path

import jupyter_kernel_test

from jupyter_apps import install


class CarrackTests(jupyter_kernel_test.KernelTests):
    kernel_name = 'carrack'
    language_name = 'R'
    file_extension = '.r'

    code_hello_world = 'cat("hello, world\\n")'
    code_stderr = 'message("hello, stderr")'
    code_generate_error = 'stop("an error")'
    code_execute_result = [
        {'code': '6 * 7', 'result': '[1] 42'},
        {'code': 'c(a = 1, b = 2)', 'result': 'a b \n1 2 '},
        {'code': '"naïve 東京"', 'result': '[1] "naïve 東京"'},
        {'code': 'NULL', 'result': 'NULL'},
    ]
    code_display_data = [{'code': 'IRdisplay::display_html("<b>x</b>")', 'mime': 'text/html'}]
    code_clear_output = 'IRdisplay::clear_output()'
    code_inspect_sample = 'mean'
    completion_samples = [
        {'text': 'mtca', 'matches': {'mtcars'}},
        {'text': 'mtcars$mp', 'matches': {'mpg'}},
        {'text': 'read.cs', 'matches': {'read.csv', 'read.csv2'}},
    ]
    complete_code_samples = ['1', 'x <- 2', 'f <- function(x) {\n  x\n}', '', '# a remark', 'if (TRUE) 1 else 2', '"a\nb"']
    incomplete_code_samples = ['f <- function(x) {', '1 +', '(1', 'c("a', 'x |>', 'if (TRUE)', 'r"(raw']
    invalid_code_samples = [')', '1 1', 'x <- <- 2', 'else 3']
    code_history_pattern = '6?*7'
    supported_history_operations = ('tail', 'range', 'search')

    @classmethod
    def setUpClass(cls):
        cls.before = dict(os.environ)
        cls.base = tempfile.TemporaryDirectory(prefix='carrack-kernel-test-')
        os.environ.update(install(Path(cls.base.name) / 'jupyter'))
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        os.environ.clear()
        os.environ.update(cls.before)
        cls.base.cleanup()
