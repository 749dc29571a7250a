"""Mail in development: it goes to the log, so that a developer can follow its link."""

import logging
from dataclasses import dataclass
from typing import Final

from watchword.mail import Mail

_log: Final = logging.getLogger("watchword.mail")


@dataclass(frozen=True, slots=True)
class ConsoleMailer:
    """Writes each mail to the log. As a warning: that is shown where nobody has set logging up."""

    async def send(self, mail: Mail) -> None:
        """Write it."""
        _log.warning("WATCHWORD_MAIL_URL is not set; for %s:\n\n%s\n\n%s", mail.to, mail.subject, mail.text)
