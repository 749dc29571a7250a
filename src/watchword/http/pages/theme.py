"""How the pages look: our templates, and what a host puts in their place."""

import hashlib
import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from watchword.errors import ConfigurationError
from watchword.http.pages.colours import stylesheet
from watchword.mail.templates import check_templates
from watchword.settings import Settings

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE: Final = Path(__file__).parent
_STYLE: Final = "style.css"
_SCRIPT: Final = "link.js"
_LOGO: Final = "logo"
_VERSION_LENGTH: Final = 12


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages load from us.

    Attributes:
        version: Another where the file is another; in its address, so that browsers may keep it.
    """

    body: bytes = field(repr=False)
    media_type: str
    version: str

    @classmethod
    def of(cls, body: bytes, media_type: str) -> "Asset":
        """A file and its version."""
        return cls(body, media_type, hashlib.sha256(body).hexdigest()[:_VERSION_LENGTH])


@dataclass(frozen=True)
class Theme:
    """What all pages have in common.

    Attributes:
        prefix: Where they are in the app.
        origin: The issuer, which browsers know us by.
        product: What people call the app.
        accent: `#rrggbb`.
        logo: A picture in place of the name; None for none.
        folder: Where the host's own templates are; None for ours alone.
        sends_mail: Whether a forgotten password can be replaced by a mailed link.
        min_password_length: What new passwords are asked to have.
        form_keys: What the tokens of forms are made with: the first one makes, all are good.
    """

    prefix: str
    origin: str
    product: str
    accent: str
    logo: Path | None
    folder: Path | None
    sends_mail: bool
    min_password_length: int
    form_keys: Sequence[bytes] = field(repr=False)

    @classmethod
    def of(cls, settings: Settings, *, form_keys: Sequence[bytes], sends_mail: bool) -> "Theme":
        """The one that is set, its templates and files read, so that a mistake is told at start-up.

        Raises:
            ConfigurationError: A template or a file cannot be read.
        """
        theme = cls(
            settings.prefix,
            settings.issuer,
            settings.product,
            settings.page_accent,
            settings.page_logo,
            settings.page_templates,
            sends_mail,
            settings.password_min_length,
            form_keys,
        )
        if settings.pages and theme.folder is not None:
            check_templates(theme.environment, theme.folder, setting="WATCHWORD_PAGE_TEMPLATES")
        if settings.pages and (theme.folder is not None or theme.logo is not None):
            theme._check_files()
        return theme

    def _check_files(self) -> None:
        try:
            _ = self.assets
        except UnicodeDecodeError:
            raise ConfigurationError(f"WATCHWORD_PAGE_TEMPLATES: {_STYLE} is not UTF-8") from None
        except OSError as error:
            raise ConfigurationError(f"{error.filename}, which pages need, cannot be read: {error.strerror}") from None

    @cached_property
    def environment(self) -> "Environment":
        """Where templates come from; Jinja is loaded when the first page is seen."""
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        ours = _HERE / "templates"
        return Environment(
            loader=FileSystemLoader([ours] if self.folder is None else [self.folder, ours]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    @cached_property
    def assets(self) -> Mapping[str, Asset]:
        """The files, by name."""
        own = self.folder / _STYLE if self.folder is not None else None
        style = own if own is not None and own.is_file() else _HERE / "assets" / _STYLE
        assets = {
            _STYLE: Asset.of((stylesheet(self.accent) + style.read_text("utf-8")).encode(), "text/css"),
            _SCRIPT: Asset.of((_HERE / "assets" / _SCRIPT).read_bytes(), "text/javascript"),
        }
        if self.logo is not None:
            media_type = mimetypes.guess_type(self.logo.name)[0] or ""
            if not media_type.startswith("image/"):
                raise ConfigurationError(f"WATCHWORD_PAGE_LOGO: {self.logo} has no name of an image, as .svg or .png")
            assets[_LOGO] = Asset.of(self.logo.read_bytes(), media_type)
        return assets
