"""Pages about artifacts. Like training, they need no running stack."""

from pathlib import Path
from typing import Annotated

import typer

from api.session import Json, newest
from api.settings import Settings
from api.terminal import tell

app = typer.Typer()


@app.command()
def report(
    artifact: Annotated[
        Path | None, typer.Argument(help="Its directory; without it the newest is taken.")
    ] = None,
    snapshot: Annotated[
        Path | None,
        typer.Option(help="Where items' titles are; without it the snapshot it was trained on."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--to", help="Where to write; without it the artifact's.")
    ] = None,
    as_json: Json = False,
) -> None:
    """One HTML page about an artifact, which opens offline, and a model card beside it."""
    from training.artifact import read_model
    from training.report.artifact_page import write_report

    chosen = artifact or newest(Settings().artifacts, "artifact")
    trained_on = Settings().snapshots / read_model(chosen).snapshot_id
    if snapshot is None and trained_on.is_dir():
        snapshot = trained_on
    written = write_report(chosen, snapshot=snapshot, folder=folder)
    untitled = "" if snapshot else f"; items without titles, for {trained_on} is gone: --snapshot"
    tell(
        f"page {written.page}, card {written.card}{untitled}",
        as_json,
        page=str(written.page),
        card=str(written.card),
        snapshot=snapshot and str(snapshot),
    )


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="The directory of an artifact.")],
    second: Annotated[Path, typer.Argument(help="That of another.")],
    page: Annotated[
        Path | None, typer.Option("--to", help="Where to write; without it into this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """One HTML page about two artifacts: figures side by side, a paired test, what differs."""
    from training.report.comparison import write_comparison

    chosen = page or Path(f"{first.resolve().name}-{second.resolve().name}.html")
    done = write_comparison(first, second, chosen)
    tell(
        f"{' '.join(done.said)} page {done.page}",
        as_json,
        page=str(done.page),
        comparable=bool(done.paired),
        said=done.said,
        paired=[pair.model_dump() for pair in done.paired],
    )
