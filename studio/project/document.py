"""A project as JSON: the text of ``project.json``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, cast

from studio.engine.errors import FormatError
from studio.project.migrations import FORMAT, migrated
from studio.project.values import WHOLE, Block, DataChoice, Project, Settings, Spec

DEPTH = 32
"""How many levels of brackets a document may have."""
VALUES = 1 << 18
"""How many names and values a document may have; a thousand blocks have ten thousand."""
SURROGATES = re.compile("[\ud800-\udfff]")
"""Halves of characters, which no file can hold."""


def to_text(value: Mapping[str, Any]) -> str:
    """A document as JSON: indented, the keys in the order that they have."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=dict) + "\n"


def from_text(text: str, where: str) -> dict[str, Any]:
    """The document in a JSON text.

    Raises:
        FormatError: if it is none.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError("a text in JSON", str(error), where) from None
    _check(found, where)
    return _mapping(found, where)


def _check(value: Any, where: str) -> None:
    """Refuse what functions that walk over the document, or write it again, could not bear."""
    level: list[Any] = [value]
    count = 0
    for _ in range(DEPTH):
        level = [child for item in level for child in _children(item)]
        count += len(level)
        if count > VALUES:
            raise FormatError(f"at most {VALUES} values", "more", where)
        for item in level:
            if type(item) is int and abs(item) >= WHOLE:
                raise FormatError("whole numbers below 2**53", str(item), where)
            if isinstance(item, str) and SURROGATES.search(item):
                raise FormatError("texts of whole characters", repr(item), where)
        if not level:
            return
    raise FormatError(f"at most {DEPTH} levels of brackets", "more", where)


def _children(item: Any) -> Iterable[Any]:
    if isinstance(item, dict):
        return chain.from_iterable(cast("dict[str, Any]", item).items())
    return cast("list[Any]", item) if isinstance(item, list) else ()


def to_document(project: Project) -> dict[str, Any]:
    """The project as a document that :func:`to_project` makes an equal project of."""
    settings = project.settings
    return {
        "format": FORMAT,
        "blocks": [{"id": block.id, **_spec(block.layer)} for block in project.blocks],
        "data": {"name": project.data.name, "options": project.data.options},
        "settings": {
            **vars(settings),
            "optimizer": _spec(settings.optimizer),
            "loss": _spec(settings.loss),
            "metrics": [_spec(metric) for metric in settings.metrics],
        },
    }


def to_project(document: dict[str, Any], where: str) -> Project:
    """The project in a document. Classes that are not known are kept as they are.

    Raises:
        FormatError: if a part is missing, of a wrong type or not known, or the format is too new.
    """
    parts = _parts(migrated(document, where), where, "format", "blocks", "data", "settings")
    items = _list(parts["blocks"], f"{where} blocks")
    blocks = tuple(_to_block(item, f"{where} block {n}") for n, item in enumerate(items, 1))
    if len({block.id for block in blocks}) != len(blocks):
        raise FormatError("an id of its own for each block", "one twice", f"{where} blocks")
    data = _parts(parts["data"], f"{where} data", "name", "options")
    return Project(
        blocks,
        DataChoice(_text(data["name"], f"{where} data name"), _mapping(data["options"], where)),
        _to_settings(parts["settings"], f"{where} settings"),
    )


def _spec(spec: Spec) -> dict[str, Any]:
    return {"class_name": spec.class_name, "config": spec.config}


def _to_spec(item: Any, where: str, *others: str) -> Spec:
    parts = _parts(item, where, "class_name", "config", *others)
    return Spec(
        _text(parts["class_name"], f"{where} class_name"),
        _mapping(parts["config"], f"{where} config"),
    )


def _to_block(item: Any, where: str) -> Block:
    layer = _to_spec(item, where, "id")
    number = item["id"]
    if type(number) is not int or not 1 <= number < WHOLE:
        raise FormatError("a whole number of at least 1", repr(number), f"{where} id")
    return Block(number, layer)


def _to_settings(item: Any, where: str) -> Settings:
    parts = _parts(item, where, *Settings.__dataclass_fields__)
    for name in ("optimizer", "loss"):
        parts[name] = _to_spec(parts[name], f"{where} {name}")
    items = _list(parts["metrics"], f"{where} metrics")
    parts["metrics"] = tuple(
        _to_spec(item, f"{where} metric {n}") for n, item in enumerate(items, 1)
    )
    for name, value in parts.items():
        if isinstance(value, dict | list):
            raise FormatError("a number", "several values", f"{where} {name}")
    return Settings(**parts)


def _parts(item: Any, where: str, *names: str) -> dict[str, Any]:
    """The mapping, which must have exactly those names."""
    found = dict(_mapping(item, where))
    if set(found) != set(names):
        wrong = min(set(found) ^ set(names))
        wanted = f"a value for {wrong!r}" if wrong in names else f"only {', '.join(names)}"
        raise FormatError(wanted, "none" if wrong in names else repr(wrong), where)
    return found


def _mapping(item: Any, where: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise FormatError("names and values in braces", repr(item), where)
    return cast("dict[str, Any]", item)


def _list(item: Any, where: str) -> list[Any]:
    if not isinstance(item, list):
        raise FormatError("a list", repr(item), where)
    return cast("list[Any]", item)


def _text(item: Any, where: str) -> str:
    if not isinstance(item, str):
        raise FormatError("a text", repr(item), where)
    return item
