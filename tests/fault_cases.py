"""Faults, what they do to a run, and which requests they hit."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from typing import Any

_ANY = range(40)  # about as many requests as a run makes
_OF_TENANT = range(1, 16)  # after the first page of the tenant scope
_WITH_CURSOR = range(12)


class Expected(Enum):
    """What a fault does to the run that it hits."""

    PASSES = "asking again helps"
    PASSES_ONCE = "asking again helps, unless it comes again at the same place"
    ENDS = "asking again cannot help: the run says so and ends"
    HARMLESS = "it is none: the answer is only unusual"


@dataclass(frozen=True)
class Fault:
    """A fault of the sandbox, what it does to a run, and the requests it may hit.

    Its numbers count only the requests that its conditions let through.
    """

    how: dict[str, Any]
    expected: Expected = Expected.PASSES
    requests: range = _ANY


def _status(status: int, **more: Any) -> dict[str, Any]:
    return {"kind": "status", "status": status, **more}


def _vanished(status: int) -> Fault:
    how = _status(status, body="invalid_cursor", with_cursor=True)
    return Fault(how, Expected.PASSES_ONCE, _WITH_CURSOR)


def _broken_off(**how: Any) -> Fault:
    return Fault(_status(**how, tenant=True), Expected.ENDS, _OF_TENANT)


_DAY = {"Retry-After": "86400"}
_ELSEWHERE = {"Location": "https://evil.example/"}

FAULTS = {
    "429, Retry-After in seconds": Fault(_status(429, headers={"Retry-After": "1"})),
    "429, Retry-After as a date": Fault({"kind": "retry_after_date", "seconds": 1}),
    "429, retry-after-ms": Fault(_status(429, headers={"retry-after-ms": "200"})),
    "429 without Retry-After": Fault(_status(429)),
    "500, x-should-retry true": Fault(_status(500, headers={"x-should-retry": "true"})),
    "400, x-should-retry true": Fault(_status(400, headers={"x-should-retry": "true"})),
    "408": Fault(_status(408)),
    "409": Fault(_status(409)),
    "500": Fault(_status(500)),
    "502, HTML": Fault(_status(502, body="html")),
    "503, empty": Fault(_status(503, body="empty")),
    "520, text": Fault(_status(520, body="string_error")),
    "connection reset": Fault({"kind": "reset"}),
    "connection closed": Fault({"kind": "close"}),
    "closed in the body": Fault({"kind": "close_mid_body"}),
    "200, truncated JSON": Fault({"kind": "truncated"}),
    "200, HTML": Fault({"kind": "html"}),
    "200, no JSON": Fault({"kind": "text"}),
    "200, empty": Fault({"kind": "empty"}),
    "200, error beside an empty list": Fault({"kind": "error_in_list"}),
    "200, an object that is no list": Fault({"kind": "other_object"}),
    "200, data that is no list": Fault({"kind": "data_object"}),
    "no answer": Fault({"kind": "hang", "seconds": 3}),
    "body drips": Fault({"kind": "drip", "bytes_per_second": 2_000}),
    "headers drip": Fault({"kind": "drip_headers", "bytes_per_second": 20}),
    "body swells to 100 MB": Fault({"kind": "swell", "bytes": 100_000_000}),
    "cursor vanished, 400": _vanished(400),
    "cursor vanished, 404": _vanished(404),
    "429, Retry-After of a day": Fault(_status(429, headers=_DAY), Expected.ENDS),
    "503, x-should-retry false": Fault(
        _status(503, headers={"x-should-retry": "false"}), Expected.ENDS
    ),
    "302 to another host": Fault(_status(302, headers=_ELSEWHERE), Expected.ENDS),
    "400": Fault(_status(400), Expected.ENDS),
    "401": Fault(_status(401), Expected.ENDS),
    "403": Fault(_status(403), Expected.ENDS),
    "404": Fault(_status(404), Expected.ENDS),
    "tenant broken off, 400": _broken_off(status=400),
    "tenant broken off, 403": _broken_off(status=403),
    "tenant broken off, 404": _broken_off(status=404),
    "tenant broken off, 403 HTML": _broken_off(status=403, body="html"),
    "several documents": Fault(
        {"kind": "multi_document", "parts": 3}, Expected.HARMLESS
    ),
}


@dataclass(frozen=True)
class Case:
    """One fault and the requests that it hits."""

    name: str
    mode: str
    hits: dict[str, Any]

    @classmethod
    def of(cls, name: str, number: int) -> Case:
        """The fault of a name, at requests that are chosen by the number."""
        chance = random.Random(number)  # noqa: S311 - a reproducible choice
        requests = FAULTS[name].requests
        modes = ["once", "several", "lasting"]
        if requests.start == 0:
            modes.append("often")
        mode = chance.choice(modes)
        hits: dict[str, Any]
        match mode:
            case "once":
                hits = {"at": [chance.choice(requests)]}
            case "several":
                hits = {"at": chance.sample(requests, 5)}
            case "often":
                hits = {"probability": 0.1, "seed": number}
            case _:
                begin = chance.choice(requests)
                hits = {"at": list(range(begin, begin + 5_000))}
        return cls(name, mode, hits)

    @property
    def fault(self) -> dict[str, Any]:
        """The fault as the sandbox takes it."""
        return {**FAULTS[self.name].how, **self.hits}

    @property
    def lasting(self) -> bool:
        return self.mode == "lasting"

    @property
    def may_end_the_run(self) -> bool:
        match FAULTS[self.name].expected:
            case Expected.HARMLESS:
                return False
            case Expected.PASSES:
                return self.mode not in {"once", "several"}
            case Expected.PASSES_ONCE:
                return self.mode != "once"
        return True
