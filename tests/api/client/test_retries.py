"""When a call is made again."""

import time

import pytest

from api.client.errors import ApiError
from api.client.retries import Attempts, Retries


def error(status: int | None = 503, **given) -> ApiError:
    return ApiError("no", status=status, **given)


def is_asked_again(error: ApiError, repeatable: bool) -> bool:
    try:
        return Attempts(Retries(), repeatable).pause(error) >= 0
    except ApiError as raised:
        assert raised is error
        return False


def test_pauses_grow_and_are_drawn():
    def pauses() -> list[float]:
        attempts = Attempts(Retries(attempts=7, patience_s=1000, longest_s=2), True)
        return [attempts.pause(error()) for _ in range(6)]

    first, second = pauses(), pauses()

    for pause, longest in zip(first, [0.25, 0.5, 1, 2, 2, 2], strict=True):
        assert longest / 2 <= pause <= longest
    assert first != second


def test_what_the_api_says_goes_before_our_own_pause():
    pause = Attempts(Retries(), True).pause(error(429, retry_after=7.0))

    assert 7 <= pause < 7.5


def test_the_last_attempt_s_error_stands():
    attempts, last = Attempts(Retries(attempts=3), True), error()

    assert [attempts.pause(error()) > 0 for _ in range(2)] == [True, True]
    with pytest.raises(ApiError) as raised:
        attempts.pause(last)
    assert raised.value is last


def test_nobody_waits_beyond_their_patience():
    with pytest.raises(ApiError):
        Attempts(Retries(patience_s=5), True).pause(error(retry_after=6.0))
    attempts = Attempts(Retries(patience_s=0.1), True)
    time.sleep(0.1)
    with pytest.raises(ApiError):
        attempts.pause(error())


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 500])
def test_a_refusal_for_good_stands(status):
    assert not is_asked_again(error(status), True)


def test_what_is_no_good_twice_is_asked_again_only_where_nothing_was_done():
    lost, never = error(None), error(None, arrived=False)

    assert [is_asked_again(e, True) for e in (lost, never, error(502), error(429))] == [True] * 4
    assert [is_asked_again(e, False) for e in (lost, never, error(502), error(429))] == [
        False,
        True,
        False,
        True,
    ]
