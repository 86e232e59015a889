"""What a domain's rules, sources, rankings and walks may name.

It raises ValueErrors, which graphdb.domain turns into sentences that name the file.
"""

from collections.abc import Collection, Mapping

from graphdb.filters import Catalogue, FilterError, parse_filter
from graphdb.patterns import check_names
from graphdb.specs import RANKINGS, RankingSpec, RuleSpec

OWN_WORDS = {
    *("vector", "similar", "knowledge", "social", "filter", "memory", "given"),
    *("published", "session", "profile", "static", *RANKINGS),
    *("graph", "artifact", "boost", "rules", "served"),
}


def check_rule_names(
    rules: Mapping[str, RuleSpec],
    labels: Mapping[str, Collection[str]],
    events: Collection[str],
    types: Collection[str],
) -> None:
    """Raise ValueError for a rule that speaks of what is not there; types: beside `events`."""
    for name, rule in rules.items():
        try:
            _check_rule(rule, labels, events, [*events, *types])
        except ValueError as error:
            raise ValueError(f"rule {name!r}: {error}") from None
    positions = [rule.position for rule in rules.values() if rule.position]
    if len(set(positions)) < len(positions):
        raise ValueError("two rules place an item at one position")


def _check_rule(
    rule: RuleSpec,
    labels: Mapping[str, Collection[str]],
    events: Collection[str],
    types: Collection[str],
) -> None:
    for key in ("never", "unless", "place"):
        pattern = getattr(rule, key)
        if pattern and (pattern.names.count("item") != 1 or "group" in pattern.names):
            raise ValueError(f"{key} needs one node (item), and no (group)")
    if rule.per and sorted(rule.per.names) != ["group", "item"]:
        raise ValueError("per needs one node (item), one node (group), and no (person)")
    for pattern in filter(None, (rule.never, rule.unless, rule.per, rule.place)):
        check_names(pattern, labels, types)
    dated = rule.never and [set(link.types) <= set(events) for link in rule.never.links]
    if rule.never and rule.within_days and dated != [True]:
        raise ValueError("within_days needs a pattern with one relationship, which is an event")


def check_source_names(sources: Collection[str], rules: Collection[str]) -> None:
    """Raise ValueError for names that an answer could not tell apart."""
    for name in OWN_WORDS & {*sources, *rules}:
        raise ValueError(f"{name!r} is a word of Pathlight's own answers; choose another name")
    for name in set(sources) & set(rules):
        raise ValueError(f"{name!r} names both a source and a rule")


def check_rankings(rankings: Mapping[str, RankingSpec], domain: Catalogue) -> None:
    """Raise ValueError, naming table and key, for a ranking that could be mistaken for another word
    of an answer, or that the domain's items cannot be filtered or ordered by."""
    ordered = [
        name
        for name, spec in domain.item.fields.items()
        if not spec.node and spec.type in ("string", "integer", "float")
    ]
    for name, ranking in rankings.items():
        if name in OWN_WORDS:
            raise ValueError(
                f"rankings.{name}: {name!r} is a word of Pathlight's own answers; choose another"
            )
        field, direction = ranking.by_field or ("", "")
        known = field in ordered and direction in ("asc", "desc")
        if not known and ranking.order not in RANKINGS:
            fields = ", ".join(ordered) or "none, for no field has one text or number"
            raise ValueError(
                f"rankings.{name}.order: expected {', '.join(RANKINGS)}, or a field with asc or "
                f"desc, as in 'year desc', of these: {fields}; found {ranking.order!r}"
            )
        try:
            if ranking.filter is not None:
                parse_filter(ranking.filter, domain)
        except FilterError as error:
            raise ValueError(f"rankings.{name}.filter: {error}") from None


def check_choices(where: str, names: Collection[str], known: Collection[str]) -> None:
    """Raise ValueError for a name that is none of those known."""
    for name in names:
        if name not in known:
            expected = ", ".join(known) or "none, for the domain has nothing of the kind"
            raise ValueError(f"{where}: {name!r} is none of {expected}")
