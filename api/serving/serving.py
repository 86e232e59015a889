"""What serves, kept in this process's memory, and the choice between it, the graph and both.

One answer reads one version throughout. It knows neither how candidates are found nor HTTP.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from api.answers.answer import NothingPublishedError
from api.problems import InvalidError
from api.serving.breaker import GraphBreaker
from api.serving.mapped import MappedVersion, map_version, mapped
from api.serving.people import People
from api.serving.withheld import Withheld
from graphdb.connection import Graph
from graphdb.errors import GraphUnavailableError
from graphdb.local.processes import write_private
from graphdb.versions.versions import fetch_serving, list_versions
from training.artifact import ArtifactError, read_artifact

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

ATTEMPTS = 3
WITHHELD_S = 10.0
"""Seconds after which an item that another process hid is in no answer from memory either."""
UNREADABLE_S = 5.0
"""Seconds until an artifact that could not be read is tried again."""


class UnmappedError(Exception):
    """Another version serves than the one in memory, or one is asked for that is not."""

    def __init__(self, version: str, slot: str, *, asked: bool = False) -> None:
        super().__init__(version)
        self.version, self.slot, self.asked = version, slot, asked


class Serving:
    """The version that serves and the one before it, and a breaker before the graph."""

    def __init__(self, graph: Graph, artifacts: Path, breaker: GraphBreaker) -> None:
        self.graph, self.breaker, self._artifacts = graph, breaker, artifacts
        self.version: MappedVersion | None = None
        self._before: MappedVersion | None = None
        self._pinned: MappedVersion | None = None
        self._loading = threading.Lock()
        self._recalled = False
        self.home = artifacts.parent
        self._marker, self._kept = self.home / "serving.json", self.home / "withheld.json"
        self._unmapped = Withheld((), _recalled(self._kept))
        self._withheld_at = 0.0
        self._unreadable: tuple[str, str, float] = ("", "", 0.0)

    def answer(
        self,
        online: Callable[P, T],
        published: Callable[P, T] | None,
        offline: Callable[Concatenate[MappedVersion, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """`online`'s answer, by the graph and the version in memory or, when one is missing, by
        the other.

        `online` raises UnmappedError when another version serves than the one in memory. When its
        files cannot be read, `published` answers by the graph alone: the version in memory serves
        no more, and may have been taken back. Without one ArtifactError is raised. When the graph
        does not answer, `offline` does, from memory; NothingPublishedError when nothing is there.
        """
        try:
            try:
                return self._online(online, *args, **kwargs)
            except ArtifactError:
                if published is None:
                    raise
                return self.breaker.call(published, *args, **kwargs)
        except GraphUnavailableError:
            version = self.version or self._recall()
            if version is None:
                raise NothingPublishedError(
                    "the graph does not answer and nothing was published here before"
                ) from None
        return offline(version, *args, **kwargs)

    def _online(self, online: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(ATTEMPTS):
            try:
                return self.breaker.call(online, *args, **kwargs)
            except UnmappedError as unmapped:
                # Loading takes as long as it takes: it is not under an answer's deadline.
                if unmapped.asked:
                    self._pin(unmapped.version, unmapped.slot)
                else:
                    self._map(unmapped.version, unmapped.slot)
        raise GraphUnavailableError("what serves changed faster than it could be read")

    def pinned(self, version: str) -> MappedVersion:
        """A version that serves or stands by. Raises InvalidError for any other, UnmappedError for
        one that is not in memory."""
        slots = {
            row["id"]: row["slot"]
            for row in list_versions(self.graph)
            if row["state"] in ("serving", "standby")
        }
        if version not in slots:
            detail = f"expected one that serves or stands by: {', '.join(sorted(slots)) or 'none'}"
            wrong = [{"field": "model_version", "detail": detail}]
            raise InvalidError("the version cannot answer", wrong)
        held = next((v for v in self._held() if v.id == version), None)
        if held is None:
            raise UnmappedError(version, slots[version], asked=True)
        return held

    def _held(self) -> list[MappedVersion]:
        return [v for v in (self.version, self._before, self._pinned) if v is not None]

    def refresh(self) -> None:
        """Note who and what is gone since, and map what serves now if this process has not."""
        serving = self.breaker.watch(lambda: fetch_serving(self.graph))
        # First, as files take long to read, and may not be there.
        if self.version is not None:
            self.version.people.renew(self.graph)
        if time.monotonic() - self._withheld_at > WITHHELD_S:
            self._note_withheld()
        if serving is not None:
            self._map(serving["id"], serving["slot"])

    @property
    def unreadable(self) -> str:
        """The version whose files could not be read when they last were, empty where they could."""
        return self._unreadable[0]

    def withheld(self) -> Withheld:
        """What answers from memory must not show, whether a version is there or not."""
        return self._unmapped if self.version is None else self.version.withheld

    def withhold(self, since: dict[str, float | None]) -> None:
        """Note at once what this process itself wrote: from when on items must not be shown, in
        seconds since 1970, None for one that may be."""
        for withheld in [version.withheld for version in self._held()] or [self._unmapped]:
            withheld.note(since)
        self._withheld_at = 0.0

    def forget(self, user_id: str) -> None:
        """Forget at once a person whom this process itself erased."""
        for version in self._held():
            version.people.forget(user_id)

    def join(self, source: str, known: str) -> None:
        """Note at once that this process itself joined `source` to `known`."""
        for version in self._held():
            version.people.join({source: known})

    def _note_withheld(self) -> None:
        """Read what is withheld, and note what a later process needs to answer without the graph:
        nothing of it is about a person."""
        now, version, withheld = time.monotonic(), self.version, self.withheld()
        if withheld.renew(self.graph):
            self._withheld_at = now
        write_private(self._kept, json.dumps(withheld.since))
        if version is not None:
            last = {"version": version.id, "slot": version.slot}
            write_private(self._marker, json.dumps(last))

    def _recall(self) -> MappedVersion | None:
        """Map what an earlier process here had served last: a start while the graph is down. Who
        is who stands in the graph alone, so everybody is a stranger until it is back."""
        with self._loading, suppress(OSError, ValueError, KeyError, ArtifactError):
            if self.version is None:
                last = json.loads(self._marker.read_text("utf-8"))
                artifact = read_artifact(self._artifacts / last["version"])
                withheld = Withheld(artifact.item_ids, self._unmapped.since)
                self.version = mapped(artifact, last["slot"], People(), withheld)
                self._recalled = True
        return self.version

    def _map(self, version: str, slot: str) -> None:
        """Make `version` the mapped one. The one before is kept: a rollback costs nothing."""
        with self._loading:
            current = self.version
            if current is not None and current.id == version and not self._recalled:
                return
            kept = self._before
            if kept is None or kept.id != version:
                kept = self._read(version, slot)
                log.info("version %s is mapped", version)
            if not self._recalled:
                self._before = current
            self.version, self._recalled = kept, False
            self._withheld_at = 0.0

    def _pin(self, version: str, slot: str) -> None:
        """Keep `version` beside the mapped one: the last that was asked for and was not there."""
        with self._loading:
            if all(held.id != version for held in self._held()):
                self._pinned = self._read(version, slot)

    def _read(self, version: str, slot: str) -> MappedVersion:
        unreadable, why, until = self._unreadable
        if unreadable == version and time.monotonic() < until:
            raise ArtifactError(why)
        try:
            read = map_version(self.graph, version, slot, self._artifacts)
        except (ArtifactError, OSError) as error:
            why = f"version {version} cannot be read: {error}"
            self._unreadable = (version, why, time.monotonic() + UNREADABLE_S)
            raise ArtifactError(why) from error
        self._unreadable = ("", "", 0.0)
        return read


def _recalled(path: Path) -> dict[str, float]:
    """What an earlier process here knew to be withheld."""
    with suppress(OSError, ValueError):
        return json.loads(path.read_text("utf-8"))
    return {}
