"""What the pages say, in the languages that they know."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request

from watchword.errors import Refusal

LANGUAGES: Final = ("en", "de")
"""The first is spoken where none is asked for that we know."""
_FOLDER: Final = Path(__file__).parent / "texts"
_MOST_LANGUAGES: Final = 20


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language.

    Attributes:
        language: As in `lang`.
        texts: By name, with `{placeholders}`.
        refusals: Of what refusals say in English, the translation.
    """

    language: str
    texts: Mapping[str, str]
    refusals: Mapping[str, str]

    def __call__(self, name: str, /, **values: object) -> str:
        """A text, filled in."""
        return self.texts[name].format(**values)

    def of_refusal(self, refusal: Refusal) -> str:
        """What a refusal says; in English where there is no translation."""
        for said, translated in self.refusals.items():
            before, gap, after = said.partition("{number}")
            number = refusal.text.removeprefix(before).removesuffix(after) if gap else ""
            if refusal.text == before + number + after and (number.isdigit() or not gap):
                return translated.format(number=number)
        return refusal.text


@cache
def texts_in(language: str) -> Texts:
    """The texts of a language that we know."""
    read = json.loads((_FOLDER / f"{language}.json").read_text("utf-8"))
    return Texts(language, read["texts"], read["refusals"])


def texts_for(request: Request) -> Texts:
    """The texts in the language that fits best: `ui_locales` of an authorization request, else Accept-Language."""
    asked = request.query_params.get("ui_locales", "").split()[:_MOST_LANGUAGES]
    known = (_known(tag) for tag in [*asked, *_accepted(request.headers.get("accept-language", ""))])
    return texts_in(next((language for language in known if language), LANGUAGES[0]))


def _known(tag: str) -> str | None:
    """Our language for a tag (RFC 5646); None if it is not among ours."""
    language = tag.partition("-")[0].lower()
    return language if language in LANGUAGES else None


def _accepted(header: str) -> list[str]:
    """The tags of an Accept-Language header (RFC 9110 §12.5.4), the most wanted first."""
    weighed: list[tuple[float, str]] = []
    for part in header.split(",")[:_MOST_LANGUAGES]:
        tag, _, weight = part.partition(";")
        try:
            weighed.append((float(weight.strip().removeprefix("q=") or 1), tag.strip()))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(weighed, key=lambda pair: -pair[0]) if weight > 0]
