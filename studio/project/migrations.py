"""The version of the file format, and the way up to it from older ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from studio.engine.errors import FormatError

Document = dict[str, Any]
Migration = Callable[[Document], Document]


def _with_metrics(document: Document) -> Document:
    """Format 1 knew no chosen metrics."""
    settings = document.get("settings")
    if not isinstance(settings, dict):
        return document
    return {**document, "settings": {"metrics": [], **cast("Document", settings)}}


def _contrast_by_sides(document: Document) -> Document:
    """Format 2 wrote the contrast -0.2 to 0.3 where Keras' files have 0.2 below and 0.3 above."""
    blocks = document.get("blocks")
    if not isinstance(blocks, list):
        return document
    return {**document, "blocks": [_by_sides(block) for block in cast("list[Any]", blocks)]}


def _by_sides(block: Any) -> Any:
    match block:
        case {
            "class_name": "RandomContrast",
            "config": {"factor": [float() | int() as low, float() | int() as high]},
        }:
            sides = [max(0, -low), max(0, high)]
            return {**block, "config": {**block["config"], "factor": sides}}
        case _:
            return block


FORMAT = 3
MIGRATIONS: Mapping[int, Migration] = {1: _with_metrics, 2: _contrast_by_sides}
"""What makes a document of the next format from one of that format."""


def migrated(
    document: Document,
    where: str,
    newest: int = FORMAT,
    migrations: Mapping[int, Migration] = MIGRATIONS,
) -> Document:
    """The document in the newest format.

    Raises:
        FormatError: if it says no format, or one that this version does not know.
    """
    number = document.get("format")
    if type(number) is not int or number < 1:
        raise FormatError("a format number", repr(number)[:80], where)
    if number > newest:
        raise FormatError(
            f"a file of format {newest} or older", f"format {number}", where,
            "It was saved by a newer version of Sequential Studio. Open it with that version.",
        )  # fmt: skip
    while number < newest:
        document = {**migrations[number](document), "format": number + 1}
        number += 1
    return document
