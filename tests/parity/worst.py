"""The worst difference of each kind that a session has seen."""

from __future__ import annotations

WORST: dict[str, tuple[float, str, int]] = {}
"""By kind: the worst value, where it was found, and how many were compared."""


def note(kind: str, value: float, where: str) -> None:
    """Count a comparison."""
    worst, place, count = WORST.get(kind, (-1.0, "", 0))
    WORST[kind] = (value, where, count + 1) if value > worst else (worst, place, count + 1)
