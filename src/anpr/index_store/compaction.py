"""The index in force written as a new base, by another process: small changes never wait for it.

It keeps an interpreter busy for seconds. In a thread beside the builder's it took the interpreter away at every turn,
and a change took seconds then. It also leaves the processor to whoever else wants it.
"""

import gc
import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from anpr.index_store.folder import IndexFolder, IndexManifest
from anpr.matching.index import Index
from anpr.runtime.errors import UnavailableError

# From 0, as others, to 19: how far it stands back.
_NICENESS = 10


def merge(folder: IndexFolder, current: IndexManifest) -> str:
    """Write a base that holds what `current` does, and return the file's name. Raises OSError and DamagedError."""
    index = folder.open(current, folder.open_base(current, check_entries=False))
    of_all = Index.build_encoded(index.encoded_entries(), index.generation)
    return folder.write_base(of_all, current.head.applied_at)


def merge_apart(folder: IndexFolder, current: IndexManifest) -> str:
    """Do the same in a process that ends with this one.

    Raises UnavailableError, besides, when that process is ended.
    """
    # Not a fork: what other threads of this process hold at that moment would be held in it for ever.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, folder.path, current), daemon=True)
    process.start()
    theirs.close()
    with ours:
        try:
            answer: str | Exception = ours.recv()
        except EOFError:
            process.join()
            raise UnavailableError(
                "index-merge-ended",
                f"the process that merges the index was ended, with {process.exitcode}; it is tried again",
                "-9 is how the kernel ends a process when there is no memory left",
            ) from None
    process.join()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _serve(connection: Connection, path: Path, current: IndexManifest) -> None:
    """Merge, and end: when that is done, or when nobody waits for it any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the builder, with which this process ends
    os.nice(_NICENESS)
    gc.disable()  # entries make no cycles

    def answer() -> None:
        try:
            connection.send(merge(IndexFolder(path), current))
        except Exception as error:  # noqa: BLE001  it is raised where the merge was asked for
            connection.send(error)

    # In a thread of its own, for this one must hear at once when the builder is gone.
    threading.Thread(target=answer, daemon=True).start()
    try:
        connection.recv()
    except EOFError:
        return
