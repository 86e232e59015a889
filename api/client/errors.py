"""What the API refused, or that it did not answer: one class, read from what came back."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from graphdb.errors import PathlightError

TEMPORARY = frozenset({429, 502, 503, 504})


class ApiError(PathlightError):
    """The API's problem: `status`, `title`, `detail`, `errors` (fields and why), `request_id`.

    `status` is None when nothing came back; `arrived` says whether what was asked may have been
    done all the same. `retry_after`: the seconds after which the API wants to be asked again.
    """

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        title: str = "",
        errors: Sequence[Mapping[str, Any]] = (),
        request_id: str = "",
        retry_after: float | None = None,
        arrived: bool = True,
    ) -> None:
        super().__init__(detail + _named(errors, detail))
        self.detail, self.status, self.title = detail, status, title
        self.errors, self.request_id = list(errors), request_id
        self.retry_after, self.arrived = retry_after, arrived

    @property
    def temporary(self) -> bool:
        """Whether asking again later may help."""
        return self.status is None or self.status in TEMPORARY


def unanswered(error: httpx.RequestError, url: httpx.URL) -> ApiError:
    """Nothing came back. Only one who never got through knows that nothing was done."""
    never = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    where = f"{url.scheme}://{url.netloc.decode()}"  # without a password
    detail = f"the API at {where} did not answer: {str(error) or type(error).__name__}"
    return ApiError(detail, title="No answer", arrived=not never)


def refused(response: httpx.Response) -> ApiError:
    """What an answer other than a success says, in its own words where it is a problem of ours."""
    try:
        problem = response.json()
    except ValueError:
        problem = None
    told = problem if isinstance(problem, dict) else {}
    return ApiError(
        str(told.get("detail") or f"the API answered {response.status_code}"),
        status=response.status_code,
        title=str(told.get("title") or response.reason_phrase),
        errors=[error for error in told.get("errors") or () if isinstance(error, dict)],
        request_id=response.headers.get("X-Request-ID", ""),
        retry_after=_seconds(response.headers.get("Retry-After", "")),
    )


def _seconds(text: str) -> float | None:
    """Of a Retry-After: seconds, or a moment."""
    if text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _named(errors: Sequence[Mapping[str, Any]], detail: str) -> str:
    """The fields and what was expected, as the end of a sentence that has not said it."""
    told = [f"{error.get('field')}: {error.get('detail')}" for error in errors]
    new = [
        each
        for each, error in zip(told, errors, strict=True)
        if str(error.get("detail")) not in detail
    ]
    return f" ({'; '.join(new)})" if new else ""
