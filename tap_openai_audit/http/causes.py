"""Why requests fail: for each cause what it means, and what to do about it.

A sync that fails and a check use these sentences; docs/troubleshooting.md lists them.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS_PAGE = "https://platform.openai.com/settings/organization/admin-keys"
"""Where an organization owner makes an admin key."""

SCOPE = "api.audit_logs.read"

WORKSPACE_SCOPES = (
    "chatgpt.enterprise.compliance_logs_platform.audit_log.read",
    "chatgpt.enterprise.compliance_logs_platform.auth_log.read",
)
"""The least that a workspace's key needs. They cannot read conversations."""

LOGGING_PAGE = (
    "https://platform.openai.com/settings/organization/data-controls/data-retention"
)
"""Where an organization owner switches audit logging on."""


class Api(str, Enum):
    """Which of the two APIs a request was for. Each has a host and a key of its own."""

    ORGANIZATION = "organization"
    """The Admin API of an organization."""
    WORKSPACE = "workspace"
    """The Compliance Logs Platform of a ChatGPT workspace."""


class Cause(str, Enum):
    """Why a request failed."""

    WRONG_KEY = "wrong_key"
    PROJECT_KEY = "project_key"
    EXPIRED_KEY = "expired_key"
    MISSING_SCOPE = "missing_scope"
    WRONG_ORGANIZATION = "wrong_organization"
    NOT_ALLOWED = "not_allowed"
    NOT_FROM_HERE = "not_from_here"
    ACCOUNT = "account"
    LOGGING_OFF = "logging_off"
    BLOCKED = "blocked"
    BAD_REQUEST = "bad_request"
    TOO_LONG = "too_long"
    NOT_FOUND = "not_found"
    REFUSED_LIST = "refused_list"
    VANISHED_CURSOR = "vanished_cursor"
    NOT_THE_API = "not_the_api"
    REDIRECT = "redirect"
    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    BAD_BODY = "bad_body"
    BROKEN_PAGING = "broken_paging"
    TIMEOUT = "timeout"
    UNKNOWN_HOST = "unknown_host"
    PROXY = "proxy"
    TLS = "tls"
    TLS_HANDSHAKE = "tls_handshake"
    AUTHORITIES_FILE = "authorities_file"
    UNREACHABLE = "unreachable"
    BROKEN_FILE = "broken_file"
    EXPIRED_FILE = "expired_file"
    FILE_HOST = "file_host"


MEANING: Mapping[Cause, str] = {
    Cause.WRONG_KEY: (
        "the admin key is wrong or was revoked: check admin_key, or have an"
        f" organization owner make a new one at {KEYS_PAGE}"
    ),
    Cause.PROJECT_KEY: (
        "the key is not an admin key (sk-admin-...), and only those read audit logs: an"
        f" organization owner makes one at {KEYS_PAGE}"
    ),
    Cause.EXPIRED_KEY: (
        "the admin key has expired: an organization owner makes a new one at"
        f" {KEYS_PAGE}"
    ),
    Cause.MISSING_SCOPE: (
        f"the admin key lacks a permission: give it 'Audit Logs: Read' ({SCOPE}) and,"
        " for reference streams, read access to their objects, or make a new key that"
        f" has them, at {KEYS_PAGE}"
    ),
    Cause.WRONG_ORGANIZATION: (
        "the admin key belongs to another organization: set organization_id to the"
        " organization of the key, or use a key of this organization"
    ),
    Cause.NOT_ALLOWED: (
        "the admin key may not do this: check that an organization owner made it, and"
        f" that it has 'Audit Logs: Read' ({SCOPE}) at {KEYS_PAGE}"
    ),
    Cause.NOT_FROM_HERE: (
        "the API refuses the place that this machine sends from: have an organization"
        " owner add its public address to the organization's IP allowlist, or run in a"
        " country that OpenAI supports"
    ),
    Cause.ACCOUNT: (
        "the organization's account is not active or has no quota left: have an"
        " organization owner check billing and limits in the organization's settings"
    ),
    Cause.LOGGING_OFF: (
        "audit logging is off, and events are kept only from when it is on: an"
        f" organization owner switches it on at {LOGGING_PAGE}"
    ),
    Cause.BLOCKED: (
        "this is not the API's own answer: have the proxy, firewall or captive portal"
        " in between let requests to api_url through"
    ),
    Cause.BAD_REQUEST: (
        "the API does not accept the request: check the filters in the settings"
    ),
    Cause.TOO_LONG: (
        "the request is longer than the API, or a proxy in between, accepts: shorten"
        " the filters in the settings"
    ),
    Cause.NOT_FOUND: (
        "the API does not know this address: check api_url, which ends in /v1"
    ),
    Cause.REFUSED_LIST: (
        "the API lists an object and refuses what belongs to it: this list alone is"
        " asked for again in each run; if it stays refused, tell OpenAI's support the"
        " request id, or leave the object out with a filter in stream_maps"
    ),
    Cause.VANISHED_CURSOR: (
        "the event after which reading was to continue is gone, as when the API deletes"
        " old events: run again, the sync resumes behind the last complete window"
    ),
    Cause.NOT_THE_API: (
        "a server that is not the API answered: check api_url, and any proxy in between"
    ),
    Cause.REDIRECT: (
        "a redirect was refused, because it would send the admin key elsewhere: check"
        " api_url, and any proxy or captive portal in between"
    ),
    Cause.RATE_LIMIT: (
        "the API limits the rate of requests: lower concurrency, or run less often"
    ),
    Cause.SERVER_ERROR: "the API has a fault: run again later, the sync resumes",
    Cause.BAD_BODY: (
        "what came back is not what the API sends: check api_url, and any proxy in"
        " between; if neither is at fault run again later, the sync resumes"
    ),
    Cause.BROKEN_PAGING: (
        "the API broke a rule of its own paging, so nobody can know whether anything is"
        " missing: run again later, the sync resumes behind the last complete window"
    ),
    Cause.TIMEOUT: (
        "the API did not answer in time: run again later, the sync resumes; on a slow"
        " network raise request_timeout_seconds"
    ),
    Cause.UNKNOWN_HOST: (
        "the name of the API's host cannot be resolved: check api_url and the DNS of"
        " this machine, and set HTTPS_PROXY if only a proxy reaches the internet"
    ),
    Cause.PROXY: (
        "the proxy could not be used: check HTTPS_PROXY and NO_PROXY, and that the"
        " proxy lets the API's host through"
    ),
    Cause.TLS: (
        "the API's certificate could not be verified: if a proxy inspects TLS, set"
        " REQUESTS_CA_BUNDLE to a file with its certificate authority; if not, check"
        " api_url and this machine's clock"
    ),
    Cause.TLS_HANDSHAKE: (
        "no TLS connection could be made: check that api_url names a host and port that"
        " speak TLS, and any proxy or firewall in between"
    ),
    Cause.AUTHORITIES_FILE: (
        "without certificate authorities no certificate can be verified: correct the"
        " path or the file that REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE"
        " names"
    ),
    Cause.UNREACHABLE: (
        "the connection to the API failed: check api_url, the network and the firewall;"
        " when it was a passing fault run again, the sync resumes"
    ),
    Cause.BROKEN_FILE: (
        "nobody can tell what the file holds, so reading ends before it: run again"
        " later, the sync resumes there; if it stays so, tell OpenAI's support the file"
    ),
    Cause.EXPIRED_FILE: (
        "the API has deleted the file since it was listed, and its events with it: run"
        " more often than files expire"
    ),
    Cause.FILE_HOST: (
        "the host that keeps the API's files did not hand one out: let a proxy or"
        " firewall in between pass requests to it; if none is at fault run again later,"
        " the sync resumes"
    ),
}
"""What each cause means at the organization's API, or at both."""

_PORTAL = "in the workspace's Admin portal"
_SCOPES = " and ".join(WORKSPACE_SCOPES)

MEANING_AT_WORKSPACE: Mapping[Cause, str] = {
    Cause.WRONG_KEY: (
        "the workspace key is wrong or was revoked: check the setting key, or create a"
        f" new one {_PORTAL}"
    ),
    Cause.PROJECT_KEY: (
        "the key looks like one of the API platform (sk-...), and those do not open a"
        f" workspace's logs: make an admin key of the workspace {_PORTAL}"
    ),
    Cause.EXPIRED_KEY: f"the workspace key has expired: make a new one {_PORTAL}",
    Cause.MISSING_SCOPE: (
        f"the workspace key lacks a permission: give it {_SCOPES}, or make a new key"
        f" that has them, {_PORTAL}"
    ),
    Cause.WRONG_ORGANIZATION: (
        "the workspace key belongs to another workspace: set workspace_id to the"
        " workspace of the key, or use a key of this workspace"
    ),
    Cause.NOT_ALLOWED: (
        f"the workspace key may not do this: check {_PORTAL} that it has {_SCOPES}, and"
        " that the workspace is of a plan with this API: Enterprise, Edu or Healthcare"
    ),
    Cause.NOT_FROM_HERE: (
        "the API refuses the place that this machine sends from: add its public address"
        " to the workspace's IP allowlist, or run in a country that OpenAI supports"
    ),
    Cause.BAD_REQUEST: (
        "the API does not accept the request: check workspace_id, start_date and"
        " end_date"
    ),
    Cause.NOT_FOUND: (
        "the API does not know this workspace, or not to this key: check workspace_id,"
        " that the key is of the same workspace, that its plan has this API"
        " (Enterprise, Edu or Healthcare), and api_url, which ends in /v1"
    ),
    Cause.REDIRECT: (
        "a redirect was refused, because it leads elsewhere than to one file over"
        " https: check api_url, and any proxy or captive portal in between"
    ),
    Cause.RATE_LIMIT: (
        "the API limits the rate of requests: run less often, and let no other program"
        " use the same key"
    ),
    Cause.BROKEN_PAGING: (
        "the API broke a rule of its own paging, so nobody can know whether a file is"
        " missing: run again later, the sync resumes behind the last file that is done"
    ),
}
"""What some causes mean at a workspace's API, where that is something else."""


def meaning(cause: Cause, api: Api = Api.ORGANIZATION) -> str:
    """Return what a cause means, and what to do about it."""
    if api is Api.ORGANIZATION:
        return MEANING[cause]
    return MEANING_AT_WORKSPACE.get(cause) or MEANING[cause]
