"""`pathlight`: the one program. It knows its global options and what errors become; the commands
are in api.commands."""

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError

from api.commands import topics
from api.settings import refused_setting
from api.terminal import err
from graphdb.errors import PathlightError
from graphdb.snapshot import SnapshotError
from training.errors import TrainingError

app = typer.Typer(
    help="A graph-native recommender: events in Neo4j, answers with their reasons.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

INTERRUPTED = 130
"""What typer ends with after Ctrl-C."""

for topic in topics():
    app.add_typer(topic)


@app.callback()
def options(
    home: Annotated[
        Path | None, typer.Option(help="Where the local stack keeps everything.")
    ] = None,
    domain: Annotated[
        str | None, typer.Option(help="A shipped domain's name, or a TOML file.")
    ] = None,
    neo4j_version: Annotated[
        str | None, typer.Option("--neo4j", help="Version of the local Neo4j.")
    ] = None,
) -> None:
    """Every option can be an environment variable as well: PATHLIGHT_HOME, PATHLIGHT_DOMAIN, …"""
    given = {"HOME": home, "DOMAIN": domain, "NEO4J_VERSION": neo4j_version}
    os.environ.update({f"PATHLIGHT_{k}": str(v) for k, v in given.items() if v is not None})


def _refuse(sentence: str) -> NoReturn:
    err.print(f"pathlight: {sentence}", markup=False, soft_wrap=True)
    sys.exit(1)


def main() -> None:
    """Run the program: 0, or 1 and one sentence, or 130 after Ctrl-C."""
    try:
        _run()
    except ValidationError as error:
        _refuse(refused_setting(error))
    except (PathlightError, SnapshotError, TrainingError) as error:
        _refuse(str(error))
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            err.print("stopped")
        raise


def _run() -> None:
    try:
        app()
    except Exception as error:
        if _interrupted(error):
            sys.exit(INTERRUPTED)
        raise


def _interrupted(error: BaseException | None) -> bool:
    """Whether it was raised on the way out after Ctrl-C: Neo4j's driver, interrupted while it
    reads, fails to roll back and raises that."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


if __name__ == "__main__":
    main()
