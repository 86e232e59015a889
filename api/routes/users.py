"""People: saved, changed, read, listed, joined and erased under /v1/users."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import BaseModel, ConfigDict, model_validator

from api.intake.rows import PageQuery, alone, as_list, body_of, erased, next_cursor
from api.problems import NotFoundError, responses
from api.routes.events import Accepted, Rejected
from api.state import Current
from graphdb.catalogue.catalogue import patch_user, save_users
from graphdb.catalogue.entries import fetch_user, list_users
from graphdb.people.erasure import erase_person
from graphdb.people.people import join_people
from ingest.catalogue import read_user_patch, read_users
from ingest.problem import ANONYMOUS, Identifier, UserId, anonymous_person

MOST_ROWS = 1000
LONGEST = 256 + len(ANONYMOUS)

router = APIRouter(tags=["users"])

Id = Annotated[str, Path(description="Your own id; a slash in it is written %2F.")]
FIELDS: dict[str, Any] = {"occupation": "librarian"}


class UserBody(BaseModel):
    """A person's fields as the domain names them."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"fields": FIELDS}]})

    fields: dict[str, Any] = {}


class UserOut(BaseModel):
    """A person as saved; same_as: to whom they were joined, whose answers are theirs."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "196",
                    "fields": FIELDS,
                    "same_as": None,
                    "created_at": "2026-01-05T20:15:00Z",
                }
            ]
        }
    )

    id: str
    fields: dict[str, Any]
    same_as: str | None
    created_at: datetime | None


class UserPage(BaseModel):
    """People in the order of their ids; next_cursor is null at the end."""

    users: list[UserOut]
    next_cursor: str | None


class MergeBody(BaseModel):
    """Who turned out to be the target: somebody known by `source`, or an `anonymous_id`."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"anonymous_id": "c0ffee"}]}
    )

    source: UserId | None = None
    anonymous_id: Identifier | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.source is None) == (self.anonymous_id is None):
            raise ValueError("expected either source or anonymous_id")
        return self

    @property
    def person(self) -> str:
        return self.source or anonymous_person(self.anonymous_id or "")


class Merged(BaseModel):
    """The person whose answers both get from now on: the target, or whom it was joined to."""

    user_id: str


@router.put("/v1/users/{id:id}", status_code=204, responses=responses(410, 422, 503))
def put_user(state: Current, id: Id, body: UserBody) -> Response:
    """Save a person. Fields that are left out are removed; events and vectors stay."""
    batch = read_users(state.domain, [{"id": id, **body.model_dump()}])
    alone(batch.rejected, "user")
    gone = state.breaker.writing(save_users, state.working, state.domain, batch.rows)
    alone([erased(n, "id") for n in gone], "user")
    return Response(status_code=204)


@router.patch("/v1/users/{id:id}", status_code=204, responses=responses(404, 410, 422, 503))
def patch(state: Current, id: Id, body: UserBody) -> Response:
    """Change what is given and leave the rest; a field that is null is removed."""
    batch = read_user_patch(state.domain, {"id": id, **body.model_dump(exclude_unset=True)})
    alone(batch.rejected, "user")
    if not state.breaker.writing(patch_user, state.working, state.domain, batch.rows[0]):
        raise _unknown(id)
    return Response(status_code=204)


@router.get("/v1/users/{id:id}", responses=responses(404, 503))
def get_user(state: Current, id: Id) -> UserOut:
    """A person's fields, and to whom they were joined."""
    entry = state.breaker.call(fetch_user, state.graph, state.domain, id)
    if entry is None:
        raise _unknown(id)
    return UserOut(**entry)


@router.get("/v1/users", responses=responses(422, 503))
def get_users(state: Current, query: Annotated[PageQuery, Query()]) -> UserPage:
    """People by id, a page at a time."""
    after, limit = query.after, query.limit
    entries = state.breaker.call(list_users, state.graph, state.domain, after, limit + 1)
    users = [UserOut(**entry) for entry in entries[:limit]]
    return UserPage(users=users, next_cursor=next_cursor(entries, limit))


@router.delete("/v1/users/{id:id}", status_code=204, responses=responses(422, 503))
def delete(state: Current, id: Annotated[str, Path(max_length=LONGEST)]) -> Response:
    """Erase a person and everybody joined to them: events, vectors, relations.

    A hash is left by which whatever arrives of them later is dropped; this cannot be undone. The id
    of somebody known by an anonymous id alone is `anonymous:` and that id.
    """
    state.breaker.writing(erase_person, state.working, id)
    state.serving.forget(id)
    return Response(status_code=204)


@router.post(
    "/v1/users:batch",
    responses=responses(413, 422, 503),
    openapi_extra=body_of("UserRow", MOST_ROWS),
)
def post_users(
    state: Current, body: Annotated[Any, Body(description="1 to 1,000 people.")]
) -> Accepted:
    """Save people whole, as PUT does. A bad row never rejects its neighbours."""
    batch = read_users(state.domain, as_list(body, MOST_ROWS, "users"))
    gone = state.breaker.writing(save_users, state.working, state.domain, batch.rows)
    rejected = [*batch.rejected, *(erased(batch.indexes[n], "id") for n in gone)]
    return Accepted(
        accepted=len(batch.rows) - len(gone),
        duplicates=len(batch.duplicates_within),
        rejected=[Rejected(**row) for row in sorted(rejected, key=lambda row: row["index"])],
    )


@router.post("/v1/users/{target:id}:merge", responses=responses(409, 410, 422, 503))
def merge(state: Current, target: Annotated[UserId, Path()], body: MergeBody) -> Merged:
    """Join somebody to the target: from the next answer on they are one person.

    Events stay where they are, and nobody is joined to two. Again it changes nothing.
    """
    known = state.breaker.writing(join_people, state.working, target, body.person)
    if known != body.person:
        state.serving.join(body.person, known)
    return Merged(user_id=known)


def _unknown(id: str) -> NotFoundError:
    return NotFoundError(f"there is no user {id[:80]!r}")
