"""Files that are either written as a whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from studio.engine.errors import StudioError


def write_atomically(path: str | Path, data: bytes) -> None:
    """Replace a file's content; a crash or a full disk leaves the old content as it was.

    The bytes go to a new file in the same folder, onto the disk, and then under the old name.

    Raises:
        StudioError: if the folder or the file cannot be written.
    """
    target = target_of(path)
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else None
        with open(fresh, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            fresh.chmod(mode)
        os.replace(fresh, target)
        _flush_folder(target.parent)
    except OSError as error:
        raise StudioError(
            "a place to write to", error.strerror or str(error), str(path),
            "Nothing was changed. Save under another name or in another folder.",
        ) from None  # fmt: skip
    finally:
        with suppress(OSError):
            fresh.unlink()


def target_of(path: str | Path) -> Path:
    """The file that is to be written; where there is a link, the one that it leads to.

    Raises:
        StudioError: if it has no name, none that a file can have, or there is something else of
            that name.
    """
    try:
        target = Path(os.path.realpath(path))
    except ValueError as error:
        raise StudioError("a file's name", str(error), str(path), "Choose another name.") from None
    try:
        fits = bool(Path(path).name) and (target.is_file() or not target.exists())
    except OSError:
        # Such as a name that is too long: writing it says what is wrong.
        fits = True
    if not fits:
        found = "a folder" if target.is_dir() else "something else of that name"
        raise StudioError("a file to write to", found, str(path), "Choose another name.")
    return target


def _flush_folder(folder: Path) -> None:
    """Put the new name onto the disk, where the system lets a folder be opened (not on Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
