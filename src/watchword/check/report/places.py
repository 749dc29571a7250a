"""Where a finding is, as people and programs are told."""

import os
from pathlib import Path


def shown(path: Path) -> str:
    """A path relative to the current folder where it is below; with slashes on every system."""
    try:
        return path.relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return path.as_posix()


def in_repository(path: Path) -> str | None:
    """A path relative to the root of the repository, as GitHub wants it; None where it is elsewhere."""
    try:
        return path.relative_to(repository_root()).as_posix()
    except ValueError:
        return None


def repository_root() -> Path:
    """What a GitHub workflow has checked out; elsewhere, the current folder."""
    here = Path.cwd().resolve()
    workspace = Path(os.environ.get("GITHUB_WORKSPACE") or here).resolve()
    return workspace if here.is_relative_to(workspace) else here
