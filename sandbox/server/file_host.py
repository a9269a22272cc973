"""The host of a workspace's files: a signed URL opens one, and no key may come."""

from __future__ import annotations

import hmac
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from sandbox.server.http import RefusedError, Response

if TYPE_CHECKING:
    from sandbox.server.http import Query
    from sandbox.server.workspace_files import WorkspaceFiles

_PREFIX = "/files/"


class FileHost:
    """Serves files to those whom the API gave a signed URL."""

    def __init__(self, base: str, seed: int, files: WorkspaceFiles) -> None:
        """Take the files.

        Args:
            base: Scheme and authority of the host, without a slash at the end.
            seed: What the secret of the signatures is made of.
            files: What is served.
        """
        self._base = base
        self._secret = f"signs URLs {seed}".encode()
        self._files = files
        self._downloads: Counter[str] = Counter()

    def url(self, file_id: str, expires: float) -> str:
        """Return a signed URL of a file, valid until `expires`, Unix seconds."""
        until = f"{expires:.3f}"
        signature = self._signature(file_id, until)
        query = urlencode({"expires": until, "signature": signature})
        return f"{self._base}{_PREFIX}{file_id}?{query}"

    def answer(
        self, path: str, query: Query, now: float, *, with_key: bool
    ) -> Response:
        """Serve a file.

        Args:
            path: The request's path.
            query: The parameters.
            now: The API's clock, Unix seconds.
            with_key: Whether the request brings a key.

        Raises:
            RefusedError: It does, or the signature is wrong or has expired.
        """
        if with_key:
            raise _refused(
                400, "A signed URL and an Authorization header exclude each other."
            )
        file_id = path.removeprefix(_PREFIX)
        until = query.one("expires") or ""
        signature = query.one("signature") or ""
        if signature != self._signature(file_id, until):
            raise _refused(403, "The signature does not match.")
        if float(until) <= now:
            raise _refused(403, "The signed URL has expired.")
        file = self._files.find(file_id)
        if file is None:
            raise _refused(404, "There is no such file.")
        number = self._downloads[file_id]
        self._downloads[file_id] += 1
        content = file.downloaded(number)
        return Response(200, content, content_type="application/octet-stream")

    def _signature(self, file_id: str, until: str) -> str:
        signed = f"{file_id} {until}".encode()
        return hmac.new(self._secret, signed, "sha256").hexdigest()


def _refused(status: int, message: str) -> RefusedError:
    return RefusedError(Response(status, message.encode(), content_type="text/plain"))
