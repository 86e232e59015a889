"""What /metrics tells: the stream and the graph as they are, and this process's requests.

The first is asked when it is told, so that every process tells the same; what does not answer is
`pathlight_up 0`, and its figures are left out.
"""

import time
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.state import State
from graphdb.errors import PathlightError
from graphdb.events.partitions import list_partitions

COUNTS = {
    "written": "events written to the graph from the stream",
    "duplicates": "events that the graph had already",
    "conflicts": "events whose id the graph had with other content",
    "dropped": "events of erased people, and events taken back",
    "dead_letters": "events from the stream that became dead letters",
}


class Requests:
    """ASGI middleware that counts requests by route, method and status, and their seconds."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        labels = ("method", "route", "status")
        self._count = Counter("pathlight_requests", "requests answered", labels, registry=registry)
        self._seconds = Histogram(
            "pathlight_request_seconds", "time to the answer", labels[:2], registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            # The template, never the path: that one may name a person.
            route = getattr(scope.get("route"), "path", "none")
            self._count.labels(scope["method"], route, status).inc()
            self._seconds.labels(scope["method"], route).observe(time.perf_counter() - begun)


class _Now(Collector):
    """The stream and the graph at this moment."""

    def __init__(self, state: State) -> None:
        self._state = state

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("pathlight_up", "whether a part answers", labels=["part"])
        graph, stream = self._state.graph, self._state.stream
        try:
            written = self._state.breaker.call(list_partitions, graph)
            yield from _written(written)
        except PathlightError:
            written = None
        try:
            appended = [backlog.appended for backlog in stream.backlog()]
            yield from self._stream(appended)
        except PathlightError:
            appended = None
        if written is not None and appended is not None:
            yield _lag(written, appended)
        yield CounterMetricFamily(
            "pathlight_rate_limits_skipped",
            "requests that passed without a look at their limit, as Redis did not answer",
            value=self._state.limits.skipped,
        )
        up.add_metric(["graph"], written is not None)
        up.add_metric(["stream"], appended is not None)
        yield up

    def _stream(self, appended: list[int]) -> list[Metric]:
        counts, letters = self._state.stream.counts(), self._state.letters.count()
        last = _by_partition("pathlight_stream_appended", "last event of the stream")
        for partition, number in enumerate(appended):
            last.add_metric([str(partition)], number)
        told: list[Metric] = [
            CounterMetricFamily(f"pathlight_events_{name}", meaning, value=counts.get(name, 0))
            for name, meaning in COUNTS.items()
        ]
        kept = GaugeMetricFamily("pathlight_dead_letters", "dead letters kept", value=letters)
        lists = GaugeMetricFamily(
            "pathlight_served_waiting",
            "served lists that wait for the graph",
            value=self._state.lists.waiting(),
        )
        return [*told, last, kept, lists]


def _written(partitions: list[dict]) -> list[Metric]:
    offsets = _by_partition("pathlight_stream_offset", "last event of the stream in the graph")
    held = _by_partition("pathlight_stream_held", "whether a consumer reads it")
    for row in partitions:
        offsets.add_metric([str(row["partition"])], max(row["offset"], 0))
        held.add_metric([str(row["partition"])], row["owner"] is not None)
    return [offsets, held]


def _lag(written: list[dict], appended: list[int]) -> Metric:
    lag = _by_partition("pathlight_stream_lag", "events that wait for the graph")
    offsets = {row["partition"]: max(row["offset"], 0) for row in written}
    for partition, number in enumerate(appended):
        lag.add_metric([str(partition)], max(0, number - offsets.get(partition, 0)))
    return lag


def _by_partition(name: str, meaning: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, labels=["partition"])


def exposition(state: State, requests: CollectorRegistry) -> bytes:
    """Everything in Prometheus' text format."""
    now = CollectorRegistry()
    now.register(_Now(state))
    return generate_latest(now) + generate_latest(requests)
