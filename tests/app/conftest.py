"""Fixtures that several files here share."""

from __future__ import annotations

from tests.app.nursery import nursery

__all__ = ["nursery"]
