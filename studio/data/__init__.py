"""A built-in name becomes a Dataset; a Dataset becomes arrays that a network can learn from."""
