"""What is invalid about how to train."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from studio.data.dataset import DatasetInfo
from studio.engine.errors import DataError, Fix, StudioError
from studio.engine.params import REQUIRED
from studio.engine.registry import Named, NamedList, Registry
from studio.project.edits import set_settings
from studio.project.examine import wrong_parameters
from studio.project.problems import Problem, problem
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
            fix = Fix(
                f"Set {param.label.lower()} to {param.initial}",
                partial(set_settings, **{name: param.initial}),
            )
            yield problem(error, "settings", subject=param.label, param=name, fixes=(fix,))


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
    training = int(samples * (1 - settings.validation_split))
    if training == 0 or (settings.validation_split and training == samples):
        share = TrainingSettings.params["validation_split"]
        error = DataError("samples on both sides", f"{training} of {samples} to train on")
        fix = Fix(
            f"Set {share.label.lower()} to {share.initial}",
            partial(set_settings, validation_split=share.initial),
        )
        yield problem(
            error, "settings", subject=share.label, param="validation_split", fixes=(fix,)
        )
    elif settings.batch_size > training:
        size = TrainingSettings.params["batch_size"]
        error = DataError(f"at most the {training} samples to train on", str(settings.batch_size))
        fixes = tuple(
            Fix(f"Set {size.label.lower()} to {number}", partial(set_settings, batch_size=number))
            for number in dict.fromkeys((training, size.initial))
            if number <= training
        )
        yield problem(error, "settings", subject=size.label, param="batch_size", fixes=fixes)


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
            text = f"Set {param.label.lower()} to {param.initial}"
            fixes = (Fix(text, partial(set_settings, **{setting: mended})),)
        yield problem(
            wrong.error,
            "settings",
            subject=param.label,
            param=f"{setting}.{param.name}",
            fixes=fixes,
        )
