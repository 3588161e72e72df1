import threading
import time

import pytest
import torch

from geneface.streaming.prefetch import prefetch


def test_results_come_in_order_from_several_threads():
    seen = set()

    def work(number: int) -> int:
        seen.add(threading.get_ident())
        time.sleep(0.01 * (number % 3))
        return number * number

    assert list(prefetch(work, range(20), threads=3)) == [number * number for number in range(20)]
    assert len(seen) == 3 and threading.get_ident() not in seen


def test_only_a_little_is_done_ahead():
    taken = 0

    def items():
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    results = prefetch(lambda number: number, items(), threads=2)
    assert next(results) == 0 and taken == 5
    results.close()
    assert taken == 5


def test_an_error_reaches_the_consumer():
    def work(number: int) -> float:
        return 1 / (3 - number)

    results = prefetch(work, range(10), threads=2)
    with pytest.raises(ZeroDivisionError):
        list(results)


def test_the_callers_own_threads_are_left_alone():
    before = torch.get_num_threads()
    inside = list(prefetch(lambda _: torch.get_num_threads(), range(4), threads=2))
    assert inside == [1, 1, 1, 1] and torch.get_num_threads() == before
