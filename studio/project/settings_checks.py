"""What is invalid about how to train."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from studio.data.dataset import DatasetInfo
from studio.engine.batches import split_at
from studio.engine.errors import DataError, Fix, ParameterError, StudioError
from studio.engine.losses import Loss, losses
from studio.engine.params import REQUIRED
from studio.engine.registry import Named, NamedList, Registry
from studio.project.edits import set_loss_param, set_settings
from studio.project.examine import wrong_parameters
from studio.project.problems import Problem, problem, setting_words
from studio.project.settings import TrainingSettings
from studio.project.specs import set_spec_param
from studio.project.values import Project, Spec


def settings_problems(project: Project) -> Iterator[Problem]:
    """The invalid settings, and the invalid parameters of the optimizer and the loss.

    Metrics have a check of their own.
    """
    for name, param in TrainingSettings.params.items():
        value = getattr(project.settings, name)
        if isinstance(param, Named):
            registry: Registry[Any] = param.registry  # pyright: ignore[reportUnknownMemberType]
            yield from _spec_problems(name, param.label, value, registry)
            continue
        if isinstance(param, NamedList):
            continue
        try:
            param.checked(value)
        except StudioError as error:
            yield _setting_problem(error, name, param.initial)


def reduction_problems(project: Project) -> Iterator[Problem]:
    """Whether the loss of a batch is one number: Keras cannot train by several."""
    loss = project.settings.loss
    if wrong_parameters(loss, losses) or losses.make(loss.value).reduction != "none":
        return
    error = ParameterError(
        "one number for a batch", "one for each sample", advice="Here they are added up."
    )
    label = Loss.params["reduction"].label
    fix = Fix(f"Set {label.lower()} to sum", partial(set_loss_param, name="reduction", value="sum"))
    yield problem(error, "settings", subject=label, param="loss.reduction", fixes=(fix,))


def split_problems(project: Project, info: DatasetInfo) -> Iterator[Problem]:
    """Whether the split leaves samples on both sides, and a batch of them for training."""
    settings = project.settings
    samples = project.data.options.get("samples", info.samples)
    try:
        for name in ("validation_split", "batch_size"):
            TrainingSettings.params[name].checked(getattr(settings, name))
        info.options(**project.data.options)
    except StudioError:
        return
    training = split_at(samples, settings.validation_split)
    if training == 0 or (settings.validation_split and training == samples):
        error = DataError("samples on both sides", f"{training} of {samples} to train on")
        usual = TrainingSettings.params["validation_split"].initial
        yield _setting_problem(error, "validation_split", usual)
    elif settings.batch_size > training:
        error = DataError(f"at most the {training} samples to train on", str(settings.batch_size))
        usual = TrainingSettings.params["batch_size"].initial
        good = [training, usual] if usual < training else [training]
        yield _setting_problem(error, "batch_size", *good)


def _setting_problem(error: StudioError, name: str, *good: Any) -> Problem:
    """The problem of a setting, which any of some values mends."""
    param = TrainingSettings.params[name]
    fixes = tuple(
        Fix(setting_words(param, value), partial(set_settings, **{name: value})) for value in good
    )
    return problem(error, "settings", subject=param.label, param=name, fixes=fixes)


def _spec_problems(
    setting: str, label: str, spec: Spec, registry: Registry[Any]
) -> Iterator[Problem]:
    for wrong in wrong_parameters(spec, registry):
        param = registry.find(spec.class_name).params.get(wrong.param) if wrong.param else None
        if param is None:
            fresh = Fix(
                f"Use the usual {label.lower()}",
                partial(set_settings, **{setting: getattr(Project().settings, setting)}),
            )
            yield problem(wrong.error, "settings", subject=label, param=setting, fixes=(fresh,))
            continue
        fixes: tuple[Fix, ...] = ()
        if param.initial is not REQUIRED:
            mended = set_spec_param(spec, registry, param.name, param.initial)
            text = setting_words(param, param.initial)
            fixes = (Fix(text, partial(set_settings, **{setting: mended})),)
        yield problem(
            wrong.error,
            "settings",
            subject=param.label,
            param=f"{setting}.{param.name}",
            fixes=fixes,
        )
