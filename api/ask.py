"""Asking the running API, as commands and the demo do, and printing what it says."""

import json
from typing import Any

import httpx

from api.terminal import out
from graphdb.errors import PathlightError


def ask(url: str, method: str, path: str, **arguments: Any) -> dict[str, Any]:
    """The API's answer. Raises PathlightError with the problem's own sentence."""
    try:
        response = httpx.request(method, url + path, timeout=30, trust_env=False, **arguments)
    except httpx.HTTPError as error:
        raise PathlightError(f"the API at {url} did not answer: {error}") from None
    if response.is_error:
        raise PathlightError(response.json().get("detail", response.reason_phrase))
    return response.json()


def print_answer(answer: dict[str, Any], as_json: bool = False) -> None:
    """A list with its reasons, for people."""
    if as_json:
        print(json.dumps(answer))
        return
    for item in answer["items"]:
        fields = item.get("item", {})
        title = fields.get("title", item["id"])
        year = f" ({fields['year']})" if fields.get("year") else ""
        out.print(f"  {item['rank']:>2}. {title}{year}  [dim]{item['score']:.3f}[/]")
        for reason in item.get("reasons", []):
            out.print(f"        {reason['share']:>4.0%}  {_words(reason)}", markup=False)
    notes = [answer["fallback"] and f"fallback: {answer['fallback']}"]
    notes += [f"degraded: {part}" for part in answer["degraded"]]
    out.print(f"  [dim]version {answer['model_version']} {' '.join(n for n in notes if n)}[/]")


def _words(reason: dict[str, Any]) -> str:
    if reason["kind"] == "event":
        named = reason.get("title") or reason["item_id"]
        return f"because of {reason.get('event_type') or 'an event'}: {named}"
    if reason["kind"] == "other_events":
        return f"{reason['count']} other events together"
    return "general taste"
