"""Work spread over processes ends, whatever becomes of a process."""

import os
import signal
from pathlib import Path

import pytest

from liveproof_base import processes

RENDERER = Path(processes.__file__).parents[1]
_begun: list[int] = []


def begin(number: int) -> None:
    _begun.append(number)


def fail(number: int) -> None:
    raise FileNotFoundError("no such file")


def add(item: int) -> int:
    return _begun[0] + item


def refuse(item: int) -> int:
    raise ValueError(f"item {item}")


def killed(item: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)


def test_results_come_in_the_order_of_the_items():
    assert list(processes.spread(add, range(10), 2, begin, (100,), chunk=3)) == list(range(100, 110))


@pytest.mark.parametrize(
    "work, start, says",
    [(add, fail, "ended before its work was done"), (refuse, begin, "^item 0$"), (killed, begin, "killed, most likely for want of memory")],
)
def test_a_process_that_fails_ends_the_work(work, start, says):
    with pytest.raises(ValueError, match=says):
        list(processes.spread(work, range(4), 1, start, (1,)))


def test_nothing_else_starts_processes_that_begin_with_a_function_of_their_own():
    """multiprocessing.Pool starts another process for ever where its initializer raises."""
    sources = [path for package in ("liveproof_base", "liveproof_render", "liveproof_training") for path in (RENDERER / package).rglob("*.py")]
    assert len(sources) > 50 and [p.name for p in sources if "import multiprocessing" in p.read_text()] == ["processes.py"]
