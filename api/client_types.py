"""The client's types, made from the OpenAPI document: `python -m api.client_types` writes them.

Every schema of an answer or a body is a TypedDict, and so are the parameters of a query, named by
their path. It knows no route by name.
"""

import json
import keyword
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from api.app import create_app

PLACE = Path(__file__).parent / "client" / "types.py"
HEAD = '''"""What the API takes and answers; `python -m api.client_types` made it."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

'''
STAMPED = ["event_type", "item_id"]
"""What a tracked event must have: the client gives it a time and an id."""


def schemas() -> dict[str, Any]:
    """The schemas of what is taken and answered under /v1, with names for those that have none."""
    document = create_app().openapi()
    every, used = document["components"]["schemas"], dict[str, Any]()
    operations = [
        (path, operation)
        for path, methods in document["paths"].items()
        for operation in methods.values()
        if path.startswith("/v1/")
    ]
    for path, operation in operations:
        asked = [p for p in operation.get("parameters", ()) if p["in"] == "query"]
        if asked:
            used[_query_name(path)] = {
                "description": f"What {path} takes as a query.",
                "properties": {p["name"]: p["schema"] for p in asked},
                "required": [p["name"] for p in asked if p["required"]],
            }
        successes = [told for status, told in operation["responses"].items() if status < "3"]
        named = _references([operation.get("requestBody"), successes])
        while named:
            used |= {name: every[name] for name in named}
            named = _references([every[name] for name in named]) - used.keys()
    tracked = {"description": "An event as it is tracked.", "required": STAMPED}
    return used | {"Tracked": used["Event"] | tracked}


def _references(part: Any) -> set[str]:
    """The schemas that a part of the document names."""
    return set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(part)))


def _query_name(path: str) -> str:
    """ItemsSimilarQuery of /v1/items/{id}/similar."""
    words = re.findall(r"\w+", re.sub(r"/v1|{\w+}", "", path))
    return "".join(word.capitalize() for word in words) + "Query"


PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def annotation(schema: dict[str, Any]) -> str:
    """A schema as Python writes a type."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if values := schema.get("enum") or ([schema["const"]] if "const" in schema else None):
        return f"Literal[{', '.join(map(repr, values))}]"
    if kinds := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(dict.fromkeys(map(annotation, kinds)))
    if schema.get("type") == "array":
        return f"list[{annotation(schema.get('items', {}))}]"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"dict[str, {annotation(values) if isinstance(values, dict) else 'Any'}]"
    return PLAIN.get(schema.get("type", ""), "Any")


def typed_dict(name: str, schema: dict[str, Any]) -> str:
    """A schema as a class, or as a call where a name could not be a class's attribute."""
    needed = schema.get("required", ())
    fields = {
        each: annotation(kind) if each in needed else f"NotRequired[{annotation(kind)}]"
        for each, kind in schema.get("properties", {}).items()
    }
    if any(keyword.iskeyword(each) for each in fields):
        listed = ", ".join(f'"{each}": {kind}' for each, kind in fields.items())
        return f'{name} = TypedDict("{name}", {{{listed}}})'
    words = " ".join(schema.get("description", name).split())
    told = textwrap.fill(f'"""{words}"""', 96, initial_indent="    ", subsequent_indent="    ")
    lines = [f"class {name}(TypedDict):", told, ""]
    return "\n".join([*lines, *(f"    {each}: {kind}" for each, kind in fields.items())])


def made() -> str:
    """The module, laid out as the rest of the project is."""
    found = sorted(schemas().items())
    text = HEAD + "\n\n\n".join(typed_dict(name, schema) for name, schema in found)
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(PLACE), "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    PLACE.write_text(made())
