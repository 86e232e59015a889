"""The two clients: a method a route, asked again where that helps, and events in the background.

Both send tracked events with the same thread: it goes on while an event loop is busy, and it is
still there when the loop has ended and the process is about to.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Generic, ParamSpec, Self, TypeVar, Unpack

import httpx

from api.client import routes
from api.client.errors import ApiError, refused, unanswered
from api.client.retries import Attempts, Retries
from api.client.routes import Call, stamped
from api.client.tracking import FullError, Tracker, Tracking
from api.client.types import Accepted, Event, Tracked

P = ParamSpec("P")
T = TypeVar("T")

TIMEOUT_S = 15.0
"""More than the API takes at most: ten seconds, for events that are waited for."""
CONNECT_S = 3.0
RETRIES, TRACKING = Retries(), Tracking()


class _Method(Generic[P, T]):
    """A route as a method of Client."""

    def __init__(self, route: Callable[P, Call[T]]) -> None:
        self._route = route

    def __get__(self, client: "Client", owner: type) -> Callable[P, T]:
        @wraps(self._route)
        def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return client.send(self._route(*args, **kwargs))

        return method


class _Coroutine(Generic[P, T]):
    """A route as a method of AsyncClient."""

    def __init__(self, route: Callable[P, Call[T]]) -> None:
        self._route = route

    def __get__(self, client: "AsyncClient", owner: type) -> Callable[P, Coroutine[Any, Any, T]]:
        @wraps(self._route)
        async def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return await client.send(self._route(*args, **kwargs))

        return method


class Client:
    """Asks the API at `url`. Threads may share it; after a fork a process makes its own.

    api_key: without it PATHLIGHT_API_KEY of the environment, if there is one. timeout_s: so long
    an answer may take. proxy: the address of one; none is taken from the environment. Every method
    raises ApiError for what was refused or not answered.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        retries: Retries = RETRIES,
        tracking: Tracking = TRACKING,
        proxy: str | None = None,
    ) -> None:
        self._retries = retries
        self._http = httpx.Client(**_options(url, api_key, timeout_s, proxy))
        self._tracker = Tracker(tracking, self._deliver)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self, timeout_s: float | None = None) -> None:
        """Send what was tracked, in the time that `Tracking` gives it or in this one, and end."""
        self._tracker.close(timeout_s)
        self._http.close()

    def track(self, **event: Unpack[Tracked]) -> str:
        """Have an event sent soon, in the background; its id. It gets one, and the time of now,
        unless it has them. Raises FullError while too many wait, ClosedError."""
        return self._put(event)

    def flush(self, timeout_s: float = 30.0) -> bool:
        """Have what was tracked sent now; whether all of it was dealt with in that time."""
        return self._tracker.flush(timeout_s)

    def send(self, call: Call[T]) -> T:
        """The answer to a call of `api.client.routes`."""
        attempts = Attempts(self._retries, call.repeatable)
        while True:
            try:
                return self._once(call)
            except ApiError as error:
                time.sleep(attempts.pause(error))

    def _once(self, call: Call[T]) -> T:
        try:
            response = self._http.request(call.method, call.target, **_content(call))
        except httpx.RequestError as error:
            raise unanswered(error, self._http.base_url) from error
        return _answer(response)

    def _deliver(self, events: list[Event]) -> Accepted:
        return self._once(routes.send_events(events))

    def _put(self, event: Tracked, block_s: float | None = None) -> str:
        whole = stamped(event)
        _json(whole)  # What is no JSON raises here, not in the thread.
        self._tracker.put(whole, block_s)
        return str(whole["event_id"])

    send_events = _Method(routes.send_events)
    retract_event = _Method(routes.retract_event)
    recommend = _Method(routes.recommend)
    page = _Method(routes.page)
    rank = _Method(routes.rank)
    ranking = _Method(routes.ranking)
    similar_items = _Method(routes.similar_items)
    similar_users = _Method(routes.similar_users)
    explain = _Method(routes.explain)
    explain_shown = _Method(routes.explain_shown)
    list_items = _Method(routes.list_items)
    get_item = _Method(routes.get_item)
    put_item = _Method(routes.put_item)
    patch_item = _Method(routes.patch_item)
    delete_item = _Method(routes.delete_item)
    put_items = _Method(routes.put_items)
    list_users = _Method(routes.list_users)
    get_user = _Method(routes.get_user)
    put_user = _Method(routes.put_user)
    patch_user = _Method(routes.patch_user)
    delete_user = _Method(routes.delete_user)
    put_users = _Method(routes.put_users)
    merge_user = _Method(routes.merge_user)
    save_relations = _Method(routes.save_relations)
    delete_relation = _Method(routes.delete_relation)


class AsyncClient:
    """As Client, for an event loop: the same arguments and methods, which are awaited."""

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        retries: Retries = RETRIES,
        tracking: Tracking = TRACKING,
        proxy: str | None = None,
    ) -> None:
        self._retries = retries
        self._http = httpx.AsyncClient(**_options(url, api_key, timeout_s, proxy))
        self._sender = Client(url, api_key, timeout_s=timeout_s, tracking=tracking, proxy=proxy)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self, timeout_s: float | None = None) -> None:
        """Send what was tracked, in the time that `Tracking` gives it or in this one, and end."""
        await asyncio.to_thread(self._sender.close, timeout_s)
        await self._http.aclose()

    async def track(self, **event: Unpack[Tracked]) -> str:
        """Have an event sent soon, in the background; its id. It gets one, and the time of now,
        unless it has them. Raises FullError while too many wait, ClosedError."""
        try:
            return self._sender._put(event, block_s=0)
        except FullError:
            return await asyncio.to_thread(self._sender._put, event)

    async def flush(self, timeout_s: float = 30.0) -> bool:
        """Have what was tracked sent now; whether all of it was dealt with in that time."""
        return await asyncio.to_thread(self._sender.flush, timeout_s)

    async def send(self, call: Call[T]) -> T:
        """The answer to a call of `api.client.routes`."""
        attempts = Attempts(self._retries, call.repeatable)
        while True:
            try:
                return await self._once(call)
            except ApiError as error:
                await asyncio.sleep(attempts.pause(error))

    async def _once(self, call: Call[T]) -> T:
        try:
            response = await self._http.request(call.method, call.target, **_content(call))
        except httpx.RequestError as error:
            raise unanswered(error, self._http.base_url) from error
        return _answer(response)

    send_events = _Coroutine(routes.send_events)
    retract_event = _Coroutine(routes.retract_event)
    recommend = _Coroutine(routes.recommend)
    page = _Coroutine(routes.page)
    rank = _Coroutine(routes.rank)
    ranking = _Coroutine(routes.ranking)
    similar_items = _Coroutine(routes.similar_items)
    similar_users = _Coroutine(routes.similar_users)
    explain = _Coroutine(routes.explain)
    explain_shown = _Coroutine(routes.explain_shown)
    list_items = _Coroutine(routes.list_items)
    get_item = _Coroutine(routes.get_item)
    put_item = _Coroutine(routes.put_item)
    patch_item = _Coroutine(routes.patch_item)
    delete_item = _Coroutine(routes.delete_item)
    put_items = _Coroutine(routes.put_items)
    list_users = _Coroutine(routes.list_users)
    get_user = _Coroutine(routes.get_user)
    put_user = _Coroutine(routes.put_user)
    patch_user = _Coroutine(routes.patch_user)
    delete_user = _Coroutine(routes.delete_user)
    put_users = _Coroutine(routes.put_users)
    merge_user = _Coroutine(routes.merge_user)
    save_relations = _Coroutine(routes.save_relations)
    delete_relation = _Coroutine(routes.delete_relation)


def _options(url: str, api_key: str | None, timeout_s: float, proxy: str | None) -> dict[str, Any]:
    """What both kinds of httpx's clients are told."""
    key = os.environ.get("PATHLIGHT_API_KEY", "") if api_key is None else api_key
    if not (key.isascii() and key.isprintable()):
        # A header that cannot be sent would be in the error's words.
        raise ValueError("expected an API key of printable ASCII characters")
    return {
        "base_url": url,
        "headers": {"Authorization": f"Bearer {key}"} if key else {},
        "timeout": httpx.Timeout(timeout_s, connect=min(timeout_s, CONNECT_S)),
        "proxy": proxy,
        "trust_env": False,
    }


def _content(call: Call[Any]) -> dict[str, Any]:
    """Query and body as they are sent; what is None in a query is not asked."""
    given: dict[str, Any] = {"params": {k: v for k, v in call.query.items() if v is not None}}
    if call.body is not None:
        given |= {"content": _json(call.body), "headers": {"Content-Type": "application/json"}}
    return given


def _json(body: Any) -> bytes:
    """Raises TypeError and ValueError for what JSON does not have."""
    return json.dumps(body, allow_nan=False, separators=(",", ":")).encode()


def _answer(response: httpx.Response) -> Any:
    """The JSON of a success. Raises ApiError for everything else."""
    if not response.is_success:
        raise refused(response)
    try:
        return response.json() if response.content else None
    except ValueError:
        raise refused(response) from None
