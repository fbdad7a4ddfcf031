"""A trained project goes to a file and back, and predicts the same."""

from pathlib import Path

import numpy as np
import pytest

from studio.data.catalogue import find, load
from studio.data.prepare import prepare
from studio.engine.saving.weights import assign, named_weights
from studio.project import edits, file
from studio.project.build import build_model
from studio.project.examples import EXAMPLES
from studio.project.file import Saved
from studio.training.run import train


def test_trained_project_predicts_the_same_after_a_file(tmp_path: Path):
    project = edits.set_settings(EXAMPLES[2].project, epochs=3)
    trained = train(project, lambda _: None)
    assert trained is not None
    edited = edits.set_param(project, 1, "units", 5)
    file.save(tmp_path / "a.studio", Saved(edited, trained))
    found = file.load(tmp_path / "a.studio")
    assert found.project == edited
    assert found.trained is not None
    assert found.trained.project == project
    assert found.trained.report == trained.report
    np.testing.assert_array_equal(found.trained.history["val_loss"], trained.history["val_loss"])
    model = build_model(found.trained.project, find("iris"))
    assign(named_weights(model), found.trained.weights, "a.studio")
    data = prepare(load("iris"), project.settings.validation_split, project.settings.seed)
    logs = model.evaluate(data.x_val, data.y_val, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(trained.history["val_loss"][-1], rel=1e-5)
