"""Shapes, counts, problems in words, and fixes that mend them."""

import pytest

from studio.engine.errors import StateError
from studio.project import edits
from studio.project.checks import check
from studio.project.examine import examine
from studio.project.values import Block, Project, Spec
from tests.project.stacks import CONV, IMAGES, OUT, TABLE, classes, dense, info, mended, only, stack


def test_rows_of_a_sound_stack():
    report = check(stack(CONV, "MaxPooling2D", "Flatten", OUT), IMAGES)
    assert report.ok
    assert report.problems == ()
    assert [row.shape_text for row in report.rows] == ["26 × 26 × 8", "13 × 13 × 8", "1352", "10"]
    assert [row.params for row in report.rows] == [80, 0, 0, 13530]
    assert report.total_params == 13610
    assert report.rows[0].output_shape == (None, 26, 26, 8)
    assert "8" in report.rows[0].settings


def test_wrong_rank_is_told_at_the_block_and_only_there():
    report = check(stack("Flatten", CONV, dense(5), OUT), IMAGES)
    found = only(report)
    assert found.where == 2
    assert "3 dimensions" in found.expected
    assert "784" in found.found
    assert [row.shape_text for row in report.rows] == ["784", "?", "?", "?"]
    assert report.rows[1].problem is found
    assert report.rows[2].problem is None
    assert not report.ok


def test_block_that_nothing_mends_can_be_removed():
    project = mended(stack(dense(5), "MaxPooling2D", dense(3, "softmax")), TABLE)
    assert classes(project) == ["Dense", "Dense"]


def test_missing_flatten_is_inserted():
    project = mended(stack(CONV, OUT), IMAGES)
    assert classes(project) == ["Conv2D", "Flatten", "Dense"]


def test_missing_flatten_and_wrong_units_are_mended_at_once():
    project = mended(stack(CONV, dense(3, "softmax")), IMAGES)
    assert classes(project) == ["Conv2D", "Flatten", "Dense"]
    assert project.blocks[-1].layer.config["units"] == 10


def test_wrong_units_are_set():
    found = only(check(stack("Flatten", dense(7, "softmax")), IMAGES))
    assert found.where == 2
    assert found.expected.startswith("an output of 10 numbers")
    assert found.found == "7"
    assert found.fixes[0].label == "Set units to 10"
    mended(stack("Flatten", dense(7, "softmax")), IMAGES)


def test_output_block_is_added_where_the_last_cannot_be_one():
    project = stack(dense(5), ("Dropout", {"rate": 0.5}))
    found = only(check(project, TABLE))
    assert found.fixes[0].label == "Add Dense 3 as output"
    assert classes(mended(project, TABLE)) == ["Dense", "Dropout", "Dense"]
    project = stack(CONV)
    assert classes(mended(project, info((6, 6, 1), 3))) == ["Conv2D", "Flatten", "Dense"]


def test_recurrent_block_under_another_returns_its_sequence():
    rnn = ("SimpleRNN", {"units": 6})
    project = stack(rnn, rnn, OUT)
    found = only(check(project, info((8, 8), 10)))
    assert found.fixes[0].label == "Turn on return sequences of SimpleRNN before it"
    project = mended(project, info((8, 8), 10))
    assert project.blocks[0].layer.config["return_sequences"] is True


def test_a_block_that_was_put_in_can_be_taken_out_again():
    project = stack(CONV, CONV, "Flatten", OUT)
    inserted = edits.insert_block(project, 1, "GlobalAveragePooling2D")
    removing = only(check(inserted, IMAGES)).fixes[-1]
    assert removing.label == "Remove GlobalAveragePooling2D before it"
    assert removing.edit(inserted) == project
    project = edits.insert_block(stack("Flatten", "ReLU", OUT), 2, "UpSampling2D")
    assert only(check(project, IMAGES)).fixes[-1].label == "Remove this block"


def test_no_two_fixes_lead_to_the_same():
    project = stack(CONV, "GlobalAveragePooling2D", CONV, "Flatten", OUT)
    fixes = only(check(project, IMAGES)).fixes
    assert fixes[0].label.startswith("Set padding to same and turn on keep dimensions")
    results = [fix.edit(project) for fix in fixes]
    assert all(results.count(result) == 1 for result in results)


def test_window_larger_than_its_input():
    big = ("Conv2D", {"filters": 8, "kernel_size": (5, 5)})
    found = only(check(stack(big, "Flatten", OUT), info((4, 4, 1), 10)))
    assert "window" in found.expected
    assert found.fixes[0].label == "Set padding to same"
    mended(stack(big, "Flatten", OUT), info((4, 4, 1), 10))


@pytest.mark.parametrize("units", [0, -3, 2.5, "many", None, True])
def test_invalid_parameter_is_told_in_words(units: object):
    project = stack("Flatten", dense(units), OUT)
    found = only(check(project, IMAGES))
    assert (found.where, found.param) == (2, "units")
    assert found.message == f"Units: expected a whole number of at least 1, found {units!r}."
    assert found.fixes[0].label == "Set units to 32"
    mended(project, IMAGES)


def test_missing_and_unknown_parameters():
    found = only(check(stack("Flatten", "Dense", OUT), IMAGES))
    assert found.param == "units"
    assert "found nothing" in found.message
    mended(stack("Flatten", "Dense", OUT), IMAGES)
    project = stack("Flatten", ("Dense", {"units": 3, "unit": 4}), OUT)
    assert only(check(project, IMAGES)).param == "unit"
    mended(project, IMAGES)


def test_factor_of_a_regularizer_below_zero():
    wrong = {"class_name": "L2", "config": {"l2": -1}}
    project = stack("Flatten", ("Dense", {"units": 3, "kernel_regularizer": wrong}), OUT)
    found = only(check(project, IMAGES))
    assert found.param == "kernel_regularizer"
    assert "at least 0" in found.message
    mended(project, IMAGES)


def test_all_invalid_blocks_are_told_but_no_consequences():
    report = check(stack(dense(0), CONV, dense(-1), OUT), IMAGES)
    assert [found.where for found in report.problems] == [1, 3]


@pytest.mark.parametrize(
    ("layer", "name", "value", "label"),
    [
        ("Dense", "name", "a/b", "Set name to automatic"),
        ("MaxPooling2D", "strides", -1, "Set strides to automatic"),
        ("Dense", "kernel_regularizer", "l5", "Set kernel regularizer to none"),
        ("Dense", "dtype", "float8", "Set number type to default"),
        ("Dense", "use_bias", 7, "Turn on bias"),
    ],
)
def test_a_fix_says_a_value_as_the_window_shows_it(
    layer: str, name: str, value: object, label: str
):
    project = edits.set_param(edits.insert_block(Project(), 0, layer), 1, name, value)
    (found,) = (one for one in check(project).problems if one.param == name)
    assert [fix.label for fix in found.fixes] == [label]


def test_padding_of_a_layer_within_is_set():
    inner = {"class_name": "Conv2D", "config": {"filters": 4, "kernel_size": [9, 9]}}
    project = stack(("TimeDistributed", {"layer": inner}), "Flatten", OUT)
    found = only(check(project, info((5, 6, 6, 1), 10)))
    assert [fix.label for fix in found.fixes] == [
        "Set padding of layer to same", "Remove this block",
    ]  # fmt: skip


def test_one_dimension_is_no_plural():
    found = only(check(stack(("Permute", {"dims": [1]}), "Flatten", OUT), IMAGES))
    assert found.expected == "an input with 1 dimension per sample"


def test_unknown_block_is_a_placeholder_with_a_problem():
    project = stack("Flatten", ("QuantumDense", {"qubits": 3}), OUT)
    found = only(check(project, IMAGES))
    assert found.where == 2
    assert "'QuantumDense'" in found.message
    assert classes(mended(project, IMAGES)) == ["Flatten", "Dense"]


def test_unknown_blocks_with_a_number_type_and_a_name_of_their_own():
    own = {"name": "a", "dtype": "float64"}
    project = stack("Flatten", ("QuantumDense", own), ("QuantumDense", own), OUT)
    report = check(project, IMAGES)
    assert [found.where for found in report.problems] == [2, 3]
    first = stack(("QuantumDense", own), "Flatten", OUT)
    assert only(check(first, IMAGES)).where == 1


@pytest.mark.parametrize("config", [None, [], [1], "relu", 3])
@pytest.mark.parametrize("outer", ["Dense", "Bidirectional"])
def test_a_layer_within_whose_values_have_no_names(outer: str, config: object):
    project = stack((outer, {"layer": {"class_name": "LSTM", "config": config}}), OUT)
    assert check(project, TABLE).problems[0].where == 1


def test_empty_stack():
    found = only(check(stack(), IMAGES))
    assert found.where == "stack"
    assert classes(mended(stack(), IMAGES)) == ["Flatten", "Dense"]
    assert classes(mended(stack(), TABLE)) == ["Dense"]


def test_names_are_unique():
    first, second = (
        ("Dense", {"units": 3, "name": "a"}),
        ("Dense", {"units": 10, "name": "a", "activation": "softmax"}),
    )
    report = check(stack("Flatten", first, second), IMAGES)
    assert [found.where for found in report.problems] == [2, 3]
    report = check(stack("Flatten", dense(3), ("Dense", {**OUT[1], "name": "dense"})), IMAGES)
    assert [found.where for found in report.problems] == [3]
    mended(stack("Flatten", dense(3), ("Dense", {**OUT[1], "name": "dense"})), IMAGES)


def test_sizes_beyond_memory_are_refused():
    project = stack("Flatten", dense(10_000_000), OUT)
    report = check(project, IMAGES)
    assert report.problems[0].where == 2
    assert "weights" in report.problems[0].expected


def test_a_shape_of_more_sizes_than_an_array_has():
    found = check(stack(("Reshape", {"target_shape": [2**52] * 1000}), OUT), IMAGES).problems[0]
    assert (found.where, found.param) == (1, "target_shape")
    assert "up to 32 whole numbers" in found.expected


def test_a_batch_beyond_memory_is_made_smaller():
    def enlarged(size: int) -> Project:
        layers = (("UpSampling2D", {"size": (size, size)}), "GlobalAveragePooling2D", OUT)
        return edits.set_settings(stack(*layers), batch_size=64)

    found = only(check(enlarged(100), IMAGES))
    assert found.where == 1
    assert found.advice == "With a batch size of 32 it fits."
    assert [fix.label for fix in found.fixes] == ["Set batch size to 32"]
    assert mended(enlarged(100), IMAGES).settings.batch_size == 32
    assert only(check(enlarged(1000), IMAGES)).fixes == ()


def test_require_raises_the_first_error():
    check(stack("Flatten", OUT), IMAGES).require()
    check(stack("Flatten", OUT, loss="mse"), IMAGES).require()
    with pytest.raises(StateError, match=r"^block 2 \(Dense\) units: expected a whole number"):
        check(stack("Flatten", dense(0), OUT), IMAGES).require()
    with pytest.raises(StateError, match=r"^settings epochs: expected"):
        check(edits.set_settings(stack("Flatten", OUT), epochs=0), IMAGES).require()


def test_of_a_thousand_blocks_only_what_changed_is_examined_again():
    project = stack("Flatten", *[dense(16 + number % 7) for number in range(1000)], OUT)
    check(project, IMAGES)
    changed = edits.set_param(project, 500, "units", 99)
    examined = examine.cache_info().misses
    report = check(changed, IMAGES)
    assert report.ok
    # The block itself, and the next one, whose input has changed.
    assert examine.cache_info().misses == examined + 2


# Data


def test_all_blocks_have_one_number_type():
    project = Project()
    for name in ("Flatten", "ReLU", "Dense"):
        project = edits.insert_block(project, len(project.blocks), name)
    project = edits.set_param(project, 2, "dtype", "float64")
    (found,) = [one for one in check(project).problems if one.param == "dtype"]
    assert found.where == 2
    assert "float32" in found.message
    mended = found.fixes[0].edit(project)
    assert not [one for one in check(mended).problems if one.param == "dtype"]


def test_the_name_of_the_input_is_taken():
    project = edits.set_param(edits.insert_block(Project(), 0, "Flatten"), 1, "name", "input_layer")
    assert any(one.param == "name" for one in check(project).problems)


@pytest.mark.parametrize("outer", [False, True])
def test_what_is_wrong_within_a_layer_is_named_and_mended_there(outer: bool):
    dense = {"class_name": "Dense", "config": {"units": 77, "activation": "relu", "name": "a/b"}}
    inner, path = dense, "layer.name"
    if outer:
        inner, path = {"class_name": "TimeDistributed", "config": {"layer": dense}}, f"layer.{path}"
    project = Project((Block(1, Spec("TimeDistributed", {"layer": inner})),))
    (found,) = [one for one in check(project).problems if one.where == 1]
    assert found.param == path
    assert found.message.startswith("Name: expected")
    mended = found.fixes[0].edit(project)
    layer = mended.blocks[0].layer.config["layer"]
    layer = layer["config"]["layer"] if outer else layer
    assert (layer["config"]["units"], layer["config"]["activation"]) == (77, "relu")
    assert not [one for one in check(mended).problems if one.where == 1 and one.param]


LSTM = {"class_name": "LSTM", "config": {"units": 4}}
BACK = {"class_name": "GRU", "config": {"units": 4, "go_backwards": True}}


@pytest.mark.parametrize(
    ("within", "advice", "fix"),
    [
        ({"layer": LSTM, "backward_layer": {**BACK, "config": {"units": 4}}},
         "Set go_backwards of the backward layer to True.",
         "Turn on go backwards of backward layer"),
        ({"layer": BACK}, "Leave go_backwards of the layer False.",
         "Turn off go backwards of layer"),
        ({"layer": {**LSTM, "config": {"units": 4, "return_sequences": True}},
          "backward_layer": BACK}, "", "Turn off return sequences of layer"),
    ],
)  # fmt: skip
def test_directions_that_do_not_fit(within: dict[str, object], advice: str, fix: str):
    project = stack(("Bidirectional", within), OUT)
    found = only(check(project, info((5, 3), 10)))
    assert found.advice == advice
    assert found.fixes[0].label == fix
    assert mended(project, info((5, 3), 10)).blocks[0].layer.config["layer"]["config"]["units"] == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bias_initializer", "identity"),
        ("bias_initializer", "orthogonal"),
        ("bias_regularizer", "orthogonal_regularizer"),
        ("bias_constraint", {"class_name": "MaxNorm", "config": {"axis": 1}}),
        ("activity_regularizer", "orthogonal_regularizer"),
    ],
)
def test_what_does_not_suit_the_shape_of_a_weight(name: str, value: object):
    config = {"filters": 8, "kernel_size": (3, 3), "activation": "relu", name: value}
    project = stack(("Conv2D", config), "Flatten", OUT)
    found = only(check(project, IMAGES))
    assert (found.where, found.param) == (1, name)
    assert "shape (" in found.message
    assert name not in mended(project, IMAGES).blocks[0].layer.config


def test_what_suits_one_weight_and_not_another():
    config = {"units": 4, "recurrent_initializer": "identity", "bias_initializer": "identity"}
    project = stack(("LSTM", config), OUT)
    found = only(check(project, info((5, 3), 10)))
    assert found.param == "bias_initializer"
    assert found.message == ("Bias initializer: expected a matrix, found a weight of shape (16,).")
    wrapped = stack(("Bidirectional", {"layer": {"class_name": "LSTM", "config": config}}), OUT)
    found = only(check(wrapped, info((5, 3), 10)))
    assert [fix.label for fix in found.fixes] == ["Remove this block"]
