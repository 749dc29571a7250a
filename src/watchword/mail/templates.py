"""Templates → mails. A template is text, its first line the subject; one HTML page is put around the text of all.

A host replaces any of them by a file of the same name in `WATCHWORD_MAIL_TEMPLATES`, or adds `<kind>.html` for a mail
whose HTML is its own.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from watchword.errors import ConfigurationError
from watchword.mail import Letter, Mail, MailNotSent

if TYPE_CHECKING:
    from jinja2 import Environment

_OURS: Final = Path(__file__).parent / "templates"
_SUBJECT: Final = "Subject: "
_LAYOUT: Final = "layout.html"


@dataclass(frozen=True)
class Templates:
    """Renders letters.

    Attributes:
        folder: Where the host's own templates are; None for ours alone.
        sender: The `From` of every mail.
        product: What people call the app.
    """

    folder: Path | None
    sender: str
    product: str

    def check(self) -> None:
        """Read the host's templates, so that a mistake in one is told at start-up.

        Raises:
            ConfigurationError: One cannot be read.
        """
        if self.folder is not None:
            check_templates(self._environment, self.folder, setting="WATCHWORD_MAIL_TEMPLATES")

    def render(self, letter: Letter) -> Mail:
        """Give a letter its words.

        Raises:
            MailNotSent: The template asks for what there is not, or has no subject.
        """
        from jinja2 import TemplateError

        assert letter.to is not None
        values: dict[str, Any] = {"product": self.product, "email": letter.to, **letter.values}
        try:
            whole = self._environment.get_template(f"{letter.kind}.txt").render(values)
            first, _, text = whole.partition("\n")
            if not first.startswith(_SUBJECT):
                raise MailNotSent(f"{letter.kind}.txt does not begin with “{_SUBJECT}”")
            subject, text = first.removeprefix(_SUBJECT).strip(), text.strip()
            page = self._environment.select_template([f"{letter.kind}.html", _LAYOUT])
            html = page.render(values, subject=subject, paragraphs=[part for part in text.split("\n\n") if part])
        except TemplateError as error:
            raise MailNotSent(f"the template of {letter.kind}: {type(error).__name__}: {error.message}") from None
        return Mail(self.sender, letter.to, subject, text + "\n", html)

    @cached_property
    def _environment(self) -> "Environment":
        from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

        folders = [_OURS] if self.folder is None else [self.folder, _OURS]
        return Environment(
            loader=FileSystemLoader(folders),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )


def check_templates(environment: "Environment", folder: Path, *, setting: str) -> None:
    """Read a host's templates.

    Args:
        environment: What reads them.
        folder: Where they are.
        setting: What named the folder.

    Raises:
        ConfigurationError: One cannot be read, or needs one that there is not.
    """
    from jinja2 import TemplateNotFound, TemplateSyntaxError
    from jinja2.meta import find_referenced_templates

    for path in sorted(folder.iterdir()):
        if path.suffix not in {".txt", ".html"}:
            continue
        try:
            environment.get_template(path.name)
            for needed in find_referenced_templates(environment.parse(path.read_text("utf-8"))):
                if needed is not None:  # which is known only when the page is made
                    environment.get_template(needed)
        except TemplateNotFound as error:
            raise ConfigurationError(f"{setting}: {path.name} needs {error.name}, which there is not") from None
        except (TemplateSyntaxError, UnicodeDecodeError) as error:
            where = f" (line {error.lineno})" if isinstance(error, TemplateSyntaxError) else ""
            raise ConfigurationError(f"{setting}: {path.name}{where} is no template that Jinja can read") from None
