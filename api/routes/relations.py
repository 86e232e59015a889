"""Relations: knowledge-graph edges of the types that the domain allows, under /v1/relations."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.intake.rows import alone, body_of, check_size, erased
from api.problems import responses
from api.routes.events import Accepted, Rejected
from api.state import Current
from graphdb.catalogue.relations import delete_relation, save_relations
from ingest.relation import read_relations

MOST_ROWS = 10_000

router = APIRouter(tags=["relations"])


@router.post(
    "/v1/relations",
    responses=responses(409, 410, 413, 422, 503),
    openapi_extra=body_of("Relation", MOST_ROWS, or_one=True),
)
def post_relations(
    state: Current, body: Annotated[Any, Body(description="A relation, or 1 to 10,000.")]
) -> Accepted:
    """Save relations; people and items that they name are created if need be. A bad row never
    rejects its neighbours."""
    rows = body if isinstance(body, list) else [body]
    check_size(rows, MOST_ROWS, "relations")
    batch = read_relations(state.domain, rows)
    gone = state.breaker.writing(save_relations, state.working, state.domain, batch.rows)
    rejected = [*batch.rejected, *(erased(batch.indexes[n], "") for n in gone)]
    if not isinstance(body, list):
        alone(rejected, "relation")
    return Accepted(
        accepted=len(batch.rows) - len(gone),
        duplicates=len(batch.duplicates_within),
        rejected=[Rejected(**row) for row in sorted(rejected, key=lambda row: row["index"])],
    )


class RelationQuery(BaseModel):
    """Which relation: its type and its two ends."""

    model_config = ConfigDict(extra="forbid")

    type: str
    start: str = Field(alias="from")
    end: str = Field(alias="to")


@router.delete("/v1/relations", status_code=204, responses=responses(422, 503))
def delete(state: Current, query: Annotated[RelationQuery, Query()]) -> Response:
    """Remove one relation; its ends stay."""
    batch = read_relations(state.domain, [query.model_dump(by_alias=True)])
    alone(batch.rejected, "relation")
    [row] = batch.rows
    state.breaker.writing(
        delete_relation, state.working, state.domain, row["type"], row["start"], row["end"]
    )
    return Response(status_code=204)
