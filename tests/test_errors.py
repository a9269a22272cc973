"""What can end a run has one tree, and says in one line what to do."""

from __future__ import annotations

import ast
import inspect
import signal
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_openai_audit import errors
from tap_openai_audit.errors import (
    BadResponse,
    BadState,
    BrokenPaging,
    ErrorResponse,
    Interrupted,
    NoResponse,
    RequestFailed,
    TapError,
    Terminated,
    VanishedCursor,
)
from tap_openai_audit.http.causes import MEANING, Cause

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(errors.__file__).parent
ALL = [
    NoResponse("The host a is unknown", Cause.UNKNOWN_HOST, retriable=True),
    ErrorResponse("HTTP 403", Cause.NOT_ALLOWED, status=403, request_id="req_1"),
    VanishedCursor("HTTP 404", status=404, from_api=True),
    BadResponse("HTTP 302 redirects to b", Cause.REDIRECT),
    BrokenPaging("the API promises more events, but its cursor does not move"),
    Interrupted(),
    BadState("The state cannot be read"),
]


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_an_error_says_in_one_line_what_happened_and_what_it_means(
    error: TapError,
) -> None:
    assert str(error).startswith(error.what)
    assert str(error).endswith(f": {error.meaning}")
    assert str(error).isprintable()


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_an_error_is_itself_and_no_other(error: TapError) -> None:
    twin = replace(error)
    assert len({error, twin, error}) == 2
    assert vars(twin) == vars(error)


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_an_error_passes_through_a_context_manager(error: TapError) -> None:
    @contextmanager
    def passing() -> Iterator[None]:
        yield

    with pytest.raises(type(error)) as caught, passing():
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    "error", [e for e in ALL if isinstance(e, RequestFailed)], ids=lambda e: e.cause
)
def test_a_failed_request_has_the_sentence_of_its_cause(error: RequestFailed) -> None:
    assert error.meaning == MEANING[error.cause]


def test_a_message_is_bounded_and_printable_whatever_it_is_made_of() -> None:
    hostile = "\x1b[2J\r\n\N{RIGHT-TO-LEFT OVERRIDE}" + "x " * 1_000_000
    error = ErrorResponse(
        hostile, Cause.BAD_REQUEST, status=400, param=hostile, request_id=hostile
    )
    assert str(error).isprintable()
    assert len(str(error)) < 1000
    assert str(BadState(hostile)).isprintable()


def test_a_signal_is_no_error() -> None:
    ended = Terminated(signal.SIGTERM)
    assert not isinstance(ended, Exception)
    assert ended.exit_code == 143


def test_the_tree_at_the_top_of_the_module_is_the_tree() -> None:
    drawn = {
        line.strip("│├└─ ").split()[0]
        for line in (errors.__doc__ or "").splitlines()
        if line.startswith(("TapError", "├", "│", "└", "Terminated"))
    }
    classes = {
        name
        for name, found in inspect.getmembers(errors, inspect.isclass)
        if found.__module__ == errors.__name__
    }
    assert drawn == classes


def test_no_other_module_has_errors_of_its_own_that_leave_it() -> None:
    private = {"BadBody"}
    found = {
        node.name
        for path in PACKAGE.rglob("*.py")
        if path.name != "errors.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if ast.unparse(base).endswith(("Error", "Exception"))
        and not node.name.startswith("_")
    }
    assert found == private
