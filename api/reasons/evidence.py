"""What the graph adds to reasons: which event, when, of what title; what ties its item to the one
that is explained; the path between them, and the Cypher that fetches it.

Contributions and shares come with the reasons and stay as they are: all that is added here is told,
not counted. It knows no HTTP.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from api.answers.answer import Told
from api.reasons.reasons import Reason
from api.serving.mapped import MappedVersion
from graphdb.answers.paths import UNREAD, Evidence, Known, Path, fetch_evidence
from graphdb.answers.ties import Pair, list_ties
from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.versions.attention import attention_property

TIED: frozenset[Told] = frozenset({"knowledge", "paths", "cypher"})


@dataclass(frozen=True)
class Beside:
    """By item its fields and the person's latest event, by pair of items what ties them; version:
    whose weights those have, None where there is none."""

    domain: Domain
    told: Collection[Told]
    version: MappedVersion | None
    latest: Mapping[str, Evidence]
    fields: Mapping[str, Mapping[str, Any]]
    ties: Mapping[Pair, list[dict[str, Any]]]

    def of_item(self, item_id: str) -> list[dict[str, Any]] | None:
        """What ties the item to the person; None where nothing does."""
        return self.ties.get((None, item_id))

    def of_reasons(self, item_id: str, reasons: Iterable[Reason]) -> list[Reason]:
        """An item's reasons with what there is to tell of each."""
        return [self._of(item_id, reason) if reason.item_id else reason for reason in reasons]

    def _of(self, item_id: str, reason: Reason) -> Reason:
        because = reason.item_id or ""
        latest, title = self.latest.get(because), self.domain.title_field
        ties = self.ties.get((because, item_id), [])
        knowledge = [tie for tie in ties if tie["kind"] != "similar"]
        path = self._path(because, item_id, latest, ties)
        told, cypher, attention = None, None, None
        if latest and latest.attention is not None:
            attention = {"share": latest.attention, "attribution": False}
        if path and "paths" in self.told:
            near = reason.contribution - reason.walked
            carries = {"similar": reason.walked, "vectors": near}
            told = path.told(self.domain) | {"carries": carries}
        if path and "cypher" in self.told:
            statement, parameters = path.query(self.domain)
            cypher = {"statement": statement, "parameters": parameters}
        return replace(
            reason,
            event_type=latest.event_type if latest else reason.event_type,
            at=latest.at if latest else None,
            title=self.fields.get(because, {}).get(title) if title else None,
            knowledge=knowledge or None,
            path=told,
            cypher=cypher,
            attention=attention,
        )

    def _path(
        self, because: str, item_id: str, latest: Evidence | None, ties: Iterable[dict[str, Any]]
    ) -> Path | None:
        weight = next((tie["weight"] for tie in ties if tie["kind"] == "similar"), None)
        if self.version is None or (latest is None and weight is None):
            return None
        return Path(self.version.id, self.version.slot, because, item_id, latest, weight)


def beside(
    graph: Graph,
    domain: Domain,
    version: MappedVersion | None,
    user_id: str,
    told: Collection[Told],
    reasons: Mapping[str, Collection[Reason]],
    shown: Collection[str] = (),
    known: Known = UNREAD,
) -> Beside:
    """What the graph has on a person's reasons for items, and the fields of `shown`: one round
    trip for what is not known yet, and one where there is something to be told."""
    events = {r.item_id for each in reasons.values() for r in each if r.item_id}
    looked = attention_property(version.slot) if version and "attention" in told else ""
    missing = events if looked else events.difference(known.latest)
    if missing or shown:
        every = sorted({*missing, *shown})
        found = fetch_evidence(graph, domain, user_id, sorted(missing), every, looked)
        known = Known(known.latest | found.latest, known.fields | found.fields)
    ties: Mapping[Pair, list[dict[str, Any]]] = {}
    if version and TIED.intersection(told):
        pairs = {(r.item_id, i) for i, each in reasons.items() for r in each if r.item_id}
        ties = list_ties(
            graph,
            domain,
            version.slot,
            user_id,
            sorted((because, item) for because, item in pairs if because != item),
            sorted(reasons),
            knowledge="knowledge" in told,
        )
    return Beside(domain, told, version, known.latest, known.fields, ties)
