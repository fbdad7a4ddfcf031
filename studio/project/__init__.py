"""The document: frozen values, pure edits, history, checks with fixes, and the file format."""
