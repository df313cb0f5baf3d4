"""The page that vouches for a certificate, on a phone and for whoever listens to it."""

from datetime import date
from typing import Final
from uuid import UUID

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from certificates.models import Certificate
from credentials.models import BadgeTemplate, Issuance, Learner, UserCredential

KEY: Final = UUID("0d4a1b2c-0d4a-4d4a-8d4a-0d4a1b2c3d4e")
# Contrast of every text with what is behind it, as WCAG 2.2 reckons it; 4.5 is its level AA.
_CONTRAST: Final = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const color = parse(getComputedStyle(node).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const worst = [...document.querySelectorAll("body *")]
    .filter((node) => [...node.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .map((node) => {
      const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    });
  return Math.min(...worst);
}"""


@pytest.fixture
def certificate(transactional_db: None) -> Certificate:
    """Of ann, with texts that are hard to fit into a phone."""
    now = timezone.now()
    credential = UserCredential.objects.create(
        learner=Learner.objects.create(lms_user_id=11, username="ann", profile_time=now),
        template=BadgeTemplate.objects.create(name="x", description="Long " * 60 + "y" * 90),
        awarded_at=now,
    )
    issuance = Issuance.objects.create(credential=credential, provider="pdf", state="available")
    return Certificate.objects.create(
        issuance=issuance,
        verify_uuid=KEY,
        state="available",
        name="Ann " + "Wolfeschlegelsteinhausenbergerdorff" * 2,
        context_name="Donaudampfschifffahrtsgesellschaftskapitänsprüfung " * 2,
        issuer="Acme Academy",
        awarded_on=date(2026, 3, 1),
        drawn_at=now,
    )


@pytest.mark.parametrize("revoked", [False, True])
def test_it_fits_a_phone_and_can_be_read(
    page: Page, live_server: LiveServer, certificate: Certificate, revoked: bool
) -> None:
    if revoked:
        UserCredential.objects.update(
            status="revoked",
            live=None,
            revoked_at=timezone.now(),
            revocation_reason="Handed in the report of somebody else.",
        )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": 320, "height": 640})
    address = f"{live_server.url}/verify/{KEY}/"
    page.goto(f"{address}?lang=de")

    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.evaluate(_CONTRAST) >= 4.5
    assert page.evaluate("document.documentElement.lang") == "de"
    assert {url for url in asked if not url.endswith("favicon.ico")} == {f"{address}?lang=de"}
    expect(page.get_by_role("main").get_by_role("heading", level=1)).to_have_text(certificate.name)
    said = "Dieses Zertifikat wurde widerrufen" if revoked else "Dieses Zertifikat ist gültig"
    expect(page.get_by_role("status")).to_have_text(said)
    expect(page.get_by_role("link", name="Zertifikat öffnen (PDF)")).to_have_count(
        0 if revoked else 1
    )
    page.get_by_role("navigation", name="Sprache").get_by_role("link", name="Español").click()
    expect(page.get_by_text("Otorgado el")).to_be_visible()
    assert page.context.cookies() == []
