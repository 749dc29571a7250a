"""What stops a check before it has begun."""


class CheckError(Exception):
    """A check that could not be made. The text is for the person who asked for it, and says what to do."""
