"""What is answered when a list cannot be a person's own: a chain of links, each poorer and surer.

The first link that gives anything names the answer; those after it fill the list. It knows lists of
ids and where they come from, nothing of scoring.
"""

from collections.abc import Callable, Collection, Iterable, Iterator

from api.answers.answer import Recommended
from api.answers.rankings import Rankings, Scored
from api.serving.mapped import MappedVersion

Link = tuple[str, Callable[[], Iterable[Scored]]]
Showable = Callable[[list[str]], Collection[str]]
"""Which of these ids may be shown."""

PAGE = 200
"""Ids of a long list that are held against what may be shown at once, at least."""


def fill(links: Iterable[Link], k: int, barred: Collection[str]) -> tuple[list[Recommended], str]:
    """k items that are not barred, and the name of the first link that gave any; the last link's
    where none did. A link that is not needed is not asked."""
    chosen: dict[str, Recommended] = {}
    first = name = ""
    for name, scored in links:
        for item, score in scored():
            if len(chosen) >= k:
                break
            if item not in barred and item not in chosen:
                chosen[item] = Recommended(item, len(chosen) + 1, score, [name])
        first = first or (name if chosen else "")
        if len(chosen) >= k:
            break
    return list(chosen.values()), first or name


def ranked(rankings: Rankings, version: MappedVersion | None, showable: Showable) -> list[Link]:
    """The links that are nobody's own: what trends, then what is popular."""
    popular = rankings.of("popular") if version is None else _popular(version)
    return [
        ("trending", lambda: allowed(rankings.of("trending"), showable)),
        ("popular", lambda: allowed(popular, showable)),
    ]


def _popular(version: MappedVersion) -> Iterator[Scored]:
    ids, popularity = version.artifact.item_ids, version.artifact.popularity
    return ((ids[row], float(popularity[row])) for row in version.popular)


def allowed(scored: Iterable[Scored], showable: Showable) -> Iterator[Scored]:
    """Those that may be shown, asked for a page at a time."""
    page: list[Scored] = []

    def kept() -> Iterator[Scored]:
        allowed = showable([item for item, _ in page]) if page else ()
        yield from (pair for pair in page if pair[0] in allowed)

    for pair in scored:
        page.append(pair)
        if len(page) == PAGE:
            yield from kept()
            page = []
    yield from kept()
