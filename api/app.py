"""The HTTP application: routes, errors and the process's state put together."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from prometheus_client import CollectorRegistry

from api import problems
from api.body_limit import BodyLimit
from api.event_body import LARGEST_BODY
from api.metrics import Requests
from api.routes import routers
from api.settings import Settings
from api.state import State, open_state
from graphdb.connection import Neo4jSettings
from ingest.catalogue import ItemRow, UserRow
from ingest.event import Event
from ingest.relation import Relation


def create_app() -> FastAPI:
    """The application; its settings are read here, its connections open when it starts."""
    settings, neo4j = Settings(), Neo4jSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, State]]:
        with open_state(settings, neo4j) as state:
            yield {"pathlight": state}

    app = FastAPI(title="Pathlight", version="1", lifespan=lifespan, redoc_url=None)
    for router in routers():
        app.include_router(router)
    problems.install(app)
    app.add_middleware(BodyLimit, limit=LARGEST_BODY)
    app.state.requests = CollectorRegistry()
    app.add_middleware(Requests, registry=app.state.requests)
    app.openapi = lambda: _openapi(app)
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The document, with the schemas of rows: their endpoints judge them themselves."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schemas = document["components"]["schemas"]
        for row in (Event, ItemRow, Relation, UserRow):
            schema = row.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= schema.pop("$defs", {})
            schemas[row.__name__] = schema
        app.openapi_schema = document
    return app.openapi_schema
