"""Secrets that everybody knows: those of tutorials, and what people write where one belongs."""

import re
from typing import Final

# What people write where a secret belongs. A literal of nothing but these words is in every list of guesses.
_WORDS: Final = (
    "your|my|our|the|an|a|some|any|this|that|it|is|in|of|for|to|with|and|or|not|do|dont|use|used|should|must|be|very"
    "|super|ultra|top|highly|strong|long|random|string|text|value|hex|secrets|secret|keys|key|jwt|tokens|token|auth|session"
    "|app|application|api|fastapi|flask|django|python|demo|example|sample|testing|tests|test|development|develop|dev|local"
    "|default|changed|change|me|production|prod|before|deployment|deploy|please|replace|update|insert|put|enter|set|generated"
    "|generate|here|placeholder|todo|fixme|dummy|fake|foo|bar|baz|hello|world|password|passwd|pass|admin|user|root|private"
    "|signing|sign|secured|secure|safe|unsafe|insecure|temporary|temp|environment|env|variable|from|via|later|now|at|least"
    "|min|characters|chars|bytes|bits|bit|sha|hs|keep|really|ssshhh|shh|only|access|refresh|encryption|new"
)
_PLACEHOLDER: Final = re.compile(f"(?:{_WORDS})+")
_PUBLISHED: Final = frozenset(
    {"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"}
)  # FastAPI's tutorial


def is_well_known(secret: str) -> bool:
    """Whether a secret is published, or made of nothing but words for a secret that is still to come."""
    letters = re.sub(r"[^a-z]", "", secret.lower())
    return secret in _PUBLISHED or _PLACEHOLDER.fullmatch(letters) is not None
