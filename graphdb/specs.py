"""The parts of a domain file: what each table of it may say.

Knows shapes and ranges, table by table; that the names of different tables fit together is
graphdb.domain's affair.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from graphdb.patterns import Pattern, parse_pattern

Label = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]{0,40}$")]
RelationshipType = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,40}$")]
FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
EventType = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
FieldType = Literal["string", "strings", "integer", "float", "boolean"]


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AttributeNode(Strict):
    """A field that becomes nodes of its own: (:Item)-[:relationship]->(:label {id})."""

    label: Label
    relationship: RelationshipType


class FieldSpec(Strict):
    """One catalogue field.

    `text`: part of what the sentence transformer reads; `node`: values become attribute nodes
    instead of a property; `filter`: may be named in a filter.
    """

    type: FieldType = "string"
    text: bool = False
    node: AttributeNode | None = None
    filter: bool = False

    @model_validator(mode="after")
    def _nodes_hold_strings(self) -> "FieldSpec":
        if self.node and self.type not in ("string", "strings"):
            raise ValueError("a field with node must be of type string or strings")
        return self


class ItemSpec(Strict):
    """What the catalogue holds. categories, makers: the fields that say of what kind an item is,
    and who makes it."""

    label: Label
    fields: dict[FieldName, FieldSpec] = {}
    categories: FieldName | None = None
    makers: FieldName | None = None

    @model_validator(mode="after")
    def _kinds_are_named_by_fields(self) -> "ItemSpec":
        names = [n for n, spec in self.fields.items() if spec.type in ("string", "strings")]
        for what in ("categories", "makers"):
            name = getattr(self, what)
            if name is not None and name not in names:
                expected = ", ".join(names) or "none, for no field holds text"
                raise ValueError(
                    f"{what}: {name!r} is not a field of text: expected one of {expected}"
                )
        return self


class GroupSpec(Strict):
    """Makers whose items may be given a least share of lists: values of the field item.makers."""

    makers: list[str] = Field(min_length=1, max_length=10_000)


class UserSpec(Strict):
    fields: dict[FieldName, FieldSpec] = {}


class EventSpec(Strict):
    """One event type: its relationship and what it weighs.

    weight: of a fresh event, negative pushes away; half_life_days: after which it weighs half;
    value: whether the event's value multiplies the weight; at_least: events with a smaller value
    weigh nothing; seen: whether the item counts as seen from then on; counting: of one person's
    events of this type on one item each counts, only the heaviest (once), or only the latest.
    """

    relationship: RelationshipType
    weight: float = Field(1.0, allow_inf_nan=False, ge=-1000, le=1000)
    half_life_days: float | None = Field(None, gt=0, allow_inf_nan=False)
    value: Literal["ignore", "multiply"] = "ignore"
    at_least: float | None = Field(None, allow_inf_nan=False)
    seen: bool = True
    counting: Literal["each", "once", "latest"] = "each"


class RelationSpec(Strict):
    """One kind of knowledge-graph edge: (from)-[:relationship]->(to).

    Its ends are "user", "item", or the name of a field with `node`: then the end is that field's
    attribute node. negative: it leads to what its start wants nothing of, so that no profile is
    made of it.
    """

    relationship: RelationshipType
    from_: str = Field(alias="from")
    to: str
    negative: bool = False


class SocialSpec(Strict):
    """What an answer may tell of other people: what those chose whom one of these `relations` leads
    the person to, in numbers. least_people: nothing of fewer, whoever they are; names: the ids of
    some of those."""

    relations: list[EventType] = []
    least_people: int = Field(5, ge=1)
    names: bool = False


class WalksSpec(Strict):
    """What candidates are found by: `knowledge`, fields with `node` and relations of items, from
    the items that count for a person; `social`, some of social.relations, from the person."""

    knowledge: list[FieldName] = []
    social: list[EventType] = []


Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Thresholds(Strict):
    """By check of `pathlight audit`, the share of what it looks at that may be at fault: 0 is none
    at all.

    What breaks answers or exports may never be; what only deserves a look has room.
    """

    missing_event_properties: Share = 0
    missing_user_properties: Share = 0
    missing_item_properties: Share = 0
    wrong_event_types: Share = 0
    wrong_user_types: Share = 0
    wrong_item_types: Share = 0
    wrong_attribute_types: Share = 0
    wrong_vectors: Share = 0
    future_times: Share = 0
    misplaced_events: Share = 0
    dangling_relations: Share = 0
    broken_joins: Share = 0
    source_counts: Share = 0
    returned_people: Share = 0
    orphan_attributes: Share = 0.5
    empty_ends: Share = 0.5
    degree_skew: Share = 0.7
    own_pace: Share = 0.005
    crowd_pace: Share = 0.005
    item_bursts: Share = 0.001


class AuditSpec(Strict):
    """What the audit takes for usual, and how much of the rest is too much.

    ahead_minutes: a sender's clock may be ahead by so much; fast_minute: so many events of one
    person in a minute are never too fast; deviations: so many standard deviations from what is
    usual are far outside; young_hours: how long after their first event a person is new;
    burst_events: fewer on one item in an hour are no burst; least_items: of fewer items that have
    events nothing is said about skew.
    """

    ahead_minutes: float = Field(5, ge=0, le=1440, allow_inf_nan=False)
    fast_minute: int = Field(30, ge=1)
    deviations: float = Field(10, gt=0, le=1000, allow_inf_nan=False)
    young_hours: float = Field(24, gt=0, allow_inf_nan=False)
    burst_events: int = Field(20, ge=2)
    least_items: int = Field(100, ge=1)
    thresholds: Thresholds = Thresholds()


PatternText = Annotated[Pattern, BeforeValidator(parse_pattern)]
RULES = {
    "never": {"within_days", "unless"},
    "at_most": {"per"},
    "place": {"position"},
    "shown_at_most": {"within_days"},
}
"""What says which kind a rule is, and what else a rule of that kind may say."""


class RuleSpec(Strict):
    """One business rule; exactly one of never, at_most, place and shown_at_most.

    never: items that are never shown to the person; within_days: the pattern's event is no older;
    unless: a pattern that excepts an item. at_most: so many items of a list `per` group. place:
    the best of these items is shown at `position`, marked. shown_at_most: an item that was in so
    many of the person's lists of the last `within_days` is in no further one.
    """

    never: PatternText | None = None
    within_days: float | None = Field(None, gt=0, le=36_500, allow_inf_nan=False)
    unless: PatternText | None = None
    at_most: int | None = Field(None, ge=1, le=500)
    per: PatternText | None = None
    place: PatternText | None = None
    position: int | None = Field(None, ge=1, le=500)
    shown_at_most: int | None = Field(None, ge=1, le=1000)

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> "RuleSpec":
        kinds = [kind for kind in RULES if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError(f"a rule says exactly one of {', '.join(RULES)}")
        (kind,) = kinds
        if extra := self.model_fields_set - RULES[kind] - {kind}:
            raise ValueError(f"{min(extra)!r} does not go with {kind!r}")
        needed = {
            "at_most": self.per,
            "place": self.position,
            "shown_at_most": self.within_days,
        }
        if needed.get(kind, "") is None:
            raise ValueError(f"{kind!r} needs {min(RULES[kind])!r}")
        return self


RANKINGS = ("trending", "popular", "latest")
"""The rankings that there always are."""


class RankingSpec(Strict):
    """A ranking: the items that pass `filter`, in the order of one of RANKINGS or of a field's
    values, as in "year desc"."""

    order: str
    filter: str | None = None

    @property
    def by_field(self) -> tuple[str, str] | None:
        """The field and asc or desc, where the order is not one of RANKINGS."""
        field, _, direction = self.order.partition(" ")
        return None if field == self.order else (field, direction)


class SourceSpec(Strict):
    """A source of candidates: a reading statement that returns items' ids as `id`.

    rows: so many at most; timeout_ms: how long an answer waits for it; factor: what it finds counts
    so many times.
    """

    cypher: str = Field(min_length=1, max_length=10_000)
    rows: int = Field(100, ge=1, le=1000)
    timeout_ms: int = Field(100, ge=1, le=30_000)
    factor: float = Field(1.0, ge=1, le=10, allow_inf_nan=False)
