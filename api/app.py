"""The HTTP application: routes, errors and the process's state put together."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from prometheus_client import CollectorRegistry
from starlette.middleware.cors import CORSMiddleware

from api import parameters, problems
from api.access.scopes import Door, describe, warning
from api.body_limit import BodyLimit
from api.intake.event_body import LARGEST_BODY
from api.links import link
from api.metrics import Requests
from api.request_ids import HEADER, RequestIds
from api.routes import routers
from api.serving.heap import give_back_arrays
from api.settings import Settings
from api.state import State, open_state
from graphdb.connection import Neo4jSettings
from ingest.catalogue import ItemRow, UserRow
from ingest.event import Event
from ingest.relation import Relation

log = logging.getLogger(__name__)


def create_app() -> FastAPI:
    """The application; its settings are read here, its connections open when it starts."""
    settings, neo4j = Settings(), Neo4jSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, State]]:
        give_back_arrays()
        with open_state(settings, neo4j) as state:
            if told := warning(state.keyring):
                log.warning(told)
            try:
                yield {"pathlight": state}
            finally:
                await state.limits.close()

    app = FastAPI(
        title="Pathlight",
        version="1",
        lifespan=lifespan,
        redoc_url=None,
        dependencies=[Depends(parameters.refuse_unknown)],
    )
    for router in routers():
        app.include_router(router)
    app.state.requests = CollectorRegistry()
    # What is added last is met first.
    app.add_middleware(Door, registry=app.state.requests)
    problems.install(app)
    app.add_middleware(BodyLimit, limit=LARGEST_BODY)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=("GET", "POST"),
            allow_headers=("Authorization", "Content-Type", HEADER),
            expose_headers=("Retry-After", HEADER),
        )
    app.add_middleware(Requests, registry=app.state.requests)
    app.add_middleware(RequestIds)
    app.openapi = lambda: _openapi(app)
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The document, with its links and the schemas of rows: their endpoints judge these."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schemas = document["components"]["schemas"]
        for row in (Event, ItemRow, Relation, UserRow):
            schema = row.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= schema.pop("$defs", {})
            schemas[row.__name__] = schema
        parameters.describe(document)
        describe(document)
        link(document)
        app.openapi_schema = document
    return app.openapi_schema
