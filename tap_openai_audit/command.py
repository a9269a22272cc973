"""What the command line reads, with an error in one line where it cannot."""

from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import click
from dotenv import dotenv_values, find_dotenv

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


def check_option() -> click.Option:
    """The option `--check`, which takes the form of its output."""
    return click.Option(
        ["--check"],
        is_flag=False,
        flag_value="text",
        type=click.Choice(["text", "json"]),
        help=(
            "Make a few requests and tell whether a sync would work, and if not, why"
            " and what to do. Use --check=json for machines."
        ),
    )


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Turn what goes wrong with a file into one line and exit code 1."""
    try:
        yield
    except OSError as error:
        # The SDK's own errors of this kind have a text and no fields.
        why = f"{error.strerror} ({error.filename})" if error.strerror else error
        raise click.ClickException(f"{what} cannot be read: {why}") from None
    except ValueError as error:
        # The text of the error may hold a part of the file, such as a key.
        where = re.search(r"line \d+ column \d+", str(error))
        raise click.ClickException(
            f"{what} is not valid JSON{f', {where[0]}' if where else ''}: correct it"
        ) from None


def loaded(what: str, file: IO[str] | None) -> dict[str, Any] | None:
    """The object that a file holds, None without a file."""
    if file is None:
        return None
    with readable(what):
        content = json.load(file)
        if not isinstance(content, dict):
            raise ValueError("no object")  # noqa: TRY004 - read as an error of JSON
    return content


def environment(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The settings from environment variables, and from `.env` where none is set.

    The SDK lets `.env` override what is set in the environment, and looks for it beside
    its own files. What is not of the kind of its setting stays a text, and is reported
    with all other problems of the configuration.
    """
    prefix = f"{name.upper().replace('-', '_')}_"
    texts = {**dotenv_values(find_dotenv(usecwd=True)), **os.environ}
    settings = {
        setting: _typed(text, column.get("type", "string"))
        for setting, column in schema["properties"].items()
        if (text := texts.pop(f"{prefix}{setting.upper()}", None))
    }
    # A slip of the pen is reported. Meltano sets variables of its own as well.
    unknown = {
        key.removeprefix(prefix).lower(): text
        for key, text in texts.items()
        if key.startswith(prefix) and meant(key.removeprefix(prefix).lower(), schema)
    }
    return {**unknown, **settings}


def meant(name: str, schema: Mapping[str, Any]) -> str | None:
    """The setting that an unknown name is almost the same as."""
    from difflib import get_close_matches  # noqa: PLC0415 - rarely needed

    return next(iter(get_close_matches(name, schema["properties"], 1, 0.8)), None)


def _typed(text: str, kind: str | list[str]) -> Any:  # noqa: ANN401 - as the schema says
    if "integer" in kind:
        return int(text) if re.fullmatch(r"[+-]?\d+", text) else text
    if "boolean" in kind:
        word = text.lower()
        return word in _TRUE if word in _TRUE | _FALSE else text
    if "array" in kind and not text.startswith("["):
        return [item.strip() for item in text.split(",")]
    if "array" in kind or "object" in kind:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
