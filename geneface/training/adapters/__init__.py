"""The ways in which speech is carried over to a person: one module a way, found by its name (`training.kinds`)."""
