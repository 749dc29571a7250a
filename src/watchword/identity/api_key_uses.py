"""When API keys were last used, in memory: a request that presents one writes nothing."""

import time
from collections.abc import Callable, Mapping
from uuid import UUID


class ApiKeyUses:
    """What this process has seen since it was last written down; at most one entry a key.

    Args:
        monotonic: The clock; what is stored goes by the database's.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._used_at: dict[UUID, float] = {}

    def note(self, key_id: UUID) -> None:
        """A key was used now."""
        self._used_at[key_id] = self._monotonic()

    def take(self) -> Mapping[UUID, float]:
        """Hand over what was noted: the moment of each key's last use."""
        taken, self._used_at = self._used_at, {}
        return taken

    def give_back(self, taken: Mapping[UUID, float]) -> None:
        """Take back what could not be written; what was noted since is later."""
        self._used_at = {**taken, **self._used_at}

    def seconds_ago(self, taken: Mapping[UUID, float]) -> Mapping[UUID, float]:
        """How long ago these moments are."""
        now = self._monotonic()
        return {key_id: now - moment for key_id, moment in taken.items()}
