"""Events that were put aside: look, send them once more, give them up."""

from collections.abc import Generator
from typing import Annotated

import typer

from api.session import Json, open_events
from api.settings import Settings
from api.terminal import brief, err, show, tell
from graphdb.domain import load_domain
from graphdb.errors import PathlightError
from ingest.stream.dead_letters import DeadLetter, DeadLetters, replay

app = typer.Typer(name="deadletters", help="Events that were put aside, each with its reason.")

PAGE = 1000
Names = Annotated[list[str] | None, typer.Argument(help="Names, as `list` shows them.")]
Every = Annotated[bool, typer.Option("--all", help="All of them.")]


@app.command(name="list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Letters at most.")] = 100,
    as_json: Json = False,
) -> None:
    """The oldest dead letters and why they are there; --json shows them whole."""
    with open_events(as_json) as (_, letters):
        found, count = letters.list_letters(limit), letters.count()
    rows = [vars(letter) for letter in found]
    if not as_json:
        columns = ("name", "reason", "source", "at", "detail")
        rows = [{k: brief(row[k]) if k == "at" else row[k] for k in columns} for row in rows]
    show(rows, as_json, "no dead letters")
    if count > limit and not as_json:
        err.print(f"{count:,} in all; --limit shows more")


@app.command(name="replay")
def replay_(names: Names = None, every: Every = False, as_json: Json = False) -> None:
    """Send dead letters the way of every event; what is refused again stays."""
    domain = load_domain(Settings().domain)
    replayed, kept = 0, {}
    with open_events(as_json) as (stream, letters):
        for page in _chosen(letters, names, every):
            done = replay(domain, stream, letters, page)
            replayed += done.replayed
            kept |= done.kept
    tell(
        f"{replayed:,} sent once more, {len(kept):,} refused again",
        as_json,
        replayed=replayed,
        kept=kept,
    )


@app.command()
def drop(names: Names = None, every: Every = False, as_json: Json = False) -> None:
    """Give dead letters up for good."""
    with open_events(as_json) as (_, letters):
        dropped = sum(
            letters.remove([letter.name for letter in page])
            for page in _chosen(letters, names, every)
        )
    tell(f"{dropped:,} dropped", as_json, dropped=dropped)


def _chosen(
    letters: DeadLetters, names: list[str] | None, every: bool
) -> Generator[list[DeadLetter]]:
    """Pages of the letters that are meant."""
    if bool(names) == every:
        raise PathlightError("name the dead letters, or say --all")
    if names:
        found = letters.fetch(names)
        if missing := [name for name in names if name not in found]:
            raise PathlightError(f"there is no dead letter {missing[0]!r}")
        yield list(found.values())
        return
    # The names of now: what comes back while they are sent is another letter.
    everyone = [letter.name for letter in letters.list_letters(letters.count())]
    for start in range(0, len(everyone), PAGE):
        yield list(letters.fetch(everyone[start : start + PAGE]).values())
