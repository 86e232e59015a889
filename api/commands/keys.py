"""Who may ask the API: keys are created, listed and revoked."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from api.session import Json, open_graph
from api.terminal import brief, show, tell
from graphdb.errors import PathlightError

app = typer.Typer(name="keys", help="Who may ask the API: its keys.")

NONE = "no API key: the API answers this machine only"


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose it is, as `list` shows it.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="events, read, catalogue, metrics or admin; several times for several."),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="For browsers: it may send events and ask for lists.")
    ] = False,
    rate: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="Requests a minute; 0: no limit.")
    ] = 0,
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Days until it is valid no more.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key and print its secret: it is shown this once and kept nowhere."""
    from api.access.keyring import digest_of, new_secret
    from api.access.scopes import PUBLIC
    from graphdb.api_keys import save_api_key

    scopes = [PUBLIC] if public else _scopes(scope)
    if public and scope:
        raise PathlightError("a public key has no scopes of its own: leave --scope out")
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
    id, secret = new_secret()
    with open_graph(as_json) as (graph, _):
        save_api_key(
            graph,
            id,
            digest_of(secret),
            name=name[:200],
            scopes=scopes,
            rate=rate,
            expires_at=expires_at,
        )
    tell(secret, as_json, id=id, secret=secret, scopes=scopes)


@app.command(name="list")
def list_(as_json: Json = False) -> None:
    """Every key without its secret, the oldest first."""
    from graphdb.api_keys import list_api_keys

    with open_graph(as_json) as (graph, _):
        keys = list_api_keys(graph)
    rows = [
        {
            "id": key.id,
            "name": key.name,
            "scopes": ", ".join(key.scopes),
            "rate": key.rate or None,
            **{
                what: at if as_json else brief(at)
                for what, at in (
                    ("created_at", key.created_at),
                    ("expires_at", key.expires_at),
                    ("revoked_at", key.revoked_at),
                )
            },
        }
        for key in keys
    ]
    show(rows, as_json, NONE)


@app.command()
def revoke(
    id: Annotated[str, typer.Argument(help="Its id, as `list` shows it.")], as_json: Json = False
) -> None:
    """Let a key in no more: every API process knows within a second."""
    from graphdb.api_keys import revoke_api_key

    with open_graph(as_json) as (graph, _):
        if not revoke_api_key(graph, id):
            raise PathlightError(f"there is no API key {id[:80]!r}")
    tell(f"key {id} is revoked", as_json, revoked=id)


def _scopes(wanted: list[str] | None) -> list[str]:
    from api.access.scopes import GRANTS, PUBLIC

    known = [scope for scope in GRANTS if scope != PUBLIC]
    if not wanted:
        raise PathlightError(f"say --public, or with --scope what it may do: {', '.join(known)}")
    if strange := [scope for scope in wanted if scope not in known]:
        raise PathlightError(f"there is no scope {strange[0][:80]!r}: expected {', '.join(known)}")
    return sorted(set(wanted), key=known.index)
