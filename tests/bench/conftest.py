"""Installations of the real command."""

from installing import install

__all__ = ["install"]
