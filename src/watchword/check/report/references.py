"""Where what a rule refers to can be read."""

import re


def url_of(reference: str) -> str | None:
    """The page of `RFC 6750 §3`, `CWE-307` or `OWASP ASVS 6.3.1`; None of anything else."""
    if (rfc := re.match(r"RFC (\d+)(?: §([\d.]+))?", reference)) is not None:
        section = f"#section-{rfc[2].rstrip('.')}" if rfc[2] else ""
        return f"https://www.rfc-editor.org/rfc/rfc{rfc[1]}{section}"
    if (cwe := re.match(r"CWE-(\d+)", reference)) is not None:
        return f"https://cwe.mitre.org/data/definitions/{cwe[1]}.html"
    if reference.startswith("OWASP ASVS"):
        return "https://owasp.org/www-project-application-security-verification-standard/"
    return None


def linked(reference: str) -> str:
    """A reference in Markdown, with its page."""
    url = url_of(reference)
    return reference if url is None else f"[{reference}]({url})"
