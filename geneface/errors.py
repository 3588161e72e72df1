"""The one exception type for input that a user can put right."""


class InputError(ValueError):
    """Bad input: one sentence that says what is wrong, where, and what to do.

    The command line prints it and exits with 2; the web demo shows it as an error box.
    """
