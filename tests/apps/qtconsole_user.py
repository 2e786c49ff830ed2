"""Uses qtconsole without a screen: does what is in a JSON file, [[what, text] …], and prints what the window shows after each, as JSON.
Run by test_qtconsole.py, in a process of its own.

    ["run", code]         types code and executes it, waits for the next prompt
    ["answer", code]      the same, but waits until something is asked
    ["reply", text]       answers
    ["interrupt", code]   executes, interrupts when the window shows `begun`, waits for the next prompt
    ["tab", code]         types code and presses Tab; shown is the line of input then
    ["enter", code]       types code and presses Enter; shown is the input then
    ["up", ""]            the up arrow; shown is the input then
"""
import json
import os
import re
import sys
import time

os.environ['QT_QPA_PLATFORM'] = 'offscreen'
from qtconsole.manager import QtKernelManager  # noqa: E402
from qtconsole.rich_jupyter_widget import RichJupyterWidget  # noqa: E402
from qtpy import QtCore, QtGui, QtTest, QtWidgets  # noqa: E402

LIMIT = 60 * float(os.environ.get('CARRACK_TIME_FACTOR', '1'))
app = QtWidgets.QApplication([])
manager = QtKernelManager(kernel_name='carrack')
manager.start_kernel()
client = manager.client()
client.start_channels()
widget = RichJupyterWidget(gui_completion='plain')
widget.kernel_manager, widget.kernel_client = manager, client
widget.show()


def until(condition):
    end = time.monotonic() + LIMIT
    while not condition():
        app.processEvents(QtCore.QEventLoop.AllEvents, 20)
        if time.monotonic() > end:
            sys.exit(f'this did not come: {condition.__doc__ or condition}\n{text()}')


def text():
    return widget._control.toPlainText()


def at_prompt():
    return not widget._executing and not widget._reading and widget._prompt_pos > 0 and text().rstrip(' ').split('\n')[-1].startswith('In [')


def images():
    count, block = 0, widget._control.document().begin()
    while block.isValid():
        i = block.begin()
        while not i.atEnd():
            count += i.fragment().charFormat().isImageFormat()
            i += 1
        block = block.next()
    return count


def press(key):
    QtTest.QTest.keyClick(widget._control, key)
    for _ in range(20):
        app.processEvents(QtCore.QEventLoop.AllEvents, 20)
        time.sleep(0.02)


def type_in(code):
    widget.input_buffer = code
    widget._control.moveCursor(QtGui.QTextCursor.End)


until(at_prompt)
shown = []
for what, code in json.load(open(sys.argv[1])):
    before, pictures = len(text()), images()
    if what in ('run', 'answer', 'interrupt'):
        widget.execute(code)
        if what == 'answer':
            until(lambda: widget._reading)
        else:
            if what == 'interrupt':
                until(lambda: re.search('^begun', text(), re.M))
                widget.interrupt_kernel()
            until(at_prompt)
        shown.append({'text': text()[before:], 'images': images() - pictures})
    elif what == 'reply':
        QtTest.QTest.keyClicks(widget._control, code)
        press(QtCore.Qt.Key_Return)
        until(at_prompt)
        shown.append({'text': text()[before:]})
    else:
        if what != 'up':
            type_in(code)
        key = {'tab': QtCore.Qt.Key_Tab, 'enter': QtCore.Qt.Key_Return, 'up': QtCore.Qt.Key_Up}[what]
        press(key)
        end = time.monotonic() + LIMIT
        while what != 'up' and widget.input_buffer == code and time.monotonic() < end:
            app.processEvents(QtCore.QEventLoop.AllEvents, 20)
        shown.append({'input': widget.input_buffer})
        widget.input_buffer = ''
print(json.dumps(shown))
client.stop_channels()
manager.shutdown_kernel()
