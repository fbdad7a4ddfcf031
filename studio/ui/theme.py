"""The colours of both schemes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtWidgets import QApplication


@dataclass(frozen=True)
class Theme:
    """The colours of one scheme, as ``#rrggbb``."""

    dark: bool
    window: str
    surface: str
    raised: str
    field: str
    text: str
    muted: str
    disabled: str
    handle: str
    border: str
    accent: str
    accent_hover: str
    on_accent: str
    selection: str
    join: str
    good: str
    error: str
    error_surface: str
    warning: str
    warning_surface: str
    training: str
    validation: str
    figures: tuple[str, str, str]
    categories: Mapping[str, str]


LIGHT = Theme(
    dark=False,
    window="#f3f4f7",
    surface="#ffffff",
    raised="#ffffff",
    field="#ffffff",
    text="#1b1f27",
    muted="#5b6473",
    disabled="#8a92a0",
    handle="#c3c9d4",
    border="#d4d8e0",
    accent="#2258c9",
    accent_hover="#1b49ab",
    on_accent="#ffffff",
    selection="#dfe8fb",
    join="#aab2c0",
    good="#1f7a3d",
    error="#b3261e",
    error_surface="#fdecea",
    warning="#8a5a00",
    warning_surface="#fdf3dc",
    training="#2258c9",
    validation="#c2410c",
    figures=("#2258c9", "#0f766e", "#a21caf"),
    categories={
        "Core": "#2258c9",
        "Convolution": "#7c3aed",
        "Pooling": "#0f766e",
        "Recurrent": "#b45309",
        "Regularization": "#be185d",
        "Normalization": "#4d7c0f",
        "Activation": "#c2410c",
        "Reshaping": "#475569",
        "Preprocessing": "#0369a1",
    },
)
DARK = Theme(
    dark=True,
    window="#15181e",
    surface="#1c2027",
    raised="#252a33",
    field="#15181e",
    text="#e8eaef",
    muted="#a0a8b6",
    disabled="#6d7584",
    handle="#444c5a",
    border="#363d49",
    accent="#6ea0ff",
    accent_hover="#8cb4ff",
    on_accent="#0c1220",
    selection="#2a3a5c",
    join="#566072",
    good="#7bd88f",
    error="#ff9a90",
    error_surface="#43211f",
    warning="#f5c46b",
    warning_surface="#3d3320",
    training="#7fb0ff",
    validation="#ff9d5c",
    figures=("#7fb0ff", "#4fd1c0", "#e28af5"),
    categories={
        "Core": "#7fb0ff",
        "Convolution": "#b79bff",
        "Pooling": "#4fd1c0",
        "Recurrent": "#f5b45c",
        "Regularization": "#ff8fbd",
        "Normalization": "#a9d65c",
        "Activation": "#ff9d5c",
        "Reshaping": "#a9b4c4",
        "Preprocessing": "#6cc6f5",
    },
)


def current() -> Theme:
    """The theme that the application shows."""
    application = QApplication.instance()
    return DARK if application is not None and application.property("dark") else LIGHT
