"""Work spread over processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool


class ProcessEnded(ValueError):
    """A process could not begin its work, or was killed."""


def spread(work: Callable, items: Iterable, workers: int, start: Callable, given: tuple, chunk: int = 1) -> Iterator:
    """``work(item)`` of every item, in their order, by ``workers`` processes that each call ``start(*given)`` first.

    An error of ``work`` is raised here. So is :class:`ProcessEnded` where a process ends, in ``start`` or by a signal:
    ``multiprocessing.Pool`` would start another process in its place, for ever.
    """
    context = multiprocessing.get_context("spawn")
    with futures.ProcessPoolExecutor(workers, context, start, given) as pool:
        try:
            yield from pool.map(work, items, chunksize=chunk)
        except BrokenProcessPool:
            raise ProcessEnded(
                "a worker process ended before its work was done. Its error is printed above; if none is, it was killed, "
                "most likely for want of memory: --workers takes fewer processes"
            ) from None
