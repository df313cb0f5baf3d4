"""Credly, by its Web Service API (https://www.credly.com/docs)."""

from credentials.providers.credly.provider import CredlyProvider

__all__ = ["CredlyProvider"]
