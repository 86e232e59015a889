"""The example that ships: films, people who watch them and a year of events, all GENERATED.

None of it is real. Films have a theme, a tone, people and a style; overviews are written from the
theme and tone, so that text carries signal; the style shows only in what people watch. Tastes
drift over the year, films appear during it, and popularity is skewed. The same seed gives the same
data set, byte for byte. It knows the domain `films` by its fields only.
"""

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import numpy as np

from ingest.datasets.dataset import Dataset

YEAR = 2025
MONTHS = 12
START = int(datetime(YEAR, 1, 1, tzinfo=UTC).timestamp())
END = int(datetime(YEAR + 1, 1, 1, tzinfo=UTC).timestamp()) - 1
MONTH_SECONDS = (END - START) // MONTHS

STYLES = 8
NEW_FILMS = 0.2
RATED = 0.6
FEWEST_WATCHED = 8
SEQUELS = ("II", "III", "Returns", "Again", "Revisited")

Array = np.ndarray
Row = dict[str, Any]


def generate(seed: int = 7, *, items: int = 720, users: int = 1300) -> Dataset:
    """A generated data set: about 40 films watched a person, three in five of them rated."""
    rng = np.random.default_rng(seed)
    text = resources.files("ingest.datasets").joinpath("generator.toml").read_text("utf-8")
    words = tomllib.loads(text)
    films = _films(rng, words, items)
    people = _audience(rng, words, films, users)
    watched = _watch(rng, films, people)
    events = _events(rng, films, people, watched)
    return Dataset(
        name=f"example-{seed}",
        domain="films",
        description=f"a generated example (seed {seed}): {items} films, {users} people, "
        f"{len(events)} events of the year {YEAR}",
        items=films.rows,
        users=people.rows,
        events=events,
    )


@dataclass(frozen=True)
class _Films:
    """What films are: `theme` (I, themes), `tone` (I, tones), `style` (I, styles); and how they
    fare: `fame`, `quality` (I), `month` (I) of release, negative before the year."""

    rows: list[Row]
    theme: Array
    tone: Array
    style: Array
    fame: Array
    quality: Array
    month: Array


@dataclass(frozen=True)
class _Audience:
    """What people like: `liking` (MONTHS, U, I), standardised; when they came, how they rate."""

    rows: list[Row]
    liking: Array
    joined: Array
    watches: Array
    mildness: Array


def _films(rng: np.random.Generator, words: Row, count: int) -> _Films:
    themes, tones = len(words["themes"]), len(words["tones"])
    theme = rng.integers(themes, size=count)
    aside = (theme + rng.integers(1, themes, size=count)) % themes
    tone = rng.integers(tones, size=count)
    month = np.where(rng.random(count) < NEW_FILMS, rng.integers(1, 11, size=count), -1)
    crew, style = _crew(rng, words, theme)
    writer = _Writer(rng, words)
    rows = [
        writer.film(n, int(theme[n]), int(aside[n]), int(tone[n]), crew[n], bool(month[n] > 0))
        for n in range(count)
    ]
    return _Films(
        rows=rows,
        theme=np.eye(themes)[theme] + 0.45 * np.eye(themes)[aside],
        tone=np.eye(tones)[tone],
        style=style,
        fame=rng.normal(0, 1.0, count),
        quality=rng.normal(0, 0.5, count),
        month=month,
    )


def _crew(rng: np.random.Generator, words: Row, theme: Array) -> tuple[list[list[str]], Array]:
    """A director and three actors a film; a director stays with a theme and has a style."""
    names = [f"{first} {last}" for last in words["last_names"] for first in words["first_names"]]
    names = [names[n] for n in rng.permutation(len(names))]
    themes = len(words["themes"])
    directors, actors = names[: 10 * themes], names[10 * themes : 10 * themes + 24 * themes]
    signature = rng.normal(0, 1, (len(directors), STYLES))
    directs = theme + themes * rng.integers(10, size=len(theme))
    style = 0.8 * signature[directs] + 0.6 * rng.normal(0, 1, (len(theme), STYLES))
    crew = []
    for film, director in enumerate(directs):
        at_home = rng.random(3) < 0.7
        cast = np.where(
            at_home,
            theme[film] + themes * rng.integers(24, size=3),
            rng.integers(24 * themes, size=3),
        )
        crew.append(list(dict.fromkeys([directors[director], *(actors[a] for a in cast)])))
    return crew, style


class _Writer:
    """Writes a film's fields from its themes and tone."""

    def __init__(self, rng: np.random.Generator, words: Row) -> None:
        self._rng, self._words = rng, words
        self._titles: set[str] = set()

    def film(
        self, number: int, theme: int, aside: int, tone: int, crew: list[str], new: bool
    ) -> Row:
        main, second = self._words["themes"][theme], self._words["themes"][aside]
        manner = self._words["tones"][tone]
        year = YEAR if new else YEAR - 1 - int(min(self._rng.exponential(14), 70))
        fields = {
            "title": self._title(main, second),
            "overview": self._overview(main, second, manner),
            "year": year,
            "genres": [*main["genres"], manner["genre"]],
            "people": crew,
            "countries": self._countries(),
        }
        return {"id": f"film-{number + 1:04}", "fields": fields}

    def _title(self, main: Row, second: Row) -> str:
        one, other = self._some(main["title_words"]), self._some(second["title_words"])
        name, where = self._some(self._words["first_names"]), self._some(self._words["countries"])
        forms = (
            f"The {one}",
            f"{one} and {other}",
            f"{name}'s {one}",
            f"The {one} of {where}",
            f"The Last {one}",
            f"{one} at Midnight",
            f"{name} and the {one}",
            f"A {one} for {name}",
        )
        title = self._some(forms)
        while title in self._titles:
            title = f"{self._some(forms)} {self._some(SEQUELS)}"
        self._titles.add(title)
        return title

    def _overview(self, main: Row, second: Row, manner: Row) -> str:
        name = f"{self._some(self._words['first_names'])} {self._some(self._words['last_names'])}"
        hero, goal, place = (self._some(main[part]) for part in ("heroes", "goals", "places"))
        trouble, other = self._some(main["troubles"]), self._some(second["troubles"])
        opening = self._some(
            (
                f"{name}, {hero}, {goal} {place}, but {trouble}.",
                f"{_capital(place)}, {hero} {goal}. Then it turns out that {trouble}.",
                f"{_capital(hero)} named {name} {goal} {place}, although {trouble}.",
                f"{_capital(trouble)} when {name}, {hero}, {goal} {place}.",
            )
        )
        middle = self._some((f"Meanwhile {other}.", f"To make things worse, {other}.", ""))
        return " ".join(part for part in (opening, middle, self._some(manner["closings"])) if part)

    def _countries(self) -> list[str]:
        known = self._words["countries"]
        chance = 1 / np.arange(1, len(known) + 1)
        count = 1 + int(self._rng.random() < 0.2)
        chosen = self._rng.choice(len(known), size=count, replace=False, p=chance / chance.sum())
        return [known[c] for c in chosen]

    def _some(self, choices: Any) -> Any:
        return choices[int(self._rng.integers(len(choices)))]


def _audience(rng: np.random.Generator, words: Row, films: _Films, count: int) -> _Audience:
    jobs = words["occupations"]
    job = rng.integers(len(jobs), size=count)
    joined = np.where(rng.random(count) < 0.6, 0, rng.integers(1, 10, size=count))
    watches = np.maximum(FEWEST_WATCHED, rng.lognormal(3.5, 0.65, count)).astype(int)
    rows = [
        {
            "id": f"user-{n + 1:04}",
            "fields": {
                "age": int(np.clip(rng.normal(38, 14), 14, 85)),
                "gender": "FM"[int(rng.integers(2))],
                "occupation": jobs[job[n]],
            },
        }
        for n in range(count)
    ]
    return _Audience(
        rows=rows,
        liking=_liking(rng, films, job),
        joined=joined,
        watches=np.minimum(watches, len(films.rows) // 3),
        mildness=rng.normal(0, 0.35, count),
    )


def _liking(rng: np.random.Generator, films: _Films, job: Array) -> Array:
    """(MONTHS, U, I): theme, tone and style of a film against a taste that moves over the year."""
    users, themes = len(job), films.theme.shape[1]
    lean = 0.3 * (np.arange(themes) == (job % themes)[:, None])
    then, later = (rng.standard_gamma(0.2 + lean) for _ in range(2))
    then, later = (taste / (taste.sum(1, keepdims=True) + 1e-9) for taste in (then, later))
    drift = rng.beta(1.2, 1.2, (users, 1))
    tone = _standard(rng.normal(0, 1, (users, films.tone.shape[1])) @ films.tone.T)
    style = _standard(rng.normal(0, 1, (users, STYLES)) @ films.style.T)
    months = []
    for month in range(MONTHS):
        moved = drift * month / (MONTHS - 1)
        theme = _standard(((1 - moved) * then + moved * later) @ films.theme.T)
        months.append(1.2 * theme + 0.5 * tone + 1.0 * style)
    return np.stack(months)


def _standard(values: Array) -> Array:
    return (values - values.mean()) / values.std()


def _watch(rng: np.random.Generator, films: _Films, people: _Audience) -> Array:
    """(watched, 3): month, user, film. A person watches a film once, after it came out.

    Films are drawn without replacement in proportion to exp(liking + fame) (Gumbel top-k).
    """
    seen = np.zeros(people.liking.shape[1:], dtype=bool)
    found = []
    for month in range(MONTHS):
        here = people.joined <= month
        share = 1 / (MONTHS - people.joined)
        wanted = np.where(here, rng.poisson(people.watches * share), 0)
        appeal = people.liking[month] + films.fame + films.quality
        appeal = appeal + rng.gumbel(size=appeal.shape)
        appeal[seen | (films.month > month)] = -np.inf
        order = np.argsort(-appeal, axis=1, kind="stable")
        chosen = np.arange(order.shape[1]) < wanted[:, None]
        chosen &= np.isfinite(np.take_along_axis(appeal, order, axis=1))
        user, rank = np.nonzero(chosen)
        film = order[user, rank]
        seen[user, film] = True
        found.append(np.column_stack([np.full_like(user, month), user, film]))
    return np.concatenate(found)


def _events(
    rng: np.random.Generator, films: _Films, people: _Audience, watched: Array
) -> list[Row]:
    """Raw events by person and time: `watched`, and for some a `rated` within two days."""
    month, user, film = watched.T
    evening = 3600 * rng.integers(17, 24, len(watched))
    day = 86400 * rng.integers(0, MONTH_SECONDS // 86400, len(watched))
    at = START + month * MONTH_SECONDS + day + evening + rng.integers(0, 3600, len(watched))
    at = np.minimum(at, END)
    stars = 2.7 + 0.6 * people.liking[month, user, film] + films.quality[film]
    stars = stars + people.mildness[user] + rng.normal(0, 0.6, len(watched))
    stars = np.clip(np.rint(stars), 1, 5)
    rated = rng.random(len(watched)) < RATED
    later = np.minimum(at + rng.integers(600, 2 * 86400, len(watched)), END)
    rows = [("watched", u, f, t, None) for u, f, t in zip(user, film, at, strict=True)]
    rows += [("rated", user[n], film[n], later[n], float(stars[n])) for n in np.flatnonzero(rated)]
    # By person: loading then writes each one's list of recent events once.
    rows.sort(key=lambda row: (row[1], row[3], row[2], row[0]))
    return [_event(number, *row) for number, row in enumerate(rows)]


def _event(number: int, event_type: str, user: int, film: int, at: int, value: float | None) -> Row:
    event: Row = {
        "event_id": f"example-{number:06}",
        "event_type": event_type,
        "user_id": f"user-{user + 1:04}",
        "item_id": f"film-{film + 1:04}",
        "occurred_at": int(at),
    }
    return event if value is None else {**event, "value": value}


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
