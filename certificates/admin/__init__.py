"""The admin of certificates: how they look, what they are drawn with, and how they fare."""

from certificates.admin import assets, documents, layouts

__all__ = ["assets", "documents", "layouts"]
