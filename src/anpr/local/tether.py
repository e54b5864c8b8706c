"""Run a command that dies with its parent: `python -m anpr.local.tether SIGNAL COMMAND ARGS...`.

SIGNAL is the signal that the kernel sends when the parent dies: TERM or KILL, or `KILL:PID` when the caller names
itself as the parent. With `KILL:PID:USER:GROUP` the command runs under these ids; only root may ask for that. A
parent that is ended by kill -9 cannot clean up, so only the kernel can do this. It is a program of its own because
the alternative, `preexec_fn`, may deadlock in a process that has threads. It imports nothing of the package, so
that it also runs, faster, as a file: `python -I -S tether.py ...`.

Only Linux has this request (prctl PR_SET_PDEATHSIG). On any other system the command runs without the tether.
For the kernel, the "parent" is the *thread* that started this process; `processes.spawn` takes care of that.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # from <linux/prctl.h>


def die_with_parent(signal_number: int, parent: int) -> None:
    """Ask the kernel for `signal_number` when the parent dies. Exit if `parent` is not the parent any more.

    Raises:
        OSError: the kernel refused.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal_number) != 0:
        raise OSError(ctypes.get_errno(), "prctl PR_SET_PDEATHSIG failed")
    # The kernel sends no signal for a parent that died before the request.
    if os.getppid() != parent:
        sys.exit("tether: the parent has ended")


def main(arguments: list[str]) -> None:
    """Tether this process to its parent and become the command."""
    parent = os.getppid()
    if len(arguments) < 2:
        sys.exit("usage: tether TERM|KILL[:PARENT_PID] COMMAND ARGS...")
    name, named_parent, *ids = arguments[0].split(":") if ":" in arguments[0] else (arguments[0], "")
    if ids:
        # First: the kernel forgets the request below when the user changes.
        user, group = map(int, ids)
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    die_with_parent({"TERM": signal.SIGTERM, "KILL": signal.SIGKILL}[name], int(named_parent or parent))
    # Python ignores these two signals, and the command would inherit that. Most commands expect the default.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    command = arguments[1:]
    try:
        os.execvp(command[0], command)  # noqa: S606  no shell is wanted
    except OSError as error:
        sys.exit(f"tether: {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
