"""A project as a Python file for Keras 3: same model, settings, data, split and scaling.

The file reads its data from an ``.npz`` file beside it, which :func:`export_keras` writes too.
"""

from __future__ import annotations

import io
from itertools import chain, count
from pathlib import Path
from textwrap import fill, indent

import numpy as np

from studio.data.catalogue import load
from studio.data.dataset import Dataset, DatasetInfo
from studio.data.prepare import prepare
from studio.engine.layers import registry as layers
from studio.engine.losses import losses
from studio.engine.metrics import metrics
from studio.engine.optimizers import optimizers
from studio.engine.params import snake_case
from studio.engine.saving.atomic import target_of, write_atomically
from studio.export.keras_calls import call, name_in_keras, name_or_call
from studio.export.source import WIDTH, Call, Name, expression
from studio.project.block_checks import INPUT, block_names
from studio.project.checks import check
from studio.project.edits import set_param
from studio.project.propose import ADVICE
from studio.project.values import Project, Settings


def export_keras(project: Project, path: str | Path) -> tuple[Path, Path]:
    """Write the code to ``path``, say ``model.py``, and its data beside it, ``model_data.npz``.

    Returns:
        The two files.

    Raises:
        StateError: if the project has an error.
        StudioError: if a file cannot be written.
    """
    target_of(path)
    code_file = Path(path)
    data_file = data_path(code_file)
    code = keras_code(project, data_file.name)
    dataset = _load(project)
    arrays = io.BytesIO()
    np.savez_compressed(arrays, x=dataset.x, y=dataset.y)
    write_atomically(data_file, arrays.getvalue())
    write_atomically(code_file, code.encode())
    return code_file, data_file


def data_path(code_file: Path) -> Path:
    """Where the data of that code are written."""
    return code_file.with_name(f"{code_file.stem}_data.npz")


def keras_code(project: Project, data_file: str = "model_data.npz") -> str:
    """The code.

    Args:
        project: a project without errors.
        data_file: the name of the file with the arrays ``x`` and ``y``, in the same folder.

    Raises:
        StateError: if the project has an error.
    """
    check(project).require()
    dataset = _load(project)
    functions = [
        _load_data(project.settings, dataset, data_file),
        _build_model(project, dataset.info),
        _main(project.settings, dataset.info),
        'if __name__ == "__main__":\n    main()\n',
    ]
    body = "\n\n\n".join([_constants(project.settings), *functions])
    return f"{_title(dataset.info)}\n\n{_imports(body)}\n\n{body}"


def _load(project: Project) -> Dataset:
    return load(project.data.name, **project.data.options)


def _title(info: DatasetInfo) -> str:
    source = fill(f"Data: {info.source}", WIDTH, break_on_hyphens=False)
    return f'"""{info.title}, learned by a network in Keras 3.\n\n{source}\n"""'


def _imports(body: str) -> str:
    standard = ["from functools import partial"] if "partial(" in body else []
    standard.append("from pathlib import Path")
    return "\n".join(
        [*standard, "", "import keras", "import numpy as np", "from keras import layers"]
    )


def _constants(settings: Settings) -> str:
    lines = [
        f"SEED = {settings.seed}",
        f"BATCH_SIZE = {settings.batch_size}",
        f"EPOCHS = {settings.epochs}",
    ]
    if settings.validation_split:
        lines.append(f"VALIDATION_SPLIT = {settings.validation_split!r}")
    return "\n".join(lines)


def _load_data(settings: Settings, dataset: Dataset, data_file: str) -> str:
    """What ``studio.data.prepare`` does, written out for these data."""
    split = settings.validation_split > 0
    training = "[:cut]" if split else ""
    lines = [
        f"with np.load(Path(__file__).with_name({expression(data_file)})) as data:",
        '    x, y = data["x"], data["y"]',
        "order = np.random.default_rng(SEED).permutation(len(x))",
        "x, y = x[order], y[order]",
        *["cut = int(len(x) * (1 - VALIDATION_SPLIT))"] * split,
        *_scaled_inputs(settings, dataset, training),
        *_encoded_targets(dataset.info, training),
        "return (x[:cut], y[:cut]), (x[cut:], y[cut:])" if split else "return x, y",
    ]
    what = "training and validation data" if split else "data"
    return _function("load_data()", f"Return the {what}, shuffled and scaled.", lines)


def _scaled_inputs(settings: Settings, dataset: Dataset, training: str) -> list[str]:
    if dataset.info.full_scale is not None:
        return [f'x = (x / {dataset.info.full_scale:g}).astype("float32")']
    lines = [f"mean, std = x{training}.mean(axis=0), x{training}.std(axis=0)"]
    prepared = prepare(dataset, settings.validation_split, settings.seed)
    if (np.ptp(prepared.x_train, axis=0) == 0).any():
        lines.append(f"std[np.ptp(x{training}, axis=0) == 0] = 1")
    return [*lines, 'x = ((x - mean) / std).astype("float32")']


def _encoded_targets(info: DatasetInfo, training: str) -> list[str]:
    if info.kind == "multiclass":
        return [f"y = keras.utils.to_categorical(y, {info.outputs})"]
    if info.kind == "binary":
        return ['y = y[:, None].astype("float32")']
    scaled = f"y = (y - y{training}.mean()) / y{training}.std()"
    return [scaled, 'y = y[:, None].astype("float32")']


def _build_model(project: Project, info: DatasetInfo) -> str:
    stack = [call(block.layer, layers) for block in _named(project).blocks]
    chosen = [call(metric, metrics) for metric in project.settings.metrics]
    model = Call(
        "keras.Sequential", (("", [Call("keras.Input", (("", info.input_shape),)), *stack]),)
    )
    compile_ = Call(
        "model.compile",
        (
            ("optimizer", name_or_call(project.settings.optimizer, optimizers)),
            ("loss", name_or_call(project.settings.loss, losses)),
            ("metrics", [ADVICE[info.kind].figure, *chosen]),
        ),
    )
    lines = [
        "model = " + expression(model, before=4 + len("model = ")),
        expression(compile_, before=4),
        "return model",
    ]
    return _function("build_model()", "Return the compiled model.", lines)


def _named(project: Project) -> Project:
    """The blocks with names that Keras takes, and still no two the same."""
    names = block_names(project)
    taken = {INPUT, *names}
    for block, own in zip(project.blocks, names, strict=True):
        plain = name_in_keras(own) or snake_case(block.layer.class_name)
        if plain != own:
            numbered = (f"{plain}_{number}" for number in count(2))
            name = next(each for each in chain([plain], numbered) if each not in taken)
            taken.add(name)
            project = set_param(project, block.id, "name", name)
    return project


def _main(settings: Settings, info: DatasetInfo) -> str:
    fit = [("batch_size", Name("BATCH_SIZE")), ("epochs", Name("EPOCHS"))]
    if settings.validation_split:
        data, measured, what = "(x_train, y_train), (x_val, y_val)", "x_val, y_val", "Validation"
        fit.append(("validation_data", Name("(x_val, y_val)")))
    else:
        data, measured, what = "x_train, y_train", "x_train, y_train", "Training"
    inputs = [("", Name("x_train")), ("", Name("y_train"))]
    lines = [
        "keras.utils.set_random_seed(SEED)",
        f"{data} = load_data()",
        "model = build_model()",
        "model.summary()",
        expression(Call("model.fit", (*inputs, *fit)), before=4),
        *_evaluation(settings, info, measured, what),
    ]
    return _function("main()", "Train the model and print how good it has become.", lines)


def _evaluation(settings: Settings, info: DatasetInfo, measured: str, what: str) -> list[str]:
    """Measure the model and print its figures: two by their names, more in a loop."""
    if settings.metrics:
        return [
            f"figures = model.evaluate({measured}, verbose=0, return_dict=True)",
            *["# The target is standardised: 1 is its standard deviation."]
            * (info.kind == "regression"),
            "for name, figure in figures.items():",
            f'    print(f"{what} {{name}} {{np.round(figure, 4)}}")',
        ]
    metric, words = (
        ("mae", "mean absolute error") if info.kind == "regression" else ("accuracy",) * 2
    )
    return [
        f"loss, {metric} = model.evaluate({measured}, verbose=0)",
        *["# Both are in standard deviations of the target."] * (info.kind == "regression"),
        f'print(f"{what} loss {{loss:.4f}}, {words} {{{metric}:.4f}}")',
    ]


def _function(signature: str, sentence: str, lines: list[str]) -> str:
    body = indent("\n".join([f'"""{sentence}"""', *lines]), "    ")
    return f"def {signature}:\n{body}"
