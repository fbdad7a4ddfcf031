"""The file ``name.studio``: a zip archive with the project and, once trained, what was learned.

``project.json`` is the project; ``weights.safetensors``, ``history.csv`` and ``report.json`` (the
report, and the project as it was trained) come with a trained one. Reading takes no more memory
than the limits below and the file's own size, and never runs anything.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from studio.engine.errors import FormatError, StudioError
from studio.engine.saving import safetensors
from studio.engine.saving.atomic import write_atomically
from studio.project import document
from studio.project.report import check_report
from studio.project.table import to_columns, to_csv
from studio.project.trained import Trained
from studio.project.values import Project

SUFFIX = ".studio"
PROJECT, WEIGHTS, HISTORY, REPORT = (
    "project.json", "weights.safetensors", "history.csv", "report.json",
)  # fmt: skip
LIMITS = {PROJECT: 4 << 20, HISTORY: 64 << 20, REPORT: 8 << 20}
"""The most bytes that each text may have. Weights are stored as they are: the file bounds them."""
ADVICE = "The file is damaged or was not saved by Sequential Studio; nothing was changed."


@dataclass(frozen=True)
class Saved:
    """What a file holds."""

    project: Project
    trained: Trained | None = None


def save(path: str | Path, saved: Saved) -> None:
    """Write a file, as a whole or not at all.

    Raises:
        StudioError: if it cannot be written; then the old file is still there.
    """
    write_atomically(path, to_bytes(saved))


def load(path: str | Path) -> Saved:
    """Read a file.

    Raises:
        StudioError: if there is no such file, or it cannot be read.
        FormatError: if it is damaged, no such file, or of a newer format.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        found = error.strerror or str(error)
        raise StudioError("a file that can be read", found, str(path)) from None
    return from_bytes(data, str(path))


def to_bytes(saved: Saved) -> bytes:
    """The content of a file; equal values give equal bytes.

    Raises:
        FormatError: if the project holds more, or larger, than a file may have.
    """
    text = document.to_text(document.to_document(saved.project))
    # What could not be read again is not written.
    document.from_text(text, PROJECT)
    members = {PROJECT: text.encode()}
    _check_size(len(members[PROJECT]), LIMITS[PROJECT], PROJECT)
    if saved.trained is not None:
        trained = saved.trained
        report = {"report": trained.report, "project": document.to_document(trained.project)}
        members[WEIGHTS] = safetensors.dump(trained.weights)
        members[HISTORY] = to_csv(trained.history).encode()
        members[REPORT] = document.to_text(report).encode()
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            entry = ZipInfo(name)
            entry.compress_type = ZIP_DEFLATED if name in LIMITS else ZIP_STORED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def from_bytes(data: bytes, where: str) -> Saved:
    """What the content of a file means.

    Raises:
        FormatError: if it is damaged, no such file, or of a newer format.
    """
    try:
        return _read(data, where)
    except FormatError as error:
        advice = error.advice or ADVICE
        raise FormatError(error.expected, error.found, error.where, advice) from None


def _read(data: bytes, where: str) -> Saved:
    members = _members(data, where)
    texts = {name: _decoded(members[name], f"{where} {name}") for name in LIMITS if name in members}
    place = f"{where} {PROJECT}"
    project = document.to_project(document.from_text(texts[PROJECT], place), place)
    if WEIGHTS not in members:
        return Saved(project)
    place = f"{where} {REPORT}"
    report = document.from_text(texts[REPORT], place)
    if set(report) != {"report", "project"} or not all(
        isinstance(v, dict) for v in report.values()
    ):
        raise FormatError("a report and a project", ", ".join(report)[:80], place)
    history = to_columns(texts[HISTORY], f"{where} {HISTORY}")
    if "epoch" not in history:
        raise FormatError("a column 'epoch'", ", ".join(history)[:80], f"{where} {HISTORY}")
    check_report(report["report"], place)
    trained = Trained(
        document.to_project(report["project"], place),
        safetensors.parse(members[WEIGHTS], f"{where} {WEIGHTS}"),
        history,
        report["report"],
    )
    return Saved(project, trained)


def _members(data: bytes, where: str) -> dict[str, bytes]:
    """The parts of the archive by name, after a look at what it says of their sizes."""
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check(entries, len(data), where)
            return {entry.filename: archive.read(entry) for entry in entries}
    except StudioError:
        raise
    except (
        BadZipFile, EOFError, NotImplementedError, OSError, OverflowError, RuntimeError,
        ValueError, struct.error, zlib.error,
    ) as error:  # fmt: skip
        raise FormatError("a whole zip archive", str(error) or "less", where) from None


def _check(entries: list[ZipInfo], size: int, where: str) -> None:
    names = sorted(entry.filename for entry in entries)
    if names not in ([PROJECT], sorted([PROJECT, WEIGHTS, HISTORY, REPORT])):
        found = ", ".join(names)[:100] or "nothing"
        wanted = f"{PROJECT}, and if trained {WEIGHTS}, {HISTORY} and {REPORT}"
        raise FormatError(wanted, found, where)
    for entry in entries:
        place = f"{where} {entry.filename}"
        stored = entry.compress_type == ZIP_STORED
        limit = LIMITS.get(entry.filename, size)
        if entry.flag_bits & 1 or not (stored or entry.compress_type == ZIP_DEFLATED):
            raise FormatError("a plain or deflated part", "another kind", place)
        _check_size(entry.file_size, limit, place)


def _check_size(size: int, limit: int, where: str) -> None:
    if size > limit:
        raise FormatError(f"at most {limit} bytes", str(size), where)


def _decoded(data: bytes, where: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise FormatError("a text in UTF-8", "other bytes", where) from None
