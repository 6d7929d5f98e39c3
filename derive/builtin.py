"""The specs that come with the program."""

from __future__ import annotations

from importlib import resources

FOLDER = resources.files("derive") / "specs"
ENDING = ".yaml"
DEFAULT = "article"


def builtin_names() -> tuple[str, ...]:
    """Their names, in order."""
    names = [each.name for each in FOLDER.iterdir() if each.is_file()]
    return tuple(sorted(name.removesuffix(ENDING) for name in names if name.endswith(ENDING)))


def builtin_text(name: str) -> str:
    """The text of one of them."""
    return (FOLDER / f"{name}{ENDING}").read_text("utf-8")
