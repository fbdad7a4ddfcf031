"""Callbacks that write files."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from studio.engine.callbacks.base import Callback, Logs
from studio.engine.callbacks.monitor import MonitorCallback
from studio.engine.errors import ParameterError, StudioError, unknown_name
from studio.engine.params import Boolean, Integer, Real

WEIGHTS = (".weights.h5", ".safetensors")


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, as training goes on.

    Args:
        filepath: the file's name, ending in ``.keras``, for weights ``.weights.h5`` or
            ``.safetensors``. ``{epoch}`` (from 1), ``{batch}`` and names of figures are filled in:
            ``"{epoch:02d}-{val_loss:.2f}.keras"``.
        monitor: the name of the figure that says which model is best.
        verbose: 1 to say so.
        save_best_only: whether only a model that is better than all before is saved.
        save_weights_only: whether only the weights are saved.
        mode: ``"min"``, ``"max"`` or ``"auto"``.
        save_freq: ``"epoch"``, or after how many batches.
        initial_value_threshold: what the first saved model has to beat.

    Raises:
        ParameterError: if an argument is not valid.
    """

    def __init__(
        self,
        filepath: str | Path,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        start = Real(optional=True)
        threshold = self.checked("initial_value_threshold", start, initial_value_threshold)
        super().__init__(monitor, mode, threshold)
        self.filepath = str(filepath)
        self.verbose = verbose
        self.save_best_only = self.checked("save_best_only", Boolean(), save_best_only)
        self.save_weights_only = self.checked("save_weights_only", Boolean(), save_weights_only)
        self.save_freq: str | int = save_freq
        if save_freq != "epoch":
            self.save_freq = self.checked("save_freq", Integer(minimum=1), save_freq)
        endings = WEIGHTS if self.save_weights_only else (".keras",)
        if not self.filepath.endswith(endings):
            wanted = f"a file name that ends in {' or '.join(endings)}"
            raise ParameterError(wanted, repr(self.filepath), "ModelCheckpoint filepath")
        self._epoch = 0
        self._seen = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if isinstance(self.save_freq, int):
            self._seen += 1
            if self._seen >= self.save_freq:
                self._seen = 0
                self._save(logs or {}, batch=batch + 1)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(logs or {})

    def _save(self, logs: Logs, **more: int) -> None:
        if self.save_best_only:
            value = self.current(logs)
            if value is not None:
                if not self.improves(value, self.best):
                    return
                self.best = value
        path = Path(self._path({"epoch": self._epoch + 1, **more, **logs}))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StudioError("a folder to write to", str(error)[:200], str(path)) from None
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        if self.verbose:
            print(f"Epoch {self._epoch + 1}: saved {path}")

    def _path(self, names: dict[str, Any]) -> str:
        try:
            return self.filepath.format(**names)
        except KeyError as error:
            where = "ModelCheckpoint filepath"
            raise unknown_name(error.args[0], names, "a figure", where) from None
        except (ValueError, IndexError) as error:
            raise ParameterError(
                "a file name", str(error)[:80], "ModelCheckpoint filepath"
            ) from None


class CSVLogger(Callback):
    """Writes the figures of each epoch to a table.

    Args:
        filename: the file.
        separator: what stands between two values.
        append: whether the table of an earlier training goes on.
    """

    def __init__(self, filename: str | Path, separator: str = ",", append: bool = False) -> None:
        self.filename = str(filename)
        self.separator = separator
        self.append = Boolean().checked(append, "CSVLogger append")
        self._file: TextIO | None = None
        self._columns: list[str] = []
        self._headed = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        path = Path(self.filename)
        try:
            self._headed = self.append and path.exists() and path.stat().st_size > 0
            self._file = path.open("a" if self.append else "w", newline="", encoding="utf-8")
        except OSError as error:
            raise StudioError("a file to write", str(error)[:200], self.filename) from None
        self._columns = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self._file is None:
            return
        found = dict(logs or {})
        writer = csv.writer(self._file, delimiter=self.separator)
        if not self._columns:
            self._columns = sorted(found)
            # A validation that comes only every few epochs has its columns from the start.
            if self._columns and not any(name.startswith("val_") for name in self._columns):
                self._columns += [f"val_{name}" for name in self._columns]
            if not self._headed:
                writer.writerow(["epoch", *self._columns])
        writer.writerow([epoch, *(_cell(found.get(name, "NA")) for name in self._columns)])
        self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _cell(value: Any) -> Any:
    """Several numbers as Keras writes them into one cell."""
    return value if np.ndim(value) == 0 else f'"[{", ".join(map(str, value))}]"'
