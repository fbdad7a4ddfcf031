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
    target = Path(os.path.realpath(path))
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


def _flush_folder(folder: Path) -> None:
    """Put the new name onto the disk, where the system lets a folder be opened (not on Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
