"""Garbage collection that keeps out of the latency of a service."""

import gc


def collect_garbage_rarely() -> None:
    """Collect garbage rarely from now on, and never scan the objects that exist now, such as the list of a matcher.

    Reference counts free nearly everything. The collector is needed only for the little that is left, such as what
    exceptions leave.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
