"""Sequential Studio: build, train and export neural networks block by block."""

__version__ = "0.1.0"
