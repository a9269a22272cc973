"""Serves the API of an invented organization, its failures included."""

from __future__ import annotations
