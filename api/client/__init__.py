"""The Python client: every route of the API as a method, and events sent in the background.

It stands alone: of the rest of the project it knows the base class of errors, nothing else. Its
types are made from the OpenAPI document (api.client_types).
"""

from api.client.client import AsyncClient, Client
from api.client.errors import ApiError
from api.client.retries import Retries
from api.client.tracking import ClosedError, FullError, Lost, Tracking

__all__ = [
    "ApiError",
    "AsyncClient",
    "Client",
    "ClosedError",
    "FullError",
    "Lost",
    "Retries",
    "Tracking",
]
