"""Items: saved whole, changed in part, read, listed and deleted under /v1/items."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import BaseModel, ConfigDict

from api.intake.rows import PageQuery, alone, as_list, body_of, next_cursor
from api.problems import NotFoundError, responses
from api.routes.events import Accepted, Rejected
from api.state import Current
from graphdb.catalogue.catalogue import patch_item, save_items
from graphdb.catalogue.entries import fetch_item, list_items
from graphdb.catalogue.removal import delete_item
from ingest.catalogue import read_item_patch, read_items
from ingest.event import Time

MOST_ROWS = 1000

router = APIRouter(tags=["items"])

Id = Annotated[str, Path(description="Your own id; a slash in it is written %2F.")]
FIELDS: dict[str, Any] = {
    "title": "Kolya",
    "overview": "A confirmed bachelor is left in charge of a small boy.",
    "year": 1996,
    "genres": ["Comedy", "Drama"],
    "countries": ["Czech Republic"],
}


class ItemBody(BaseModel):
    """An item's fields as the domain names them. A hidden item is in no answer, nor is one from
    `expires_at` on."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"fields": FIELDS, "hidden": False}]}
    )

    fields: dict[str, Any] = {}
    hidden: bool = False
    expires_at: Time | None = None


class SavedItem(BaseModel):
    """An item as it was saved; one that only an event has named has no fields."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "242",
                    "fields": FIELDS,
                    "hidden": False,
                    "expires_at": None,
                    "created_at": "2026-01-05T20:15:00Z",
                }
            ]
        }
    )

    id: str
    fields: dict[str, Any]
    hidden: bool
    expires_at: datetime | None
    created_at: datetime | None


class ItemPage(BaseModel):
    """Items in the order of their ids; next_cursor is null at the end."""

    items: list[SavedItem]
    next_cursor: str | None


@router.put("/v1/items/{id:id}", status_code=204, responses=responses(422, 503))
def put_item(state: Current, id: Id, body: ItemBody) -> Response:
    """Save an item. Fields that are left out are removed; events and vectors stay."""
    batch = read_items(state.domain, [{"id": id, **body.model_dump()}])
    alone(batch.rejected, "item")
    _save(state, batch.rows)
    return Response(status_code=204)


@router.patch("/v1/items/{id:id}", status_code=204, responses=responses(404, 422, 503))
def patch(state: Current, id: Id, body: ItemBody) -> Response:
    """Change what is given and leave the rest; a field that is null is removed."""
    batch = read_item_patch(state.domain, {"id": id, **body.model_dump(exclude_unset=True)})
    alone(batch.rejected, "item")
    saved = state.breaker.writing(patch_item, state.working, state.domain, batch.rows[0])
    if saved is None:
        raise _unknown(id)
    state.serving.withhold({id: _withheld_from(saved)})
    return Response(status_code=204)


@router.get("/v1/items/{id:id}", responses=responses(404, 503))
def get_item(state: Current, id: Id) -> SavedItem:
    """An item's fields, and whether it may be shown."""
    entry = state.breaker.call(fetch_item, state.graph, state.domain, id)
    if entry is None:
        raise _unknown(id)
    return SavedItem(**entry)


@router.get("/v1/items", responses=responses(422, 503))
def get_items(state: Current, query: Annotated[PageQuery, Query()]) -> ItemPage:
    """Items by id, a page at a time. What is saved meanwhile is in the page that its id is in."""
    after, limit = query.after, query.limit
    entries = state.breaker.call(list_items, state.graph, state.domain, after, limit + 1)
    items = [SavedItem(**entry) for entry in entries[:limit]]
    return ItemPage(items=items, next_cursor=next_cursor(entries, limit))


@router.delete("/v1/items/{id:id}", status_code=204, responses=responses(503))
def delete(state: Current, id: Id) -> Response:
    """Remove an item and every event on it. It is in no answer from then on.

    A later event on this id creates it again, without fields. To keep the events, hide it.
    """
    state.breaker.writing(delete_item, state.working, id)
    state.serving.withhold({id: 0.0})
    return Response(status_code=204)


@router.post(
    "/v1/items:batch",
    responses=responses(413, 422, 503),
    openapi_extra=body_of("ItemRow", MOST_ROWS),
)
def post_items(
    state: Current, body: Annotated[Any, Body(description="1 to 1,000 items.")]
) -> Accepted:
    """Save items whole, as PUT does. A bad row never rejects its neighbours."""
    batch = read_items(state.domain, as_list(body, MOST_ROWS, "items"))
    _save(state, batch.rows)
    return Accepted(
        accepted=len(batch.rows),
        duplicates=len(batch.duplicates_within),
        rejected=[Rejected(**row) for row in batch.rejected],
    )


def _save(state: Current, rows: list[dict[str, Any]]) -> None:
    state.breaker.writing(save_items, state.working, state.domain, rows)
    state.serving.withhold({row["id"]: _withheld_from(row) for row in rows})


def _withheld_from(row: dict[str, Any]) -> float | None:
    """From when on an item must not be shown, in seconds since 1970; None if it may be."""
    if row["hidden"]:
        return 0.0
    return row["expires_at"].timestamp() if row["expires_at"] else None


def _unknown(id: str) -> NotFoundError:
    return NotFoundError(f"there is no item {id[:80]!r}")
