"""Questions of the analyst's own, and what the audit asks."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.session import Json, open_graph
from api.terminal import Steps, err, say, show
from graphdb.errors import PathlightError

if TYPE_CHECKING:
    from graphdb.audit.audit import Finding

app = typer.Typer()


@app.command()
def cypher(
    statement: Annotated[str, typer.Argument(help="One statement that only reads.")],
    parameters: Annotated[
        str, typer.Option(help="A JSON object: what $names in the statement stand for.")
    ] = "{}",
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds.")] = 10,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Rows at most.")] = 1000,
    as_json: Json = False,
) -> None:
    """Run a reading statement on the graph: explained first, with a time-out and a row cap."""
    from graphdb.exploration import explore

    given = _object(parameters)
    with open_graph(as_json) as (graph, _):
        table = explore(graph, statement, given, timeout=timeout, limit=limit)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    show(rows, as_json, "no rows")
    if table.truncated:
        err.print(f"only the first {limit} rows are shown; --limit shows more")


def _object(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise PathlightError('--parameters: expected a JSON object such as \'{"id": "7"}\'')
    return given


@app.command()
def audit(as_json: Json = False) -> None:
    """Count what the database cannot constrain: each query, then what it found; 1 if too much."""
    from graphdb.audit.audit import audit as run_audit
    from graphdb.audit.audit import refused

    with open_graph(as_json) as (graph, domain), Steps(as_json) as steps:
        findings = run_audit(graph, domain, steps.advance)
    if as_json:
        show([_facts(finding) for finding in findings], True)
    else:
        for finding in findings:
            say(f"// {finding.check.name}: {finding.check.counts}\n{finding.check.query}\n")
        show([_row(finding) for finding in findings], False)
    if refusal := refused(findings):
        raise PathlightError(refusal)


def _facts(finding: "Finding") -> dict[str, Any]:
    return {
        "check": finding.check.name,
        "counts": finding.check.counts,
        "count": finding.count,
        "of": finding.of,
        "threshold": finding.threshold,
        "passed": finding.passed,
        "examples": finding.examples,
        "seconds": round(finding.seconds, 3),
        "query": finding.check.query,
    }


def _row(finding: "Finding") -> dict[str, Any]:
    from graphdb.audit.audit import percent

    return {
        "check": finding.check.name,
        "count": f"{finding.count:,}",
        "of": f"{finding.of:,}",
        "share": percent(finding.share) if finding.count else "",
        "threshold": percent(finding.threshold),
        "verdict": "ok" if finding.passed else "FAILS",
        "seconds": f"{finding.seconds:.1f}",
        "such as": ", ".join(finding.examples),
    }
