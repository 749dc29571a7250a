"""Which rules are applied."""

from collections.abc import Iterable, Sequence

from watchword.check.errors import CheckError
from watchword.check.model import Rule
from watchword.check.rules import RULES


def select_rules(select: Sequence[str] = (), ignore: Sequence[str] = ()) -> tuple[Rule, ...]:
    """Rules by their ids or beginnings of them, such as `WW1`.

    Args:
        select: Those to apply; all, if it is empty.
        ignore: Those to leave out of them.

    Raises:
        CheckError: No rule is called so, or none is left.
    """
    chosen = _named(select) if select else RULES
    left_out = _named(ignore)
    rules = tuple(rule for rule in chosen if rule not in left_out)
    if not rules:
        raise CheckError("no rule is left to apply")
    return rules


def rule_named(name: str) -> Rule:
    """The rule of an id.

    Raises:
        CheckError: There is none.
    """
    for rule in RULES:
        if name.upper() == rule.id or name.lower() == rule.name:
            return rule
    raise CheckError(f"there is no rule {name}: `watchword rules` lists them")


def _named(names: Iterable[str]) -> tuple[Rule, ...]:
    wanted = [name.strip().upper() for text in names for name in text.split(",") if name.strip()]
    for name in wanted:
        if not any(rule.id.startswith(name) for rule in RULES):
            raise CheckError(f"there is no rule {name}: `watchword rules` lists them")
    return tuple(rule for rule in RULES if rule.id.startswith(tuple(wanted)))
