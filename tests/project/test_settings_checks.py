"""What is wrong with how a stack is trained and what on, and fixes that mend it."""

from dataclasses import replace

import pytest

from studio.data.dataset import DatasetInfo
from studio.project import edits
from studio.project.checks import check
from studio.project.values import Block, DataChoice, Project, Spec
from tests.project.stacks import IMAGES, NUMBERS, OUT, TWO, dense, mended, only, stack


def test_loss_of_another_kind():
    project = stack(dense(1, "linear"))
    found = only(check(project, NUMBERS))
    assert (found.where, found.param, found.severity) == ("settings", "loss", "error")
    assert mended(project, NUMBERS).settings.loss == Spec("MeanSquaredError")


def test_loss_that_works_but_is_not_usual_is_a_warning():
    report = check(stack("Flatten", OUT, loss="mse"), IMAGES)
    assert only(report).severity == "warning"
    assert report.ok


@pytest.mark.parametrize(
    ("project", "data", "wanted"),
    [
        (stack("Flatten", dense(10, "linear")), IMAGES, "softmax"),
        (stack(dense(1, "softmax"), loss="bce"), TWO, "sigmoid"),
        (stack(dense(1, "sigmoid"), loss="mse"), NUMBERS, "linear"),
    ],
)
def test_output_activation_that_does_not_suit_the_loss(
    project: Project, data: DatasetInfo, wanted: str
):
    found = only(check(project, data))
    assert (found.severity, found.param) == ("warning", "activation")
    assert wanted in found.expected
    last = mended(project, data).blocks[-1].layer
    assert last.config.get("activation", "linear") == wanted


def test_loss_of_logits_wants_no_activation():
    project = edits.set_loss_param(stack("Flatten", OUT), "from_logits", True)
    assert "linear" in only(check(project, IMAGES)).expected
    mended(project, IMAGES)


@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", 0), ("epochs", "ten"), ("batch_size", 0), ("validation_split", 1.0), ("seed", -1)],
)
def test_invalid_settings(name: str, value: object):
    project = edits.set_settings(stack("Flatten", OUT), **{name: value})
    found = only(check(project, IMAGES))
    assert (found.where, found.param) == ("settings", name)
    assert repr(value) in found.message
    mended(project, IMAGES)


def test_a_batch_of_more_samples_than_there_are_to_train_on():
    project = edits.set_settings(stack("Flatten", OUT), batch_size=81)
    found = only(check(project, IMAGES))
    assert (found.where, found.param) == ("settings", "batch_size")
    assert found.message == "Batch size: expected at most the 80 samples to train on, found 81."
    assert mended(project, IMAGES).settings.batch_size == 80
    assert mended(project, IMAGES, fix=1).settings.batch_size == 32
    assert check(edits.set_settings(project, batch_size=80), IMAGES).ok
    synthetic = edits.set_data(project, DataChoice("moons", {"samples": 50}))
    synthetic = edits.set_settings(synthetic, batch_size=41)
    assert any("40 samples" in one.message for one in check(synthetic).problems)


@pytest.mark.parametrize("share", [1e-17, 0.999])
def test_a_split_that_leaves_nothing_on_one_side(share: float):
    project = edits.set_settings(stack("Flatten", OUT), validation_split=share)
    found = only(check(project, IMAGES))
    assert (found.where, found.param) == ("settings", "validation_split")
    assert "of 100 to train on" in found.message
    assert mended(project, IMAGES).settings.validation_split == 0.2


@pytest.mark.parametrize("word", ["none", None])
def test_a_loss_that_is_not_one_number(word: str | None):
    project = edits.set_loss_param(stack("Flatten", OUT), "reduction", word)
    found = only(check(project, IMAGES))
    assert found.param == "loss.reduction"
    assert found.message.startswith("Reduction: expected one number for a batch, found one for")
    assert mended(project, IMAGES).settings.loss.config["reduction"] == "sum"
    for word in ("sum", "mean"):
        project = edits.set_loss_param(project, "reduction", word)
        assert check(project, IMAGES).problems == ()


def test_invalid_optimizer():
    project = edits.set_optimizer_param(stack("Flatten", OUT), "learning_rate", -1)
    found = only(check(project, IMAGES))
    assert found.param == "optimizer.learning_rate"
    mended(project, IMAGES)
    project = edits.set_settings(stack("Flatten", OUT), optimizer=Spec("Adamant"))
    assert "Adam" in only(check(project, IMAGES)).message
    mended(project, IMAGES)


def test_data_are_looked_up_by_their_name():
    project = Project(
        (Block(1, Spec("Dense", {"units": 3, "activation": "softmax"})),), DataChoice("iris")
    )
    assert check(project).problems == ()


def test_unknown_data():
    project = Project((Block(1, Spec("Dense", {"units": 3})),), DataChoice("irid"))
    report = check(project)
    found = only(report)
    assert (found.where, report.rows[0].shape_text) == ("data", "?")
    assert "iris" in found.message
    assert found.fixes[0].edit(project).data.name == "mnist_5k"


def test_invalid_options_of_data():
    project = edits.set_data(stack(dense(5), dense(10)), DataChoice("spirals"))
    for name, value in (("noise", -1), ("samples", "many")):
        changed = edits.set_data_option(project, name, value)
        found = only(check(changed))
        assert (found.where, found.param) == ("data", name)
        assert repr(value) in found.message
        assert check(found.fixes[0].edit(changed)).problems == ()
    changed = replace(project, data=DataChoice("spirals", {"noice": 1}))
    assert check(only(check(changed)).fixes[0].edit(changed)).problems == ()


def test_choice_of_data_sets_output_and_loss():
    project = stack("Flatten", dense(5), OUT)
    for name, units, activation, loss in (
        ("diabetes", 1, None, "MeanSquaredError"),
        ("moons", 1, "sigmoid", "BinaryCrossentropy"),
        ("wine", 3, "softmax", "CategoricalCrossentropy"),
    ):
        project = edits.set_data(project, DataChoice(name))
        last = project.blocks[-1].layer.config
        assert (last["units"], last.get("activation")) == (units, activation)
        assert project.settings.loss.class_name == loss
        assert check(project).problems == ()


def test_choice_of_data_keeps_a_loss_that_suits():
    project = edits.set_data(edits.set_loss(stack(dense(5)), "mae"), DataChoice("diabetes"))
    assert project.settings.loss == Spec("MeanAbsoluteError")
