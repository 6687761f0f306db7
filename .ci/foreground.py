"""Decides who hears Ctrl-C: the server alone, so that it stops cleanly and `make` ends with the server's exit code.

    foreground.py PROGRAM ARGS...

`make` that hears Ctrl-C too dies of it with an error, however well the server stopped. So on a terminal the
program becomes the terminal's foreground group, and the terminal is given back afterwards. Without a terminal
(CI, a service) the program is simply run.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys


def main(command: list[str]) -> int:
    """Run the command and return its exit code, 128 + signal number when a signal ended it."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
        mine = os.tcgetpgrp(terminal)
    except OSError:
        os.execvp(command[0], command)
    if mine != os.getpgrp():
        os.execvp(command[0], command)  # in the background already: Ctrl-C is not for us
    # A background group that touches the terminal would be stopped; and Ctrl-Z would stop the server while
    # `make` waits for it and nobody could wake it.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    program = subprocess.Popen(command, process_group=0, restore_signals=False)
    os.tcsetpgrp(terminal, program.pid)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda which, _frame: program.send_signal(which))
    code = program.wait()
    os.tcsetpgrp(terminal, mine)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
