"""The examples are sound, train well, and are shipped as files."""

import pytest

from studio.data.catalogue import find, load
from studio.data.prepare import prepare
from studio.project import file
from studio.project.build import build_model
from studio.project.checks import check
from studio.project.document import to_document
from studio.project.examples import EXAMPLES, START, Example, write_examples
from studio.resources import resource

by_name = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)


@by_name
def test_example_has_no_problems(example: Example):
    assert check(example.project).problems == ()


@by_name
def test_shipped_file_is_the_example(example: Example):
    path = resource("examples", example.name + file.SUFFIX)
    assert file.load(path).project == example.project, (
        "run: python -m studio.project.examples resources/examples"
    )


def test_all_shipped_files_are_examples(tmp_path):
    write_examples(tmp_path)
    shipped = {path.name for path in resource("examples").iterdir()}
    assert shipped == {path.name for path in tmp_path.iterdir()}


def fit(example: Example) -> dict[str, list[float]]:
    """The history of a training as the example's settings say."""
    project = example.project
    settings = project.settings
    data = prepare(load(project.data.name), settings.validation_split, settings.seed)
    model = build_model(project, find(project.data.name))
    return model.fit(
        data.x_train, data.y_train, settings.batch_size, settings.epochs, verbose=0,
        validation_data=data.validation_data,
    ).history  # fmt: skip


def test_start_example_reads_95_percent_of_digits_in_5_epochs():
    assert START.project.settings.epochs == 5
    assert fit(START)["val_accuracy"][-1] >= 0.95


@pytest.mark.parametrize("example", EXAMPLES[1:], ids=lambda example: example.name)
def test_example_learns(example: Example):
    history = fit(example)
    if "val_accuracy" in history:
        assert history["val_accuracy"][-1] >= 0.9
    else:
        assert "val_mae" in history
        # Targets have the variance 1, so that a guess of their mean has the loss 1.
        assert history["val_loss"][-1] < 0.7


def test_build_gives_the_seed_and_all_settings():
    model = build_model(START.project, find("mnist_5k"))
    again = build_model(START.project, find("mnist_5k"))
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        assert (one == other).all()
    assert model.optimizer is not None
    assert model.optimizer.learning_rate == 0.003
    assert model.count_params() == check(START.project).total_params


def test_documents_hold_only_what_differs_from_defaults():
    blocks = to_document(START.project)["blocks"]
    assert dict(blocks[1]["config"]) == {}
    assert dict(blocks[0]["config"]) == {
        "activation": "relu", "filters": 16, "kernel_size": (3, 3), "padding": "same",
    }  # fmt: skip
