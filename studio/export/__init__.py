"""A project as code that runs without this program."""
