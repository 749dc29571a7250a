"""One thing measured beside another, in turns, so that a slower minute slows both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean, median
from typing import Any, Final

from bench.load import Conversation, load

MOST_SPREAD: Final = 0.15
_TRIES: Final = 2
_WARM_UP: Final = 0.25
_TURN: Final = 0.25  # s; a machine that others use changes its speed from second to second


@dataclass(frozen=True, slots=True)
class Pace:
    """How thoroughly something is measured.

    Attributes:
        repeats: How often each is measured; the median counts.
        seconds: Of each measurement.
    """

    repeats: int = 3
    seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Target:
    """A port, and what is said to it."""

    port: int
    conversations: Sequence[Conversation]

    async def rate(self, seconds: float) -> float:
        """Answers a second.

        Raises:
            RuntimeError: One was not 200.
        """
        await load(self.port, self.conversations, seconds=seconds * _WARM_UP)
        return await self.rate_when_warm(seconds)

    async def rate_when_warm(self, seconds: float) -> float:
        """The same, of a server that has just been asked."""
        answers = await load(self.port, self.conversations, seconds=seconds)
        if set(answers.statuses) != {200}:
            raise RuntimeError(f"unexpected answers: {answers.statuses}")
        return answers.per_second


@dataclass(slots=True)
class Comparison:
    """What was measured in turns: answers a second, and their ratios to the other's."""

    rates: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    @property
    def spread(self) -> float:
        """How far the ratios lie apart, as a part of their median."""
        return (max(self.ratios) - min(self.ratios)) / median(self.ratios)

    def row(self, label: str, base: str = "bare") -> dict[str, Any]:
        """A row of a table."""
        return {
            "app": label,
            "requests/s": median(self.rates),
            f"x {base}": median(self.ratios),
            "spread": self.spread,
        }


async def beside(base: Target, other: Target, pace: Pace) -> Comparison:
    """Measure in short turns; once more where the ratios of the repeats are spread too far."""
    turns = max(1, round(pace.seconds / _TURN))
    await base.rate(_TURN)
    await other.rate(_TURN)
    for _try in range(_TRIES):
        comparison = Comparison()
        for _repeat in range(pace.repeats):
            rates = [(await base.rate_when_warm(_TURN), await other.rate_when_warm(_TURN)) for _turn in range(turns)]
            base_rate, other_rate = (mean(side) for side in zip(*rates, strict=True))
            comparison.rates.append(other_rate)
            comparison.ratios.append(other_rate / base_rate)
        if comparison.spread <= MOST_SPREAD:
            break
    return comparison
