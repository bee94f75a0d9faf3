"""Words out of a recording, made harmless for whoever shows them: a recording may come from anybody."""

from __future__ import annotations

from typing import Any

# What moves a terminal's cursor, changes its colours or its title; a line break and a tab are text.
_CONTROL = {code: "\ufffd" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


def legible(value: Any) -> Any:
    """A JSON value with every control character in its texts and keys replaced by U+FFFD; a copy."""
    if isinstance(value, str):
        return value.translate(_CONTROL)
    if isinstance(value, dict):
        return {legible(key): legible(one) for key, one in value.items()}
    if isinstance(value, list):
        return [legible(one) for one in value]
    return value


def legible_session(told: dict[str, Any]) -> dict[str, Any]:
    """The object of a Session note, made legible; what should be a text or a table of texts and is not is left out."""
    out: dict[str, Any] = legible(told)
    if not isinstance(out.get("zone", ""), str):
        del out["zone"]
    if "worn" in out:
        worn = out["worn"] if isinstance(out["worn"], list) else []
        tables = [place if isinstance(place, dict) else {} for place in worn]
        out["worn"] = [{key: text for key, text in table.items() if isinstance(text, str)} for table in tables]
    return out
