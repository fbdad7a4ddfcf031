"""Keras' ``models``: the Sequential model, and models in files."""

from studio.engine.saving import load_model, save_model
from studio.engine.sequential import Sequential

__all__ = ["Sequential", "load_model", "save_model"]
