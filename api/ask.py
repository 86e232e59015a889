"""Asking the running API, as commands and the demo do, and printing what it says."""

import json
from typing import Any

import httpx
from pydantic import SecretStr

from api.terminal import say
from graphdb.errors import PathlightError


def ask(
    url: str, method: str, path: str, *, key: SecretStr | None = None, **arguments: Any
) -> dict[str, Any]:
    """The API's answer to who holds `key`. Raises PathlightError with the problem's sentence."""
    secret = key.get_secret_value() if key else ""
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    try:
        response = httpx.request(
            method, url + path, timeout=30, trust_env=False, headers=headers, **arguments
        )
    except httpx.HTTPError as error:
        raise PathlightError(f"the API at {url} did not answer: {error}") from None
    if response.is_error:
        raise PathlightError(_detail(response))
    return response.json()


def _detail(response: httpx.Response) -> str:
    try:
        return response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return f"{response.request.url} answered {response.status_code} {response.reason_phrase}"


def print_answer(answer: dict[str, Any], as_json: bool = False) -> None:
    """A list with its reasons, for people."""
    if as_json:
        print(json.dumps(answer))
        return
    for item in answer["items"]:
        fields = item.get("item") or {}
        title = fields.get("title", item["id"])
        year = f" ({fields['year']})" if fields.get("year") else ""
        say(f"  {item['rank']:>2}. {title}{year}  {item['score']:.3f}")
        for reason in item.get("reasons") or []:
            say(f"      {_share(reason)}  {_words(reason)}")
    if not answer["items"]:
        say("  nothing to recommend")
    say(f"  {_source(answer)}", style="dim")


def _share(reason: dict[str, Any]) -> str:
    """The share of the score; what speaks against the item has none."""
    return "against" if reason["contribution"] < 0 else f"{reason['share']:>7.0%}"


def _words(reason: dict[str, Any]) -> str:
    if reason["kind"] == "event":
        return f"{reason.get('event_type') or 'event'}: {reason.get('title') or reason['item_id']}"
    if reason["kind"] == "other_events":
        count = reason["count"]
        return f"{count} other events together" if count > 1 else "one other event"
    return "general taste"


def _source(answer: dict[str, Any]) -> str:
    """Where an answer comes from and what is the matter with it."""
    version = answer["model_version"]
    told = [f"version {version}" if version else "no version was published yet"]
    if answer["fallback"] == "cold_start":
        told.append("popular items: no events of this person count here")
    elif answer["fallback"]:
        told.append("popular items")
    told += [f"degraded: without the {part}" for part in answer["degraded"]]
    return "; ".join(told)
