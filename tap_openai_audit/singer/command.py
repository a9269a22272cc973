"""The command, whose errors repeat no key.

What is typed in the wrong place may be a key: `--state sk-admin-...`, an option that is
none, an argument too many. click repeats it in its error, on a terminal that is shared
or in a log that is kept.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from dotenv import dotenv_values, find_dotenv
from singer_sdk.plugin_base import SingerCommand
from typing_extensions import override

from tap_openai_audit.redaction import MASK, redacted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_SECRET = re.compile(r"TAP_[A-Z_]+_KEY|(?:\w+_)?key")
"""The names of the settings that are keys, and of their variables."""

_KEY_LIKE = re.compile(r"(?=\S*\d)(?=\S*[A-Za-z])[\w+-]{20,}")
"""A word of letters and digits, longer than any name that somebody types: how a
workspace's keys look is not documented. The name of a file has a point."""


class Command(SingerCommand):
    """The SDK's command. What click says of the command line is redacted."""

    @classmethod
    def of(cls, command: click.Command) -> Command:
        """Take over a command of the SDK."""
        assert isinstance(command, SingerCommand)  # noqa: S101 - see test_sdk_contract
        return cls(
            name=command.name,
            callback=command.callback,
            context_settings=command.context_settings,
            params=command.params,
            help=command.help,
            logger=command.logger,
        )

    # The one place through which all arguments go, and all callbacks of options.
    @override
    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Read the command line.

        Raises:
            click.ClickException: If that is not possible, in one line without a key.
        """
        # click takes what it reads off the list.
        arguments = [*args]
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            text = _redacted(error.format_message(), arguments)
            raise click.UsageError(text, error.ctx) from None
        except click.ClickException as error:
            text = _redacted(error.format_message(), arguments)
            raise click.ClickException(text) from None


def _redacted(text: str, arguments: Sequence[str]) -> str:
    for word in _key_like(arguments):
        text = text.replace(word, MASK)
    return redacted(text, *_keys(arguments))


def _key_like(arguments: Iterable[str]) -> list[str]:
    """Return the words of a command line that look like a key, the longest first."""
    words = {
        word.lstrip("-")
        for argument in arguments
        for word in re.split(r"[\s/=]", argument)
        if _KEY_LIKE.fullmatch(word.lstrip("-"))
    }
    return sorted(words, key=len, reverse=True)


def _keys(arguments: Sequence[str]) -> Iterator[str]:
    """Return the keys that are set, as far as that can be read."""
    sources: list[dict[str, Any]] = [dict(os.environ)]
    with suppress(OSError, ValueError):
        sources.append(dict(dotenv_values(find_dotenv(usecwd=True))))
    sources += _configurations(arguments)
    for settings in sources:
        for name, value in settings.items():
            if _SECRET.fullmatch(name) and isinstance(value, str):
                yield value


def _configurations(arguments: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Return what the files hold that are given as the configuration."""
    for before, argument in pairwise(["", *arguments]):
        name = argument.removeprefix("--config=")
        if before == "--config" or name != argument:
            with suppress(OSError, ValueError, RecursionError):
                path = Path(name)
                content = json.loads(path.read_text("utf-8")) if path.is_file() else {}
                if isinstance(content, dict):
                    yield content
