"""The breaker on real threads and real silence: deadlines, refusals, recovery, bounds."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.serving.breaker import GraphBreaker
from graphdb.errors import GraphUnavailableError
from graphdb.local.processes import wait_until


class Silent:
    """Work that waits for a server which says nothing, until `speak`."""

    def __init__(self) -> None:
        self.spoken = threading.Event()
        self.begun = 0

    def __call__(self) -> str:
        self.begun += 1
        self.spoken.wait(60)
        return "late"

    def speak(self) -> None:
        self.spoken.set()


@pytest.fixture
def breaker():
    breaker = GraphBreaker(deadline=0.2, pause=0.4, readers=4, writers=2)
    yield breaker
    breaker.close()


@pytest.fixture
def silent():
    silent = Silent()
    yield silent
    silent.speak()


def refuse() -> None:
    raise GraphUnavailableError("refused")


def threads() -> int:
    return sum(thread.name.startswith("graph-") for thread in threading.enumerate())


def seconds(work) -> float:
    begun = time.monotonic()
    with pytest.raises(GraphUnavailableError):
        work()
    return time.monotonic() - begun


def test_what_answers_passes_through(breaker):
    assert breaker.call(sorted, [2, 1], reverse=True) == [2, 1]
    assert breaker.writing(sum, [1, 2]) == 3
    assert not breaker.is_open


def test_silence_ends_at_the_deadline_and_others_are_refused_at_once(breaker, silent):
    first = seconds(lambda: breaker.call(silent))
    others = [seconds(lambda: breaker.call(silent)) for _ in range(50)]

    assert 0.15 < first < 1
    assert max(others) < 0.15
    assert silent.begun == 1
    assert breaker.is_open


def test_after_the_pause_one_call_at_a_time_finds_out(breaker, silent):
    seconds(lambda: breaker.call(refuse))
    time.sleep(0.45)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: seconds(lambda: breaker.call(silent)), range(8)))

    assert silent.begun == 1
    time.sleep(0.45)
    assert breaker.call(sum, [1]) == 1
    assert not breaker.is_open


@pytest.mark.parametrize("method", ["call", "writing", "watch"])
def test_an_error_that_is_an_answer_passes_and_closes(breaker, method):
    seconds(lambda: breaker.call(refuse))
    time.sleep(0.45)

    def answer() -> None:
        raise KeyError("the caller's affair")

    if method == "writing":
        breaker.call(int)
    with pytest.raises(KeyError):
        getattr(breaker, method)(answer)

    assert not breaker.is_open


def test_who_keeps_watch_notices_silence_and_its_end_without_new_threads(breaker, silent):
    for _ in range(6):
        seconds(lambda: breaker.watch(silent))
    assert (silent.begun, breaker.is_open) == (1, True)

    silent.speak()

    assert wait_until(lambda: breaker.watch(silent) == "late", 2)
    assert not breaker.is_open


def test_a_long_write_is_waited_for_while_the_graph_answers(breaker):
    def write() -> str:
        time.sleep(0.8)
        return "written"

    assert breaker.writing(write) == "written"


def test_a_write_is_given_up_when_the_graph_falls_silent_and_refused_from_then_on(breaker, silent):
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(seconds, lambda: breaker.writing(silent))
        seconds(lambda: breaker.call(silent))
        assert writing.result(5) < 1.5

    assert seconds(lambda: breaker.writing(sum, [1])) < 0.1


def test_a_write_that_is_refused_opens(breaker):
    seconds(lambda: breaker.writing(refuse))

    assert breaker.is_open
    assert breaker.watch(int) == 0
    assert not breaker.is_open


def test_threads_are_bounded_whatever_is_asked(breaker, silent):
    before = threads()
    with ThreadPoolExecutor(16) as pool:
        for work in (breaker.call, breaker.writing):
            list(pool.map(lambda _, w=work: seconds(lambda: w(silent)), range(64)))

    assert threads() - before <= 4 + 2
