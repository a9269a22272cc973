"""Tells a month of an invented company: ordinary life and, told to, an incident."""

from __future__ import annotations
