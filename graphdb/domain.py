"""The domain: what a deployment's graph is called, read from a validated TOML file.

Labels, relationship types and property names come from here and never from a request; how they
enter a statement is graphdb.cypher's. It knows names and event weights, not the database.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from graphdb.errors import PathlightError
from graphdb.file_specs import FileSpecs
from graphdb.rule_names import (
    check_choices,
    check_rankings,
    check_rule_names,
    check_source_names,
)
from graphdb.specs import (
    AttributeNode,
    AuditSpec,
    EventSpec,
    EventType,
    GroupSpec,
    ItemSpec,
    RankingSpec,
    RelationSpec,
    RuleSpec,
    SocialSpec,
    SourceSpec,
    Strict,
    UserSpec,
    WalksSpec,
)

OWN_LABELS = {"User", "Item", "Job", "Source", "ModelVersion", "Serving", "Tombstone", "ServedList"}
OWN_TYPES = {
    *("SIMILAR_A", "SIMILAR_B", "SIMILAR_C", "SERVES", "SAME_AS", "PRODUCED", "ERASES"),
    *("SHOWN_TO", "OUTCOME"),
}
OWN_FIELDS = {"id", "key", "hidden", "text", "created_at", "expires_at", "removed"}
OWN_PREFIXES = ("vector_", "recent_", "text_")


class DomainError(PathlightError):
    """A domain file that is missing or not valid: the message names file, line and key."""


class Domain(Strict):
    """A deployment's names. Build with `load_domain` or `parse_domain`."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
    weight_cap: float = Field(1.0, gt=0, allow_inf_nan=False)
    horizon_days: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="older events are dead-lettered"
    )
    item: ItemSpec
    user: UserSpec = UserSpec()
    events: Annotated[dict[EventType, EventSpec], Field(min_length=1)]
    relations: dict[EventType, RelationSpec] = Field({}, description="knowledge-graph edges")
    groups: dict[EventType, GroupSpec] = Field({}, description="of makers, for their exposure")
    files: FileSpecs | None = None
    audit: AuditSpec = AuditSpec()
    social: SocialSpec = SocialSpec()
    walks: WalksSpec = WalksSpec()
    rules: dict[EventType, RuleSpec] = Field({}, description="what a list must and must not show")
    sources: dict[EventType, SourceSpec] = Field({}, description="candidates of one's own")
    rankings: dict[EventType, RankingSpec] = Field({}, description="the same for everybody")

    @model_validator(mode="after")
    def _names_do_not_collide(self) -> "Domain":
        for name in [*self.item.fields, *self.user.fields]:
            if name in OWN_FIELDS or name.startswith(OWN_PREFIXES):
                raise ValueError(f"field {name!r} is a name of Pathlight's own; choose another")
        attributes = [label for name, label in self.nodes.items() if name not in ("user", "item")]
        for label in [self.item.label, *attributes]:
            if label in OWN_LABELS:
                raise ValueError(f"label {label!r} is one of Pathlight's own")
        fields = [*self.item.fields.values(), *self.user.fields.values()]
        attached = {spec.node.relationship for spec in fields if spec.node}
        own = [spec.relationship for spec in self.events.values()]
        related = [spec.relationship for spec in self.relations.values()]
        for relationship in [*own, *attached, *related]:
            if relationship in OWN_TYPES:
                raise ValueError(f"relationship {relationship!r} is one of Pathlight's own")
        if len(set(own)) < len(own):
            raise ValueError("two event types share one relationship type; give each its own")
        if len(set(related)) < len(related):
            raise ValueError("two relations share one relationship type; give each its own")
        if shared := attached & set(own):
            raise ValueError(f"{shared.pop()!r} names both an event and an attribute relationship")
        if shared := set(related) & (attached | set(own)):
            raise ValueError(f"{shared.pop()!r} names a relation and something else")
        return self

    @model_validator(mode="after")
    def _relations_have_ends(self) -> "Domain":
        for name, spec in self.relations.items():
            for end in (spec.from_, spec.to):
                if end not in self.nodes:
                    raise ValueError(
                        f"relation {name!r}: {end!r} is none of {', '.join(self.nodes)}"
                    )
            if spec.from_ not in ("user", "item"):
                raise ValueError(f"relation {name!r} must start from user or item")
        return self

    @model_validator(mode="after")
    def _groups_have_makers(self) -> "Domain":
        if self.groups and self.item.makers is None:
            raise ValueError("groups are of makers: item.makers must name the field that says who")
        return self

    @model_validator(mode="after")
    def _files_name_what_is_there(self) -> "Domain":
        files = self.files or FileSpecs()
        if events := files.events:
            given = (events.event_type, events.negative, *events.types.values())
            for name in given:
                if name is not None and name not in self.events:
                    raise ValueError(f"files.events: there is no event type {name!r}")
        owners = ((files.items, self.item, "items"), (files.users, self.user, "users"))
        for spec, owner, what in owners:
            for name in spec.columns if spec else ():
                if name != "id" and name not in owner.fields:
                    raise ValueError(f"files.{what}: there is no field {name!r}")
        return self

    @model_validator(mode="after")
    def _rules_and_sources_hold(self) -> "Domain":
        types = [*self.relationships_from("item"), *self.relationships_from("user")]
        check_rule_names(self.rules, self.vocabulary, self.event_relationships, types)
        check_source_names(self.sources, self.rules)
        check_rankings(self.rankings, self)
        return self

    @model_validator(mode="after")
    def _walks_lead_somewhere(self) -> "Domain":
        people = [n for n, r in self.relations.items() if (r.from_, r.to) == ("user", "user")]
        nodes = [name for name, spec in self.item.fields.items() if spec.node]
        known = [*nodes, *(name for name, r in self.relations.items() if r.from_ == "item")]
        check_choices("social.relations", self.social.relations, people)
        check_choices("walks.social", self.walks.social, self.social.relations)
        check_choices("walks.knowledge", self.walks.knowledge, known)
        return self

    @property
    def vocabulary(self) -> dict[str, list[str]]:
        """The labels of the domain's graph, with their properties."""
        items = ["id", *self.item_properties]
        users = ["id", *(name for name, spec in self.user.fields.items() if not spec.node)]
        attributes = {label: ["id"] for label in self.attribute_labels}
        return {"User": users, "Item": items, self.item.label: items} | attributes

    @property
    def nodes(self) -> dict[str, str]:
        """The label of everything a relation may end in: user, item, fields that become nodes."""
        fields = [*self.item.fields.items(), *self.user.fields.items()]
        attributes = {name: spec.node.label for name, spec in fields if spec.node}
        return {"user": "User", "item": "Item"} | attributes

    @property
    def digest(self) -> str:
        """A sha256 of the content: equal domains have equal digests, whatever their layout.

        How files map onto it, what the audit allows, what is told of people and how lists are
        ordered, ruled and fed are not in it: the graph is the same.
        """
        tables = ("files", "audit", "groups", "social", "walks", "rules", "sources", "rankings")
        left_out: dict[str, Any] = dict.fromkeys(tables, True)
        left_out |= {"item": {"categories", "makers"}, "relations": {"__all__": {"negative"}}}
        content = self.model_dump_json(exclude=left_out)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def item_properties(self) -> list[str]:
        """The item fields that are properties, in the domain's order; the others are nodes."""
        return [name for name, spec in self.item.fields.items() if not spec.node]

    @property
    def compared_fields(self) -> list[str]:
        """The item properties that a filter may compare with one value: each is indexed."""
        fields = self.item.fields
        comparable = [n for n in self.item_properties if fields[n].type != "strings"]
        return [name for name in comparable if fields[name].filter]

    @property
    def event_relationships(self) -> list[str]:
        """The relationship types of events."""
        return [spec.relationship for spec in self.events.values()]

    @property
    def positive_relationships(self) -> list[str]:
        """The relationship types of events that speak for an item."""
        return [spec.relationship for spec in self.events.values() if spec.weight > 0]

    def relationships_from(self, end: Literal["user", "item"]) -> list[str]:
        """The types of what users, or items, have beside events: their attributes and relations."""
        fields = (self.user if end == "user" else self.item).fields.values()
        related = [spec.relationship for spec in self.relations.values() if spec.from_ == end]
        return [spec.node.relationship for spec in fields if spec.node] + related

    def relationships_of(self, names: Iterable[str]) -> list[str]:
        """The types of these fields with nodes and relations."""
        wanted = set(names)
        return [kind for kind, name in self.knowledge_names.items() if name in wanted]

    @property
    def knowledge_names(self) -> dict[str, str]:
        """By relationship type, the field or relation of the domain that it stands for."""
        fields = [*self.user.fields.items(), *self.item.fields.items()]
        attributes = {spec.node.relationship: name for name, spec in fields if spec.node}
        return attributes | {spec.relationship: name for name, spec in self.relations.items()}

    @property
    def attribute_labels(self) -> list[str]:
        """The labels of attribute nodes."""
        return sorted({node.label for node in self._attribute_nodes()})

    @property
    def attribute_relationships(self) -> list[str]:
        """The relationship types that lead to attribute nodes."""
        return sorted({node.relationship for node in self._attribute_nodes()})

    def _attribute_nodes(self) -> list[AttributeNode]:
        fields = [*self.item.fields.values(), *self.user.fields.values()]
        return [spec.node for spec in fields if spec.node]

    @property
    def title_field(self) -> str | None:
        """The property that names an item to people: its first text field."""
        return next((n for n in self.item_properties if self.item.fields[n].text), None)

    def item_text(self, fields: Mapping[str, Any]) -> str:
        """The text to encode for an item: its text fields in the domain's order."""
        parts = []
        for name, spec in self.item.fields.items():
            if spec.text and (value := fields.get(name)):
                parts.append(", ".join(value) if isinstance(value, list) else str(value))
        return ". ".join(parts)

    def event_weight(
        self, event_type: str, value: float | None, at: datetime, as_of: datetime
    ) -> float:
        """What one event weighs at `as_of`: graphdb.events.weights.event_weights of one."""
        import numpy as np

        from graphdb.events.weights import event_weights

        weight = event_weights(
            {event_type: self.events[event_type]},
            np.zeros(1, np.intp),
            np.array([np.nan if value is None else value]),
            np.array([_micros(at)]),
            _micros(as_of),
        )
        return float(weight[0])

    def weight_parameters(self) -> dict[str, dict[str, Any]]:
        """`event_weight`'s settings by relationship type, as the parameter of a statement."""
        return {
            spec.relationship: {
                "weight": spec.weight,
                "half_life_days": spec.half_life_days,
                "multiply": spec.value == "multiply",
                "at_least": spec.at_least,
                "seen": spec.seen,
                "type": name,
            }
            for name, spec in self.events.items()
        }


def load_domain(name_or_path: str) -> Domain:
    """A shipped domain by name, or a domain file by path. Raises DomainError."""
    shipped = resources.files("domains").joinpath(f"{name_or_path}.toml")
    if re.fullmatch(r"[a-z][a-z0-9-]*", name_or_path) and shipped.is_file():
        return parse_domain(shipped.read_text(), f"domains/{name_or_path}.toml")
    path = Path(name_or_path)
    try:
        return parse_domain(path.read_text(), str(path))
    except OSError:
        raise DomainError(
            f"domain {name_or_path!r}: neither a shipped domain nor a file that can be read"
        ) from None
    except UnicodeDecodeError:
        raise DomainError(f"domain file {path} is not UTF-8 text") from None


def parse_domain(text: str, source: str) -> Domain:
    """Validate a domain's TOML; `source` names it in errors. Raises DomainError."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DomainError(f"{source}: {error}") from None
    try:
        return Domain.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        keys = tuple(str(part) for part in first["loc"] if part != "[key]")
        line = _line_of(text, keys)
        where = f"{source}, line {line}" if line else source
        reason = {"extra_forbidden": "no such key"}.get(
            first["type"], first["msg"].removeprefix("Value error, ")
        )
        raise DomainError(f"{where}: {'.'.join(keys) or 'domain'}: {reason}") from None


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _line_of(text: str, keys: tuple[str, ...]) -> int | None:
    """The line that sets the longest prefix of `keys`, or its table's header."""
    table: tuple[str, ...] = ()
    found: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[([^\[\]]+)\]", line)
        setting = re.match(r"\s*([A-Za-z0-9_\-.\"']+)\s*=", line)
        if header:
            path = table = _split(header[1])
        elif setting:
            path = table + _split(setting[1])
        else:
            continue
        depth = len(path)
        if keys[:depth] == path and (found is None or depth > found[0]):
            found = (depth, number)
    return found[1] if found else None


def _split(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
