"""Work on a stream, done a little ahead of its consumer by a few threads."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetch(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int, waiting: int = 2
) -> Iterator[Result]:
    """work(item) of each item, in order.

    Each thread computes on one core: on a CPU, several frames at once are faster than one frame on several cores.

    Args:
        threads: How many work at once.
        waiting: At most this many results a thread wait for the consumer, so that memory stays constant.
    """
    pending: deque[Future[Result]] = deque()
    cores = torch.get_num_threads()
    started = Barrier(threads + 1)

    def start() -> None:
        # The setting is a thread's own once it has been asked for, and the default of threads to come.
        torch.get_num_threads()
        torch.set_num_threads(1)
        started.wait()

    pool = ThreadPoolExecutor(threads)
    try:
        for _ in range(threads):
            pool.submit(start)
        started.wait()
        torch.set_num_threads(cores)
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) > waiting * threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
