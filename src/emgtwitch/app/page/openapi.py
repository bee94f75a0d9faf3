"""The OpenAPI description, made from the table of routes."""

from __future__ import annotations

from typing import Any

import msgspec

from emgtwitch import __version__
from emgtwitch.app.page.route import PREFIX, Row

REFUSALS = {
    400: "The request cannot be read",
    403: "The request comes from another page or lacks the token",
    404: "There is no such thing",
    405: "There is no such method here",
    409: "Not possible at present",
    413: "The body is too large",
    415: "The body is not application/json",
    429: "Too many requests",
    503: "The log or the board does not take it at present",
}
REF = "#/components/schemas/{name}"


def describe(rows: tuple[Row, ...]) -> dict[str, Any]:
    """The description, OpenAPI 3.1."""
    shapes = [row.query for row in rows] + [row.body for row in rows if row.body is not None]
    _, schemas = msgspec.json.schema_components(list(dict.fromkeys(shapes)), ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    for row in rows:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, schemas)
    queries = {row.query.__name__ for row in rows}
    schemas = {name: schema for name, schema in schemas.items() if name not in queries}
    schemas["Refusal"] = {
        "type": "object",
        "required": ["error", "what_to_do"],
        "properties": {"error": {"type": "string"}, "what_to_do": {"type": "string"}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "emgtwitch", "version": __version__, "description": "The live page's API. WebSocket: /live."},
        "servers": [{"url": PREFIX}],
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _operation(row: Row, schemas: dict[str, Any]) -> dict[str, Any]:
    query = schemas[row.query.__name__]
    required = query.get("required", [])
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in row.parameters
    ] + [
        {"name": name, "in": "query", "required": name in required, "schema": _without_null(schema)}
        for name, schema in query.get("properties", {}).items()
    ]
    refusals = {400, 403, 404, 405, 429, 503, *row.refusals, *((413, 415) if row.method in ("POST", "PATCH") else ())}
    name = row.path.strip("/").translate(str.maketrans("/", "_", "{}"))
    out: dict[str, Any] = {
        "operationId": f"{row.method.lower()}_{name}",
        "summary": row.summary,
        "parameters": parameters,
        "responses": {
            str(row.status): {
                "description": row.returns,
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            **{str(status): _refusal(REFUSALS[status]) for status in sorted(refusals)},
        },
    }
    if row.body is not None:
        schema = {"$ref": REF.format(name=row.body.__name__)}
        out["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return out


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out is not null."""
    rest = {key: value for key, value in schema.items() if key != "default" or value is not None}
    options = [option for option in rest.pop("anyOf", []) if option != {"type": "null"}]
    if "enum" in rest:
        rest["enum"] = [value for value in rest["enum"] if value is not None]
    return rest | (options[0] if len(options) == 1 else {"anyOf": options} if options else {})


def _refusal(text: str) -> dict[str, Any]:
    schema = {"$ref": REF.format(name="Refusal")}
    return {"description": text, "content": {"application/json": {"schema": schema}}}
