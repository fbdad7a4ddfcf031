"""Hooks into training (https://keras.io/api/callbacks/)."""

from studio.engine.callbacks.base import Callback, CallbackList, History, Logs
from studio.engine.callbacks.files import CSVLogger, ModelCheckpoint
from studio.engine.callbacks.monitor import EarlyStopping, MonitorCallback, ReduceLROnPlateau
from studio.engine.callbacks.rates import LearningRateScheduler
from studio.engine.callbacks.simple import LambdaCallback, TerminateOnNaN

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "Logs",
    "ModelCheckpoint",
    "MonitorCallback",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]
