"""What the report of a run must hold to be shown."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, cast

from studio.engine.errors import FormatError

LARGEST = sys.float_info.max
CLASS_FIGURES = ("precision", "recall", "f1", "support")


def check_report(report: Mapping[str, Any], where: str) -> None:
    """Find out whether a report has all that is shown of it, of the right types.

    Raises:
        FormatError: if not.
    """
    for name in ("steps", "seconds"):
        if not _is_number(report.get(name)):
            raise FormatError("a number", repr(report.get(name))[:60], f"{where} {name}")
    for name, wanted, fits in (
        ("figures", "figures by name", _are_figures),
        ("classes", "a list of figures of each class", _are_classes),
    ):
        if not fits(report.get(name)):
            raise FormatError(wanted, repr(report.get(name))[:60], f"{where} {name}")


def _are_figures(item: Any) -> bool:
    if not isinstance(item, Mapping):
        return False
    values = cast("Mapping[str, Any]", item).values()
    return all(value is None or _is_number(value) for value in values)


def _are_classes(items: Any) -> bool:
    return isinstance(items, list) and all(map(_is_class, cast("list[Any]", items)))


def _is_class(item: Any) -> bool:
    if not isinstance(item, Mapping):
        return False
    found = cast("Mapping[str, Any]", item)
    return (
        set(found) == {"name", *CLASS_FIGURES}
        and isinstance(found["name"], str)
        and all(_is_number(found[name]) for name in CLASS_FIGURES)
    )


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= LARGEST
