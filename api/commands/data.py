"""Data in and out: known data sets into the graph, the graph into a snapshot."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.session import Json, graph_at, new_name, open_graph, open_stack
from api.settings import Settings
from api.terminal import Steps, say, tell
from graphdb.domain import load_domain
from graphdb.errors import PathlightError

if TYPE_CHECKING:
    from ingest.tables.rejects import Rejects

app = typer.Typer()


@app.command(name="import")
def import_(
    path: Annotated[
        Path, typer.Argument(help="A known data set's folder, or CSV, JSON lines or Parquet.")
    ],
    rejects: Annotated[
        Path | None, typer.Option(help="Where rows that are not taken are written, as JSON lines.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Load files; loading them again changes nothing. A bad row is written down and left out."""
    from ingest.file_import import find_dataset, import_dataset
    from ingest.tables.rejects import Rejects

    domain = load_domain(Settings().domain)
    dataset = find_dataset(path, domain)
    kept = rejects or Settings().root / "rejects" / f"{dataset.name}.jsonl"
    with (
        open_graph(as_json) as (graph, _),
        Steps(as_json) as steps,
        Rejects(kept) as refused,
    ):
        done = import_dataset(graph, domain, dataset, refused, steps.advance)
    _tell_import(vars(done), refused, as_json)


def _tell_import(done: dict[str, int], refused: "Rejects", as_json: bool) -> None:
    """What was taken and what was not. Raises PathlightError if nothing was."""
    taken = sum(count for name, count in done.items() if name != "rows")
    sentence = (
        f"{done['users']:,} users, {done['items']:,} items, {done['events']:,} new events,"
        f" {done['duplicates']:,} known ones"
    )
    if refused.total and not taken:
        reason = refused.summary()[0]
        raise PathlightError(
            f"none of {refused.total:,} rows could be taken ({reason['field'] or 'row'}:"
            f" {reason['code']}); {refused.path} says why"
        )
    if done["dropped"]:
        sentence += f"; {done['dropped']:,} of people who were erased"
    if refused.total:
        sentence += f"; {refused.total:,} rows rejected, see {refused.path}"
    facts = {**done, "rejected": refused.total, "reasons": refused.summary()}
    tell(sentence, as_json, **facts, rejects=str(refused.path) if refused.total else None)


@app.command()
def check(
    path: Annotated[Path, typer.Argument(help="A file or a folder, as `pathlight import` takes.")],
    draft: Annotated[Path | None, typer.Option(help="Write the drafted domain file there.")] = None,
    rows: Annotated[
        int, typer.Option(min=100, help="How many rows of each file to read.")
    ] = 20_000,
    as_json: Json = False,
) -> None:
    """Read a sample, say what an import would do, and draft a domain file for it."""
    from ingest.drafting.check import check_path

    report = check_path(path, rows)
    if draft:
        _write_draft(draft, report.draft)
    if as_json:
        tell("", True, **report.facts())
        return
    for line in report.lines():
        say(line)
    if draft:
        say(f"import it with: pathlight --domain {draft} import {path}")
    else:
        say(report.draft)


def _write_draft(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PathlightError(f"{path}: {error.strerror}") from None


@app.command()
def snapshot(
    as_of: Annotated[
        datetime | None,
        typer.Option(help="Only events received by this time (UTC), aged as of then."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="A snapshot, by name: what has not changed since is taken from it."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Audit the graph, encode the texts that changed, and export it to files."""
    from api.loop.cycle import export
    from graphdb.snapshot import read_manifest

    settings = Settings()
    domain = load_domain(settings.domain)
    received_by = as_of.replace(tzinfo=UTC) if as_of else None
    base = settings.snapshots / since if since else None
    with open_stack(as_json) as neo4j, graph_at(neo4j, domain) as graph, Steps(as_json) as steps:
        written = export(
            settings,
            neo4j,
            graph,
            domain,
            new_name(),
            steps.advance,
            received_by=received_by,
            since=base,
        )
    manifest = read_manifest(written)
    refused = f"; a full one: {manifest.since_refused}" if manifest.since_refused else ""
    tell(
        f"snapshot {written}{refused}",
        as_json,
        snapshot=str(written),
        since=manifest.since,
        since_refused=manifest.since_refused,
    )
