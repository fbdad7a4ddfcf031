"""Finds out whether a window can be opened before Qt is asked, which ends the process if not."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from studio.engine.errors import StudioError

PACKAGES: Mapping[str, tuple[str, str]] = {
    "libEGL.so.1": ("libegl1", "mesa-libEGL"),
    "libGL.so.1": ("libgl1", "mesa-libGL"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon"),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0", "libxkbcommon-x11"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus-libs"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig"),
    "libxcb-cursor.so.0": ("libxcb-cursor0", "xcb-util-cursor"),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm"),
    "libxcb-image.so.0": ("libxcb-image0", "xcb-util-image"),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1", "xcb-util-keysyms"),
    "libxcb-render-util.so.0": ("libxcb-render-util0", "xcb-util-renderutil"),
    "libxcb-shape.so.0": ("libxcb-shape0", "libxcb"),
    "libxcb-xkb.so.1": ("libxcb-xkb1", "libxcb"),
}
"""The system libraries of Qt's X11 plugin: the package on Debian and Ubuntu, and on Fedora."""
ALWAYS = ("libEGL.so.1", "libGL.so.1", "libxkbcommon.so.0", "libdbus-1.so.3", "libfontconfig.so.1")
"""Those that are needed without X11 too."""


def require_display(environment: Mapping[str, str] = os.environ) -> None:
    """Check that a window can be opened.

    Raises:
        StudioError: if there is no display, or a system library is missing; it says what to do.
    """
    if sys.platform != "linux":
        return
    platform = environment.get("QT_QPA_PLATFORM", "").partition(":")[0]
    x11 = environment.get("DISPLAY", "")
    wayland = environment.get("WAYLAND_DISPLAY", "")
    if not platform and not wayland and not _answers(x11):
        found = f"none that answers at DISPLAY={x11}" if x11 else "none"
        raise StudioError(
            "a display to open the window on", found, "",
            "Without one, use 'studio train FILE.studio'; 'studio --help' tells more.",
        )  # fmt: skip
    if platform in ("offscreen", "minimal", "vnc", "linuxfb"):
        return
    needed = ALWAYS if (wayland and not x11) or platform == "wayland" else tuple(PACKAGES)
    missing = [name for name in needed if not _loads(name)]
    if missing:
        apt = " ".join(PACKAGES[name][0] for name in missing)
        dnf = " ".join(dict.fromkeys(PACKAGES[name][1] for name in missing))
        raise StudioError(
            "Qt's system libraries", f"no {', '.join(missing)}", "",
            f"Install them: 'apt install {apt}' (Debian, Ubuntu) or 'dnf install {dnf}' (Fedora).",
        )  # fmt: skip


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _answers(display: str) -> bool:
    """Whether an X server is there; one on another machine is taken to be."""
    host, _, screen = display.rpartition(":")
    if not display or not screen:
        return False
    if host not in ("", "unix"):
        return True
    number = screen.partition(".")[0]
    if Path(f"/tmp/.X11-unix/X{number}").is_socket():
        return True
    # Servers without a file listen at an abstract address, which Linux lists here.
    try:
        return f"@/tmp/.X11-unix/X{number}\n" in Path("/proc/net/unix").read_text()
    except OSError:
        return False
