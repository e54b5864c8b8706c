"""Compacts the active index into a new snapshot, in another process: small changes never wait for it.

Compaction keeps an interpreter busy for seconds. In a thread beside the builder's it took the interpreter away at
every run of the builder, and a change took seconds then. The process also runs at a low priority.
"""

import gc
import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from anpr.index_store.folder import IndexFolder, IndexManifest
from anpr.runtime.errors import UnavailableError

# The lowest priority. Compaction may take minutes on a busy machine: changes are active without it.
_NICENESS = 19


def compact(folder: IndexFolder, index_manifest: IndexManifest) -> str:
    """Write a snapshot of the index, and return the file's name. Raises OSError and DamagedError."""
    snapshot = folder.open_snapshot(index_manifest, check_entries=False)
    index = folder.open_index(index_manifest, snapshot)
    return folder.write_snapshot(index.compacted(), index_manifest.watchlist.applied_at)


def compact_in_subprocess(folder: IndexFolder, index_manifest: IndexManifest) -> str:
    """Do the same in a process that ends with this one.

    Also raises UnavailableError, when that process is killed.
    """
    # Not a fork: locks that other threads of this process hold at that moment would stay locked in it for ever.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, folder.path, index_manifest), daemon=True)
    process.start()
    theirs.close()
    with ours:
        try:
            answer: str | Exception = ours.recv()
        except EOFError:
            process.join()
            raise UnavailableError(
                "index-merge-ended",
                f"the process that compacts the index ended with {process.exitcode}; compaction is tried again",
                "-9 means that the kernel ended it, because no memory was left",
            ) from None
    process.join()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _serve(connection: Connection, path: Path, index_manifest: IndexManifest) -> None:
    """Compact, and end when that is done or when the builder has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the builder, with which this process ends
    os.nice(_NICENESS)
    gc.disable()  # entries make no cycles

    def answer() -> None:
        try:
            connection.send(compact(IndexFolder(path), index_manifest))
        except Exception as error:  # noqa: BLE001  it is raised where the compaction was asked for
            connection.send(error)

    # In a thread of its own, because this one must notice immediately when the builder has ended.
    threading.Thread(target=answer, daemon=True).start()
    try:
        connection.recv()
    except EOFError:
        return
