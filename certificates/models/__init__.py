"""The rows of the certificates app."""

from certificates.models.document import Certificate, CertificateMail
from certificates.models.layout import Asset, CertificateLayout

__all__ = ["Asset", "Certificate", "CertificateLayout", "CertificateMail"]
