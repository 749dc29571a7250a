"""The accent colour of the pages, made legible on light and on dark."""

from typing import Final

LIGHT_CARD: Final = "#ffffff"
DARK_CARD: Final = "#1b1e24"
_CONTRAST: Final = 5.0  # WCAG 2.2 asks for 4.5; the page around the card is a shade away from it
_STEPS: Final = 50


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def legible(colour: str, background: str) -> str:
    """A colour, moved towards black or white as little as makes it legible on a background.

    Args:
        colour: `#rrggbb`.
        background: What text of that colour is on, or what is on a button of that colour.
    """
    target = (0, 0, 0) if _luminance(background) > 0.5 else (255, 255, 255)  # noqa: PLR2004 — the middle
    for step in range(_STEPS):
        mixed = [round(part + (end - part) * step / _STEPS) for part, end in zip(_rgb(colour), target, strict=True)]
        moved = "#{:02x}{:02x}{:02x}".format(*mixed)
        if contrast(moved, background) >= _CONTRAST:
            return moved
    return "#{:02x}{:02x}{:02x}".format(*target)


def stylesheet(accent: str) -> str:
    """The variables that hold it, for both schemes."""
    light, dark = legible(accent, LIGHT_CARD), legible(accent, DARK_CARD)
    return (
        f":root {{ --accent: {light}; --on-accent: {LIGHT_CARD}; --card: {LIGHT_CARD}; }}\n"
        "@media (prefers-color-scheme: dark) {\n"
        f"  :root {{ --accent: {dark}; --on-accent: {DARK_CARD}; --card: {DARK_CARD}; }}\n"
        "}\n"
    )


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def _luminance(colour: str) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 — sRGB's own numbers
        for part in (channel / 255 for channel in _rgb(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
