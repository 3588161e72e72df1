"""How each kind of renderer is trained: one module a kind, found by its name (`training.kinds`)."""
