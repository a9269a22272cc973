"""The lists of an organization: users, projects, keys, roles and what else it has."""

from __future__ import annotations
