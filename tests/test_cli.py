"""The command line, in this process and as users start it."""

import csv
import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from studio.cli import main
from studio.engine.saving import safetensors
from studio.project.edits import add_metric, insert_block, insert_spec, set_param, set_settings
from studio.project.examples import EXAMPLES
from studio.project.file import Saved, save
from studio.project.values import Spec
from studio.terminal import train_project

ROOT = Path(__file__).parents[1]
IRIS = next(example.project for example in EXAMPLES if example.name == "iris_mlp")

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals and pipes")


def studio(*arguments: str, **options) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("environment", {})}
    for name in [name for name, value in environment.items() if value is None]:
        del environment[name]
    return subprocess.run(
        [sys.executable, "-m", "studio", *arguments],
        capture_output=True, text=True, timeout=120, env=environment, check=False, **options,
    )  # fmt: skip


@pytest.fixture
def project(tmp_path) -> Path:
    path = tmp_path / "flowers.studio"
    save(path, Saved(IRIS))
    return path


def test_train_writes_weights_history_and_report(project, tmp_path, capsys):
    out = tmp_path / "results"
    assert main(["train", str(project), "--epochs", "4", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "epoch 4/4" in printed
    assert "versicolor" in printed
    weights = safetensors.parse((out / "weights.safetensors").read_bytes(), "weights")
    assert weights["dense/kernel"].shape == (4, 16)
    rows = list(csv.DictReader((out / "history.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["settings"]["epochs"] == 4
    assert float(rows[-1]["val_loss"]) == report["figures"]["val_loss"]


def test_chosen_metrics_are_shown_and_written(tmp_path, capsys):
    path = tmp_path / "flowers.studio"
    save(path, Saved(add_metric(add_metric(IRIS, "AUC"), "F1Score")))
    assert main(["train", str(path), "--epochs", "2"]) == 0
    printed = capsys.readouterr().out
    lines = [line for line in printed.splitlines() if line.startswith("epoch 2/2")]
    assert [word for word in lines[0].split() if word[0].isalpha()][1:7] == [
        "loss", "accuracy", "auc", "f1_score", "val_loss", "val_accuracy",
    ]  # fmt: skip
    with (tmp_path / "flowers_run" / "history.csv").open() as text:
        last = list(csv.DictReader(text))[-1]
    table = {words[0]: words[1:] for words in map(str.split, printed.splitlines()) if words}
    for name in ("loss", "auc", "f1_score"):
        assert table[name] == [f"{float(last[key]):.4g}" for key in (name, f"val_{name}")]


def test_a_wrong_metric_is_told(tmp_path, capsys):
    path = tmp_path / "flowers.studio"
    save(path, Saved(set_settings(IRIS, metrics=(Spec("Aucc"),))))
    assert main(["check", str(path)]) == 1
    assert "error: Settings: Metrics: expected the name of a metric, found 'Aucc'" in (
        capsys.readouterr().out
    )
    assert main(["train", str(path)]) == 1
    assert "'Aucc'" in capsys.readouterr().err


def test_results_go_beside_the_file(project, capsys):
    assert main(["train", str(project), "--epochs", "1"]) == 0
    assert (project.parent / "flowers_run" / "report.json").exists()


def test_a_shipped_example_trains_in_any_folder(tmp_path):
    done = studio("train", "iris_mlp", "--epochs", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "iris_mlp_run" / "weights.safetensors").exists()


def test_training_does_not_import_qt(project):
    code = (
        "import sys; from studio.cli import main; "
        f"main(['train', {str(project)!r}, '--epochs', '1']); "
        "assert not {'PySide6', 'pyqtgraph'} & set(sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=60)


def test_check_prints_layers_and_problems(project, tmp_path, capsys):
    assert main(["check", str(project)]) == 0
    assert "131 parameters" in capsys.readouterr().out
    save(project, Saved(insert_block(IRIS, 1, "Conv2D")))
    assert main(["check", str(project)]) == 1
    printed = capsys.readouterr().out
    assert "Block 2 (Conv2D)" in printed
    assert "xpected" in printed
    assert "found" in printed


def test_export_writes_code_and_data(project, tmp_path, capsys):
    out = tmp_path / "model.py"
    assert main(["export", str(project), "--to", "keras", "-o", str(out)]) == 0
    assert "keras.Sequential" in out.read_text(encoding="utf-8")
    assert (tmp_path / "model_data.npz").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["train"],
        ["train", "none.studio"],
        ["train", "irris_mlp"],
        ["train", "iris_mlp", "--epochs", "0"],
        ["train", "iris_mlp", "--epochs", "many"],
        ["train", "iris_mlp", "--epochs", "9" * 5000],
        ["train", "iris_mlp", "--unknown"],
        ["export", "iris_mlp", "--to", "fortran", "-o", "x.py"],
        ["export", "iris_mlp"],
        ["export", "iris_mlp", "-o", "/no/such/folder/x.py"],
        ["check"],
        ["--unknown"],
        ["none.studio"],
    ],
)
def test_bad_arguments_and_files_get_one_line_and_code_2(arguments, capsys):
    try:
        code = main(arguments)
    except SystemExit as end:
        code = end.code
    said = capsys.readouterr()
    assert code == 2
    assert not said.out
    assert said.err.count("\n") == 1
    assert said.err.startswith("studio")
    assert len(said.err) < 500


def test_a_folder_does_not_hide_the_example_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iris_mlp").mkdir()
    assert main(["check", "iris_mlp"]) == 0


@pytest.mark.parametrize("out", ["file", "file/below", "x" * 300, "folder"])
def test_where_results_cannot_be_written_nothing_is_trained(out, project, capsys, monkeypatch):
    monkeypatch.chdir(project.parent)
    Path("file").write_text("")
    Path("folder/report.json").mkdir(parents=True)
    assert main(["train", str(project), "--epochs", "1", "--out", out]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert said.err.count("\n") == 1
    assert sorted(path.name for path in Path().iterdir()) == ["file", "flowers.studio", "folder"]


def test_training_that_fails_leaves_no_folder(project, tmp_path):
    save(project, Saved(insert_block(IRIS, 1, "Conv2D")))
    assert main(["train", str(project), "--out", str(tmp_path / "out")]) == 1
    assert not (tmp_path / "out").exists()


def test_a_damaged_file_gets_one_line(tmp_path, capsys):
    path = tmp_path / "bad.studio"
    path.write_bytes(b"not a zip")
    assert main(["train", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "bad.studio" in said


def test_failed_training_is_told(tmp_path, capsys):
    path = tmp_path / "broken.studio"
    save(path, Saved(insert_block(IRIS, 1, "Conv2D")))
    assert main(["train", str(path)]) == 1
    assert "Conv2D" in capsys.readouterr().err


def test_version_and_help(capsys):
    for flag in ("--version", "--help"):
        with pytest.raises(SystemExit) as end:
            main([flag])
        assert end.value.code == 0
    assert "studio train" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="looks for X servers as Linux has them")
@pytest.mark.parametrize("display", [None, ":987"])
def test_without_a_display_one_line_names_the_way_out(display):
    away = {"QT_QPA_PLATFORM": None, "WAYLAND_DISPLAY": None, "DISPLAY": display}
    done = studio(environment=away)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "studio train" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="Qt's libraries are the system's on Linux")
def test_missing_libraries_are_named_with_their_packages(monkeypatch):
    from studio import display
    from studio.engine.errors import StudioError

    monkeypatch.setattr(display, "_loads", lambda name: "cursor" not in name)
    with pytest.raises(StudioError) as error:
        display.require_display({"QT_QPA_PLATFORM": "xcb"})
    assert "apt install libxcb-cursor0" in str(error.value)


def training(project: Path, folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """A training that takes for ever, and where it writes to."""
    out = folder / "out"
    command = [sys.executable, "-m", "studio", "train", str(project), "--epochs", "1000000"]
    process = subprocess.Popen(
        [*command, "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return process, out


@posix
def test_ctrl_c_keeps_what_was_reached(project, tmp_path):
    process, out = training(project, tmp_path)
    assert process.stdout is not None
    assert "epoch" in process.stdout.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert "Stopped after" in printed
    assert json.loads((out / "report.json").read_text())["stopped"]


@posix
def test_a_reader_that_leaves_ends_training_and_keeps_what_was_reached(project, tmp_path):
    process, out = training(project, tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    assert "epoch" in process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=30) == 1
    assert json.loads((out / "report.json").read_text())["stopped"]
    process.stderr.close()


@posix
def test_what_is_printed_finds_no_room(tmp_path):
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "from studio.cli import main; raise SystemExit(main(['check', 'iris_mlp']))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    with (tmp_path / "printed").open("w") as printed:
        ended = subprocess.run(
            [sys.executable, "-c", code], stdout=printed, stderr=subprocess.PIPE, text=True,
            timeout=60, env=environment, check=False,
        )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (2, f"studio check: {os.strerror(errno.EFBIG)}\n")


def test_training_keeps_what_was_reached_when_nothing_more_can_be_printed(tmp_path, monkeypatch):
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            if "epoch 3/" in text:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(text)

    monkeypatch.setattr(sys, "stdout", Full())
    with pytest.raises(OSError, match="No space left"):
        train_project(set_settings(IRIS, epochs=9), tmp_path / "out")
    assert json.loads((tmp_path / "out" / "report.json").read_text())["epochs"]["finished"] == 3


def running(code: str) -> subprocess.CompletedProcess[str]:
    """What became of some code in a Python of its own."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_ctrl_c_before_all_is_imported():
    code = (
        "import sys\n"
        "class Press:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'studio.cli': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Press())\n"
        "from runpy import run_module; run_module('studio', run_name='__main__', alter_sys=True)"
    )
    ended = running(code)
    assert (ended.returncode, ended.stderr) == (130, "")


@posix
def test_a_second_ctrl_c_ends_at_once_without_a_traceback(tmp_path):
    path = tmp_path / "long.studio"
    save(path, Saved(set_settings(IRIS, epochs=1_000_000)))
    code = (
        "import os, signal, studio.training.run as run\n"
        "from studio.cli import main\n"
        "run.train = lambda *rest: [os.kill(os.getpid(), signal.SIGINT) for _ in range(2)]\n"
        f"raise SystemExit(main(['train', {str(path)!r}]))"
    )
    ended = running(code)
    assert (ended.returncode, ended.stderr) == (130, "")


@posix
@pytest.mark.parametrize("command", [["check"], ["export", "-o", "model.py"]])
def test_nobody_reads_what_is_printed(command, tmp_path):
    read, write = os.pipe()
    os.close(read)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-m", "studio", command[0], "iris_mlp", *command[1:]], cwd=tmp_path,
        stdout=write, stderr=subprocess.PIPE, text=True, timeout=60, env=environment, check=False,
    )  # fmt: skip
    os.close(write)
    assert (ended.returncode, ended.stderr) == (1, "")


def test_terminals_that_do_not_know_all_letters():
    ended = studio("check", "iris_mlp", environment={"PYTHONIOENCODING": "ascii"})
    assert (ended.returncode, ended.stderr) == (0, "")
    ended = studio("check", "no\udcff", environment={"PYTHONIOENCODING": "ascii"})
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("target", ["", ".", "folder", "pipe"])
def test_only_files_are_replaced(target, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    if target == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("this system has no named pipes")
        os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.iterdir())
    assert main(["export", "iris_mlp", "-o", target]) == 2
    error = capsys.readouterr().err
    assert "expected a file to write to" in error
    assert error.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before
    assert target != "pipe" or (tmp_path / "pipe").is_fifo()


def test_brackets_in_names_are_shown_as_they_are(tmp_path, capsys):
    path = tmp_path / "odd.studio"
    out = tmp_path / "[bold]out"
    assert main(["train", "iris_mlp", "--epochs", "1", "--out", str(out)]) == 0
    assert str(out / "report.json") in capsys.readouterr().out
    save(path, Saved(set_param(IRIS, 1, "units", "[/red]")))
    assert main(["check", str(path)]) == 1
    assert "[/red]" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["check", "train"])
def test_names_of_many_lines_get_one_line(command, tmp_path, capsys):
    path = tmp_path / "odd.studio"
    odd = "line\n" * 100
    save(path, Saved(insert_spec(insert_spec(IRIS, 0, Spec("Dense", {odd: 1})), 0, Spec(odd))))
    assert main([command, str(path)]) == 1
    said = capsys.readouterr()
    lines = [line for line in (said.out + said.err).splitlines() if "expected" in line.lower()]
    assert len(lines) == {"check": 3, "train": 1}[command]
    assert max(map(len, lines)) < 600
    assert "line" not in said.out.split()


def test_names_that_are_too_long_get_one_line(capsys):
    assert main(["check", "x" * 300]) == 2
    assert capsys.readouterr().err.count("\n") == 1
