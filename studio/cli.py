"""The command line: ``studio`` opens the window, the others do the same jobs without one."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

import studio
from studio.engine.errors import ParameterError, StudioError, unknown_name
from studio.project.examples import EXAMPLES
from studio.project.file import SUFFIX, Saved, load
from studio.project.values import WHOLE

EPILOG = f"""without a window: studio train, studio check, studio export
FILE may also be a shipped example: {", ".join(example.name for example in EXAMPLES)}
exit codes: 0 done; 1 the project has a problem, or training failed; 2 bad arguments or files;
130 ended by Ctrl+C"""
COMMANDS = ("train", "check", "export")


class _Parser(argparse.ArgumentParser):
    """Tells a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}. Try '{self.prog} --help'.\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        # Not all terminals know all letters.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _window_parser()
    if given and given[0] in COMMANDS:
        parser = _command_parser(given.pop(0))
    options = parser.parse_args(given)
    act: Callable[[argparse.Namespace], int] = options.act
    try:
        code = act(options)
        print(end="", flush=True)
    except StudioError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        # What is still to be written must not fail again when the program ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            # Nobody reads on.
            return 1
        print(f"{parser.prog}: {error.strerror or error}", file=sys.stderr)
        return 2
    return code


def _window_parser() -> _Parser:
    parser = _Parser(
        "studio",
        usage="studio [FILE]  |  studio {train,check,export} FILE …",
        description="Build, train and export neural networks block by block.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"studio {studio.__version__}")
    parser.add_argument("file", nargs="?", metavar="FILE", help="a project to open")
    parser.set_defaults(act=_open_window)
    return parser


def _command_parser(command: str) -> _Parser:
    parser = _Parser(f"studio {command}", description=_ACTS[command].__doc__)
    parser.add_argument("file", metavar="FILE", help="a project, or the name of a shipped example")
    if command == "train":
        parser.add_argument("--epochs", type=_count, metavar="N", help="instead of the project's")
        parser.add_argument("--threads", type=_count, metavar="N", help="instead of all processors")
        parser.add_argument("--out", type=Path, metavar="DIR", help="where the results go")
    if command == "export":
        parser.add_argument("--to", choices=["keras"], default="keras", help="what to write")
        parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.py")
    parser.set_defaults(act=_ACTS[command])
    return parser


def _count(text: str) -> int:
    try:
        count = int(text) if text.isdecimal() else 0
    except ValueError:
        # More digits than Python reads.
        count = 0
    if not 1 <= count < WHOLE:
        error = ParameterError("a whole number of at least 1, below 2**53", repr(text))
        raise argparse.ArgumentTypeError(str(error))
    return count


def find_project(name: str) -> tuple[Saved, Path]:
    """The project of a file or of a shipped example, and the path that results are named after.

    Raises:
        StudioError: if there is neither, or the file is damaged.
    """
    path = Path(name)
    try:
        there = path.is_file()
    except OSError as error:
        found = error.strerror or str(error)
        raise StudioError("a file that can be read", found, name[:80]) from None
    if there or path.suffix == SUFFIX or path.name != name:
        return load(path), path
    for example in EXAMPLES:
        if example.name == name:
            return Saved(example.project), Path(f"{name}{SUFFIX}")
    known = [example.name for example in EXAMPLES]
    raise unknown_name(name, known, "a file or a shipped example")


def _open_window(options: argparse.Namespace) -> int:
    """Open the window."""
    from studio.display import require_display

    path = None if options.file is None else Path(options.file)
    if path is not None:
        # Read here, so that a bad file is told where it was named.
        load(path)
    require_display()
    from studio.ui.app import run

    return run(path)


def _train(options: argparse.Namespace) -> int:
    """Train a project and write weights.safetensors, history.csv and report.json."""
    from studio.terminal import train_project

    saved, path = find_project(options.file)
    project = saved.project
    if options.epochs is not None:
        project = replace(project, settings=replace(project.settings, epochs=options.epochs))
    folder = options.out or path.with_name(f"{path.stem}_run")
    return train_project(project, folder, options.threads)


def _check(options: argparse.Namespace) -> int:
    """Print the table of layers and any problem; exit code 1 if it cannot be trained."""
    from studio.terminal import print_check

    return print_check(find_project(options.file)[0].project)


def _export(options: argparse.Namespace) -> int:
    """Write the project as Keras code, and the data that it reads beside it."""
    from studio.export.keras import export_keras

    saved, _ = find_project(options.file)
    for written in export_keras(saved.project, options.output):
        print(written)
    return 0


_ACTS: dict[str, Callable[[argparse.Namespace], int]] = {
    "train": _train,
    "check": _check,
    "export": _export,
}
