"""What the command line reads, with an error in one line where it cannot."""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import click
from dotenv import dotenv_values, find_dotenv
from singer_sdk.singerlib import Catalog

from tap_openai_audit.redaction import redacted
from tap_openai_audit.singer.settings import similar_setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_LOG_CONFIG = "SINGER_SDK_LOG_CONFIG"
"""The variable that names a file from which the SDK sets up logging."""

_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


def check_option() -> click.Option:
    """Make the option `--check`, which takes the form of its output."""
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
    """Turn what goes wrong with a file into one line and exit code 1.

    Nothing of the file is repeated: it may hold a key.

    Raises:
        click.ClickException: If anything does.
    """
    try:
        yield
    except UnicodeDecodeError:
        why = "is not encoded in UTF-8: save it so"
    except _TwiceError:
        why = "has a key twice in one object, and only one would count: correct it"
    except (ArithmeticError, RecursionError, TypeError, ValueError) as error:
        where = re.search(r"line \d+ column \d+", str(error))
        why = f"is not valid JSON, {where[0]}" if where else "is not a JSON object"
        why += ": correct it"
    except (OSError, RuntimeError) as error:
        # The SDK's own errors of this kind have a text and no fields.
        text = str(error)
        if isinstance(error, OSError) and error.strerror:
            text = f"{error.strerror} ({error.filename})"
        why = f"cannot be read: {text}"
    else:
        return
    raise click.ClickException(redacted(f"{what} {why}"))


def loaded(what: str, file: IO[str] | None) -> dict[str, Any] | None:
    """Read the object that a file holds; None without a file.

    Raises:
        click.ClickException: If it holds anything else.
    """
    if file is None:
        return None
    with readable(what):
        content = json.load(file, object_pairs_hook=_each_once)
        if not isinstance(content, dict):
            raise ValueError("no object")  # noqa: TRY004 - read as an error of JSON
    return content


def catalog(file: IO[str] | None) -> Catalog | None:
    """Read the catalog that a file holds; None without a file.

    Raises:
        click.ClickException: If it holds anything else.
    """
    content = loaded("The catalog", file)
    if content is None:
        return None
    try:
        return Catalog.from_dict(content)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        # The SDK reads it without a look at its form, and ends in a traceback.
        raise click.ClickException(
            "The catalog is not one of Singer: correct it, or make a new one with"
            " --discover"
        ) from None


@contextmanager
def logging_set_up(name: str) -> Iterator[None]:
    """Turn what keeps the SDK from setting up logging into one line and exit code 1.

    Args:
        name: The name of the tap.

    Raises:
        SystemExit: If anything does.
    """
    file = os.environ.get(_LOG_CONFIG)
    try:
        # The SDK goes on where there is none, before its warning could be logged.
        if file is not None and not os.path.isfile(file):  # noqa: PTH113
            raise ValueError("no such file")  # noqa: TRY301
        yield
    except Exception as error:  # noqa: BLE001 - a parser and many factories
        level = f"{name.upper().replace('-', '_')}_LOGLEVEL"
        why = redacted(f"{type(error).__name__}: {error}")
        sys.exit(
            f"Logging cannot be set up ({why}): "
            + (
                f"correct {level} or LOGLEVEL, which may be DEBUG, INFO, WARNING, ERROR"
                " or CRITICAL"
                if file is None or "Unknown level" in why
                else f"correct the file that {_LOG_CONFIG} names, or unset it"
            )
        )


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise _TwiceError
    return content


class _TwiceError(ValueError):
    """A key stands twice in an object of JSON, of which Python keeps the last."""


def environment(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Read the settings from the environment, and from `.env` what is not set there.

    The SDK lets `.env` override what is set in the environment, and looks for it beside
    its own files. What is not of the kind of its setting stays a text, and is reported
    with all other problems of the configuration. An empty variable is one not set.

    Raises:
        click.ClickException: If `.env` cannot be read.
    """
    prefix = f"{name.upper().replace('-', '_')}_"
    with readable("The file .env"):
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
        if key.startswith(prefix)
        and similar_setting(key.removeprefix(prefix).lower(), schema)
    }
    return {**unknown, **settings}


def _typed(text: str, kind: str | list[str]) -> Any:  # noqa: ANN401 - as the schema says
    if "integer" in kind:
        # Python refuses to read numbers of thousands of digits, and no setting has any.
        return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else text
    if "boolean" in kind:
        word = text.lower()
        return word in _TRUE if word in _TRUE | _FALSE else text
    if "array" in kind or "object" in kind:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text
