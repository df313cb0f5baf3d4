"""The provider `pdf`: certificates that Laurel itself draws, keeps, withdraws and vouches for."""

from collections.abc import Sequence

from certificates import issuing, links
from certificates.delivery import files, withdrawal
from certificates.generators.base import Content, Undrawable
from certificates.models import Certificate
from credentials.models import Issuance
from credentials.providers.base import External, Permanent, Retryable

State = Issuance.State


class PdfProvider:
    def check(self) -> Sequence[str]:
        return ()

    def issue(self, issuance: Issuance) -> External:
        certificate = issuing.begin(issuance)
        if certificate.state == Certificate.State.ERASED:
            raise Permanent("The learner was retired.")
        try:
            printed, data = _drawn(issuance, certificate)
        except Undrawable as error:
            raise Permanent(str(error)) from error
        except Exception as error:  # generators are code of others
            raise Retryable(f"The certificate could not be drawn: {error}") from error
        try:
            done = issuing.make_available(certificate, printed=printed, data=data)
        except Exception as error:  # storages raise what the libraries below them raise
            raise Retryable(f"The certificate could not be stored: {error}") from error
        if not done:
            raise Permanent("The learner was retired.")
        return _external(certificate, state=State.AVAILABLE)

    def find(self, issuance: Issuance) -> External | None:
        certificate = Certificate.objects.filter(issuance=issuance).first()
        if certificate is None:
            return None
        if issuing.is_complete(certificate):
            return _external(certificate, state=State.AVAILABLE)
        if issuance.wanted == Issuance.Wanted.REVOKED:
            files.erase(certificate.verify_uuid)  # what an attempt may have left half done
        return None

    def revoke(self, issuance: Issuance) -> External:
        certificate = issuing.begin(issuance)
        withdrawal.withdraw(certificate)
        return _external(certificate, state=State.REVOKED)

    def is_paused(self, issuance: Issuance) -> bool:  # noqa: ARG002 -- there is no account
        return False


def _drawn(issuance: Issuance, certificate: Certificate) -> tuple[Content, bytes]:
    plan = issuing.plan_for(issuance.credential.template)
    printed = issuing.content_of(
        issuance, verify_uuid=certificate.verify_uuid, options=plan.options
    )
    return printed, issuing.draw(printed, plan=plan)


def _external(certificate: Certificate, *, state: str) -> External:
    """Its address is that of the page that vouches for it: it stays when the file is withdrawn."""
    return External(
        id=str(certificate.verify_uuid),
        state=state,
        url=links.verify_url(certificate.verify_uuid),
    )
