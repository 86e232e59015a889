"""Questions of the analyst's own."""

from typing import Annotated

import typer

from api.session import Json, open_graph
from api.terminal import err, show

app = typer.Typer()


@app.command()
def cypher(
    statement: Annotated[str, typer.Argument(help="One statement that only reads.")],
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds.")] = 10,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Rows at most.")] = 1000,
    as_json: Json = False,
) -> None:
    """Run a reading statement on the graph: explained first, with a time-out and a row cap."""
    from graphdb.exploration import explore

    with open_graph(as_json) as (graph, _):
        table = explore(graph, statement, timeout=timeout, limit=limit)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    show(rows, as_json, "no rows")
    if table.truncated:
        err.print(f"only the first {limit} rows are shown; --limit shows more")
