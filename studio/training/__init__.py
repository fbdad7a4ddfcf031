"""A run: a project and its data become frozen events, and at the end a trained project."""
