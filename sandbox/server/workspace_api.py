"""GET /v1/compliance/workspaces/{workspace_id}/logs and …/logs/{id}."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandbox.organization.workspace import TYPES
from sandbox.server.http import (
    Page,
    Query,
    RefusedError,
    Response,
    error,
    invalid,
    listed,
)
from sandbox.server.log_file import moment

if TYPE_CHECKING:
    from decimal import Decimal

    from sandbox.options import Options
    from sandbox.server.behaviour import Behaviour
    from sandbox.server.file_host import FileHost
    from sandbox.server.workspace_files import WorkspaceFiles

_LEAST, _MOST = 1, 100
#: Types that exist beside the two whose files are served here.
_OTHER_TYPES = (
    "APP_LOG", "APP_AUTH_LOG", "CODEX_LOG", "CODEX_SECURITY_LOG",
    "CONVERSATION_MESSAGE", "COSTS", "CUSTOM_AGENTS_LOG",
)  # fmt: skip


class WorkspaceApi:
    """Lists the files of one workspace and tells where each can be downloaded."""

    def __init__(self, options: Options, files: WorkspaceFiles, host: FileHost) -> None:
        self._key = options.workspace_key
        self._workspace_id = options.workspace_id
        self._files = files
        self._host = host

    def answer(
        self, path: str, query: Query, key: str, behaviour: Behaviour, now: float
    ) -> Response | None:
        """Answer a request, or return None if there is no such endpoint.

        Args:
            path: The request's path, with the version.
            query: The parameters.
            key: The key it carries.
            behaviour: Where the answer deviates from what is documented.
            now: The API's clock, Unix seconds.

        Raises:
            RefusedError: The key or a parameter is refused, or what is asked for does
                not exist.
        """
        if key != self._key:
            message = "Incorrect API key provided: it is none of this workspace."
            raise RefusedError(error(401, message, code="invalid_api_key"))
        match path.split("/")[1:]:
            case ["v1", "compliance", "workspaces", workspace_id, "logs", *rest]:
                if workspace_id != self._workspace_id or not self._files:
                    raise _missing("workspace", workspace_id)
            case _:
                return None
        if not rest:
            return self._list(query, behaviour)
        return self._download("/".join(rest), behaviour, now)

    def _list(self, query: Query, behaviour: Behaviour) -> Response:
        types = _types(query)
        for event_type in types:
            _check_scope(event_type, behaviour)
        after, before = _moment(query, "after"), _moment(query, "before")
        if after is None:
            raise RefusedError(invalid("after", "Missing required parameter: 'after'."))
        limit = min(_limit(query), behaviour.workspace_page_size)
        again = behaviour.workspace_after == "at_or_later"
        everything = behaviour.workspace_after == "ignored"
        found = [
            file
            for file in self._files.listed(types)
            if (everything or file.end > after or (again and file.end == after))
            and (before is None or file.end < before)
        ]
        page = found[:limit]
        last = page[-1].end_time if page else None
        fields: dict[str, object] = {"has_more": len(found) > limit}
        match behaviour.workspace_last_end_time:
            case "normal":
                fields["last_end_time"] = last
            case "null":
                fields["last_end_time"] = None
        if behaviour.collector_events:
            asked = {"event_types": types, "after": query.one("after"), "limit": limit}
            self._files.note_request("LIST_WORKSPACE_LOG_FILES", asked)
        items = [json.dumps(file.entry).encode() for file in page]
        return listed(Page(items, fields, before=b""))

    def _download(self, file_id: str, behaviour: Behaviour, now: float) -> Response:
        file = self._files.find(file_id)
        if file is not None and {"expired_404", "expired_410"} & {*file.traps}:
            # It expired after it was listed.
            self._files.expire(file_id)
        if file is None or "expired_404" in file.traps:
            raise _missing("log file", file_id)
        _check_scope(file.type, behaviour)
        if "expired_410" in file.traps:
            raise RefusedError(error(410, f"Log file '{file_id}' has expired."))
        if behaviour.collector_events:
            data = {"log_file_id": file_id, "event_type": file.type}
            self._files.note_request("DOWNLOAD_WORKSPACE_LOG_FILE", data)
        url = self._host.url(file_id, now + behaviour.signed_url_seconds)
        return Response(307, b"", {"location": url})


def _types(query: Query) -> list[str]:
    types = [name for text in query.many("event_type") for name in text.split(",")]
    if not types:
        message = "Missing required parameter: 'event_type'."
        raise RefusedError(invalid("event_type", message))
    for name in types:
        if name not in (*TYPES, *_OTHER_TYPES):
            message = f"Invalid value for 'event_type': {name!r}."
            raise RefusedError(invalid("event_type", message, "invalid_value"))
    return types


def _check_scope(event_type: str, behaviour: Behaviour) -> None:
    """Refuse types that the key may not read; it never has more than these two."""
    missing = behaviour.workspace_missing_scope
    if event_type not in TYPES or missing in (event_type, "both"):
        scope = f"chatgpt.enterprise.compliance_logs_platform.{event_type.lower()}.read"
        message = (
            "You have insufficient permissions for this operation. "
            f"Missing scopes: {scope}."
        )
        raise RefusedError(error(403, message))


def _moment(query: Query, name: str) -> Decimal | None:
    text = query.one(name)
    try:
        return None if text is None else moment(text)
    except ValueError as problem:
        message = f"Invalid '{name}': {problem}."
        raise RefusedError(invalid(name, message, "invalid_value")) from problem


def _limit(query: Query) -> int:
    limit = query.integer("limit")
    if limit is not None and limit > _MOST:  # a collector saw this status
        message = f"Invalid 'limit': at most {_MOST}, got {limit}."
        raise RefusedError(error(422, message, param="limit"))
    return query.limit(_MOST, _LEAST, _MOST)


def _missing(kind: str, name: str) -> RefusedError:
    return RefusedError(error(404, f"No {kind} found with id '{name}'."))
