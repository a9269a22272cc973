"""Invents an organization: its people and things, and the events they leave behind."""

from __future__ import annotations
