"""The command that proof-reads documents."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from derive import __version__
from derive.api import load
from derive.build import build
from derive.edge import FOUND, GOOD, progress
from derive.errors import InputError, shown
from derive.files import read_text, write
from derive.limits import MOST_DIGITS, MOST_DOCUMENT
from derive.proofread.annotate import annotated
from derive.proofread.as_spec import NoNetwork
from derive.proofread.behind import Stated
from derive.proofread.documents import DocumentError, check_kind
from derive.proofread.policy import Policy
from derive.proofread.report import Checked, as_json, as_sarif, checked, document_lines
from derive.spec import parse_spec
from derive.verify.claims import stated_by


def check(options: argparse.Namespace) -> int:
    """Check documents, and print what was found."""
    policy = None
    if options.digits is not None or options.decimals is not None:
        if not 1 <= (options.digits or options.decimals or 0) <= MOST_DIGITS:
            raise InputError(f"a number has between 1 and {MOST_DIGITS} digits or decimals")
        policy = Policy(digits=options.digits, decimals=options.decimals)
    if options.run is not None and options.spec is None:
        raise InputError("--run is one of the runs of a spec; --spec says which")
    with progress("reading and checking"):
        stated = None if options.spec is None else stated_by(load(options.spec, options.run))
        texts = [_text(path) for path in options.documents]
        found = [
            _checked(path, text, policy, stated)
            for path, text in zip(options.documents, texts, strict=True)
        ]
    if options.write_spec is not None:
        _write_spec(options.write_spec, found)
    if options.annotate is not None:
        _annotate(options.annotate, found, options.documents, texts)
    if options.json:
        data = [as_json(each) for each in found]
        print(json.dumps(data if len(data) > 1 else data[0], indent=1, ensure_ascii=False))
    elif options.sarif:
        print(json.dumps(as_sarif(found, __version__), indent=1, ensure_ascii=False))
    else:
        print("\n".join(line for each in found for line in document_lines(each)))
    return FOUND if any(each.own for each in found) else GOOD


def _write_spec(path: Path, found: Sequence[Checked]) -> None:
    """Write the spec that a document states, if it states one that can be derived."""
    if len(found) != 1:
        raise InputError("--write-spec takes one document")
    try:
        text = found[0].spec()
        build(parse_spec(text, str(path), path.stem))
    except (NoNetwork, InputError) as error:
        raise InputError(f"{found[0].name} states no network: {error}") from None
    if path.exists():
        raise InputError(f"'{path}' is already there")
    write(path, text.encode())
    print(f"wrote {path}", file=sys.stderr)  # standard output may be data


def _annotate(
    copy: Path, found: Sequence[Checked], documents: Sequence[Path], texts: Sequence[str]
) -> None:
    """Write a copy of the one document with what was found in it."""
    if len(found) != 1:
        raise InputError("--annotate takes one document")
    if copy.exists() and copy.samefile(documents[0]):
        raise InputError("the copy would take the place of the document")
    write(copy, annotated(found[0], texts[0]).encode())


def _text(path: Path) -> str:
    try:
        check_kind(path.name)
        return read_text(path, "document", MOST_DOCUMENT)
    except FileNotFoundError:
        raise InputError(f"there is no file {shown(str(path))}") from None
    except DocumentError as error:
        raise InputError(f"{path}: {error}") from None


def _checked(path: Path, text: str, policy: Policy | None, stated: Stated | None) -> Checked:
    try:
        return checked(str(path), text, policy, stated)
    except DocumentError as error:
        raise InputError(f"{path}: {error}") from None
