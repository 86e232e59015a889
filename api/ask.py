"""What the API answers, told to people at a terminal."""

import json
from collections.abc import Mapping
from typing import Any

from api.terminal import say

LINKS = {
    "published": "as of the version: newer events do not count",
    "session": "items like those of the last events",
    "profile": "what fits the profile: no events of this person count here",
    "trending": "trending items: no events of this person count here",
    "popular": "popular items: no events of this person count here",
    "latest": "items newer than the version: nothing else passes the filter",
    "static": "the last popular items that were read",
}
"""By `fallback`, what it means to people."""


def print_answer(answer: Mapping[str, Any], as_json: bool = False) -> None:
    """A list with its reasons, for people."""
    if as_json:
        print(json.dumps(answer))
        return
    for item in answer["items"]:
        fields = item.get("item") or {}
        title = fields.get("title", item["id"])
        year = f" ({fields['year']})" if fields.get("year") else ""
        score = "" if item["score"] is None else f"  {item['score']:.3f}"
        say(f"  {item['rank']:>2}. {title}{year}{score}")
        for reason in item.get("reasons") or []:
            say(f"      {_share(reason)}  {_words(reason)}")
    if not answer["items"]:
        say("  nothing to recommend")
    say(f"  {_source(answer)}", style="dim")


def _share(reason: Mapping[str, Any]) -> str:
    """The share of the score; what speaks against the item has none."""
    return "against" if reason["contribution"] < 0 else f"{reason['share']:>7.0%}"


def _words(reason: Mapping[str, Any]) -> str:
    if reason["kind"] == "event":
        return f"{reason.get('event_type') or 'event'}: {reason.get('title') or reason['item_id']}"
    if reason["kind"] == "other_events":
        count = reason["count"]
        return f"{count} other events together" if count > 1 else "one other event"
    return "general taste"


def _source(answer: Mapping[str, Any]) -> str:
    """Where an answer comes from and what is the matter with it."""
    version = answer["model_version"]
    told = [f"version {version}" if version else "no version was published yet"]
    if answer["fallback"]:
        told.append(LINKS[answer["fallback"]])
    told += [f"degraded: without the {part}" for part in answer["degraded"]]
    return "; ".join(told)
