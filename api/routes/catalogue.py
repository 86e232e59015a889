"""PUT /v1/items/{id} and /v1/users/{id}: the catalogue, each entry replaced whole."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict

from api.problems import InvalidError, responses
from api.state import Current
from graphdb.catalogue import save_items, save_users
from ingest.catalogue import Batch, read_items, read_users

router = APIRouter(tags=["catalogue"])

Id = Annotated[str, Path(description="Your own id; a slash in it is written %2F.")]


class ItemBody(BaseModel):
    """An item's fields as the domain names them. A hidden item is in no answer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "fields": {
                        "title": "Kolya",
                        "overview": "A confirmed bachelor is left in charge of a small boy.",
                        "year": 1996,
                        "genres": ["Comedy", "Drama"],
                        "countries": ["Czech Republic"],
                    },
                    "hidden": False,
                }
            ]
        },
    )

    fields: dict[str, Any] = {}
    hidden: bool = False


class UserBody(BaseModel):
    """A person's fields as the domain names them."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"fields": {"occupation": "librarian"}}]}
    )

    fields: dict[str, Any] = {}


@router.put("/v1/items/{id:path}", status_code=204, responses=responses(422, 503))
def put_item(state: Current, id: Id, body: ItemBody) -> Response:
    """Save an item. Fields that are left out are removed; events and vectors stay."""
    batch = read_items(state.domain, [{"id": id, **body.model_dump()}])
    state.breaker.writing(save_items, state.working, state.domain, _valid(batch))
    return Response(status_code=204)


@router.put("/v1/users/{id:path}", status_code=204, responses=responses(422, 503))
def put_user(state: Current, id: Id, body: UserBody) -> Response:
    """Save a person. Fields that are left out are removed; events and vectors stay."""
    batch = read_users(state.domain, [{"id": id, **body.model_dump()}])
    state.breaker.writing(save_users, state.working, state.domain, _valid(batch))
    return Response(status_code=204)


def _valid(batch: Batch) -> list[dict[str, Any]]:
    if batch.rejected:
        first = batch.rejected[0]
        errors = [{k: v for k, v in row.items() if k != "index"} for row in batch.rejected]
        raise InvalidError(f"{first['field'] or 'body'}: {first['detail']}", errors)
    return batch.rows
