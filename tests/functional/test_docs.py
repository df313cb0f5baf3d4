"""What the documents say is true: samples work, outcomes come, commands, variables and links exist.

The samples are taken from the documents themselves; nothing of them is repeated here.
"""

import io
import json
import re
import shlex
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Final
from urllib.request import urlopen

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command, get_commands, load_command_class
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from badges.admin import choices
from badges.rules.operators import operators_for
from badges.rules.paths import Kind
from credentials.models import BadgeTemplate, CredlyOrganization
from credly_client.sandbox import Running, Sandbox, serve
from tests.functional.conftest import Service
from tests.servers import ROOT

BADGES: Final = ROOT / "docs" / "badges"
QUICKSTART: Final = BADGES / "quickstart.md"
SKIPPED: Final = {".venv", "var", "node_modules"}
DOCUMENTS: Final = sorted(
    path for path in ROOT.rglob("*.md") if SKIPPED.isdisjoint(path.relative_to(ROOT).parts)
)

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """From the heading, given without its number signs, to the next one of the same depth."""
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert found, heading
    rest = text[found.end() :]
    following = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


def rows(text: str) -> list[list[str]]:
    """The cells of every table, without heads and rulers."""
    tables = re.findall(r"^\|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    lines = [line for table in tables for line in table.splitlines()]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def commands(text: str, program: str) -> list[list[str]]:
    """The shell lines that start with `program`, continued ones joined."""
    joined = text.replace("\\\n", " ")
    return [shlex.split(line) for line in joined.splitlines() if line.startswith(program + " ")]


def saved(name: str) -> str:
    """The block that the quickstart tells to save under this name."""
    text = text_of(QUICKSTART)
    found = _BLOCK.search(text, text.index(f"as `{name}`:"))
    assert found
    return found[2]


def yaml_samples() -> dict[str, str]:
    return {
        f"{path.name}-{number}": found[2]
        for path in DOCUMENTS
        for number, found in enumerate(_BLOCK.finditer(text_of(path)))
        if found[1] == "yaml" and "templates:" in found[2]
    }


class TestQuickstart:
    """The story of the quickstart with its own files, against the local Credly it sets up."""

    exports: Final = dict(re.findall(r"^export (\w+)=(.*)$", text_of(QUICKSTART), re.MULTILINE))

    @pytest.fixture
    def sandbox(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
        monkeypatch.setenv("ACME_CREDLY_KEY", self.exports["ACME_CREDLY_KEY"])
        settings.CREDLY_WEBHOOK_SECRET = self.exports["CREDLY_WEBHOOK_SECRET"]
        with serve(Sandbox(None)) as running:
            settings.CREDLY_API_BASE_URL = running.api_url
            for _, address, *pairs in commands(text_of(QUICKSTART), "curl"):
                body = dict(pair.split("=", 1) for pair in pairs[1::2])
                if webhook := body.pop("webhook_url", None):
                    assert webhook.endswith(self.webhook)
                running.sandbox.control(address.partition("/sandbox/")[2], body)
            yield running

    @property
    def webhook(self) -> str:
        return reverse("credly-webhook", args=[self.exports["CREDLY_WEBHOOK_SECRET"]])

    def test_addresses_fit(self) -> None:
        assert self.exports["CREDLY_API_BASE_URL"] == "http://127.0.0.1:8090/v1/"
        lines = commands(text_of(QUICKSTART), "curl")
        assert {line[1].partition("/")[0] for line in lines} == {"127.0.0.1:8090"}

    def test_a_badge_by_commands(self, service: Service, sandbox: Running) -> None:
        file = service.folder / "badges.yaml"
        file.write_text(saved("badges.yaml"))
        output = io.StringIO()
        call_command("badges_import", str(file), "--dry-run", stdout=output)
        assert not BadgeTemplate.objects.exists()
        call_command("badges_import", str(file), stdout=output)
        (plan,) = [block for kind, block in _BLOCK.findall(text_of(QUICKSTART)) if kind == "text"]
        assert output.getvalue().count(plan) == 2

        passed = saved("passed.jsonl")
        self.publish(service, passed)
        found = [self.state(service)]
        badge = sandbox.sandbox.control("state", {}, method="GET")["badges"][0]
        assert badge["state"] == "pending"
        sandbox.sandbox.control(f"badges/{badge['id']}/accept", {})
        self.call_back(sandbox)
        service.issue()
        found.append(self.state(service))
        self.publish(service, edited(passed, to="failed.jsonl"))
        found.append(self.state(service))

        expected = rows(section(text_of(QUICKSTART), "2. A badge of your own, by commands"))
        assert found == [tuple(cells[1:]) for cells in expected]
        again = json.loads(passed)
        again |= {"id": again["id"][:-4] + "0009", "time": "2026-03-03T10:00:00+00:00"}
        self.publish(service, json.dumps(again) + "\n")
        assert self.state(service) == ("true", "revoked", "revoked")

    def test_the_labels_of_the_admin(
        self, service: Service, sandbox: Running, client: Client
    ) -> None:
        """Every bold label of the quickstart stands on a page of the admin, or of the sandbox."""
        call_command("badges_import", self.file(service, "badges.yaml"), stdout=io.StringIO())
        self.publish(service, saved("passed.jsonl"))
        client.force_login(User.objects.create_superuser("admin", "admin@example.com", "x"))
        template, organization = BadgeTemplate.objects.get(), CredlyOrganization.objects.get()
        names = {
            "admin:credentials_badgetemplate_change": template.pk,
            "admin:credentials_credlyorganization_change": organization.pk,
        }
        pages = [client.get(reverse(n, args=[a])).content.decode() for n, a in names.items()]
        with urlopen(f"{sandbox.url}/") as page:  # noqa: S310 -- our own server
            pages.append(page.read().decode())
        words = readable(" ".join(pages))
        text = _BLOCK.sub("", text_of(QUICKSTART))
        labels = {
            part.strip()
            for label in re.findall(r"\*\*([^*]+)\*\*", text)
            for part in label.split("→")
        } - {"Admin", "Learner", "Schedule", "PDF", "Verify", "Mails", "Credly", "+"}
        assert labels
        assert not {label for label in labels if readable(label) not in words}

    def file(self, service: Service, name: str) -> str:
        path = service.folder / name
        path.write_text(saved(name))
        return str(path)

    def publish(self, service: Service, lines: str) -> None:
        service.publish([json.loads(line) for line in lines.splitlines()])
        service.consume()
        service.issue()

    def call_back(self, sandbox: Running) -> None:
        events = sandbox.sandbox.control("state", {}, method="GET")["events"]
        newest = max(events, key=lambda each: str(each["occurred_at"]))
        body = {key: newest[key] for key in ("id", "organization_id", "event_type")}
        assert Client().post(self.webhook, body, content_type="application/json").status_code == 200

    def state(self, service: Service) -> tuple[str, str, str]:
        badge = service.badge("ann", str(BadgeTemplate.objects.get().uuid))
        assert badge is not None
        (issuance,) = badge["credential"]["issuances"]
        return json.dumps(badge["complete"]), badge["credential"]["status"], issuance["state"]


def edited(text: str, *, to: str) -> str:
    """What the quickstart's `sed` line makes of it: plain replacements, once a line."""
    (line,) = [each for each in commands(text_of(QUICKSTART), "sed") if each[-1] == to]
    for command in line[1].split("; "):
        _, old, new, _ = command.split("/")
        assert old in text
        text = text.replace(old, new, 1)
    return text


def readable(html: str) -> str:
    """The words of a page, in small letters."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html))).lower()


@pytest.mark.django_db
@pytest.mark.parametrize("where", yaml_samples())
def test_import_samples_are_imported(where: str, tmp_path: Path) -> None:
    file = tmp_path / "sample.yaml"
    file.write_text(yaml_samples()[where])
    output = io.StringIO()
    call_command("badges_import", str(file), stdout=output)
    assert BadgeTemplate.objects.filter(is_active=True).exists()
    exported = io.StringIO()
    call_command("badges_export", stdout=exported)
    file.write_text(exported.getvalue())
    call_command("badges_import", str(file), stdout=output)
    assert "done: 0 created, 0 updated" in output.getvalue()


def test_commands_exist() -> None:
    named = {
        name
        for path in DOCUMENTS
        for name in re.findall(r"(?:\./dev manage|manage\.py) ([a-z_]+)", text_of(path))
    }
    assert len(named) > 5
    assert not named - set(get_commands())
    recipes = {name for path in DOCUMENTS for name in re.findall(r"\./dev ([a-z]+)", text_of(path))}
    script = text_of(ROOT / "dev")
    assert not {name for name in recipes if f"\ndef {name}(" not in script}


def test_options_exist() -> None:
    table = rows(section(text_of(BADGES / "settings.md"), "Commands"))
    assert len(table) > 5
    for cell, _ in table:
        name, *words = cell.strip("`").replace("[", "").replace("]", "").split()
        parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
        known = parser.format_help()
        assert not {word for word in words if word.startswith("-") and word not in known}, name


def test_environment_is_described() -> None:
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', text_of(ROOT / "settings.py")))
    table = rows(section(text_of(BADGES / "settings.md"), "Environment"))
    assert {cells[0].strip("`") for cells in table} == read


def test_metrics_are_described() -> None:
    text = text_of(ROOT / "consumer" / "exposition.py")
    counters = set(re.findall(r'CounterMetricFamily\(\s*"(laurel_[a-z_]+)"', text))
    made = set(re.findall(r'"(laurel_[a-z_]+)"', text)) - counters
    made |= {f"{name}_total" for name in counters}
    table = rows(section(text_of(BADGES / "operate.md"), "Metrics"))
    told = {name for cells in table for name in re.findall(r"`(laurel_[a-z_]+)`", cells[0])}
    assert told == made


def test_settings_are_settings() -> None:
    table = rows(section(text_of(BADGES / "settings.md"), "Where other parts are plugged in"))
    assert table
    assert not {cells[0] for cells in table if not hasattr(settings, cells[0].strip("`"))}


def test_operators_are_described() -> None:
    text = section(text_of(BADGES / "configuration.md"), "A requirement")
    told: dict[Kind, set[str]] = {}
    everywhere: set[str] = set()
    for cells in rows(text):
        if len(cells) > 2:
            continue
        kinds = [kind for kind in Kind if cells[0].startswith(kind.value) or kind.value in cells[0]]
        names = set(cells[1].strip("`").split())
        if cells[0].startswith("everything"):
            everywhere = names
        else:
            told |= dict.fromkeys(kinds, names)
    told.setdefault(Kind.OBJECT, set())
    assert {kind: names | everywhere for kind, names in told.items()} == {
        kind: set(operators_for(kind)) for kind in Kind
    }
    labels = [cells for cells in rows(text) if len(cells) == 6]
    pairs = {(c[n].strip("`"), c[n + 1]) for c in labels for n in (0, 2, 4)}
    assert pairs == {(name, label) for name, label in choices.operators("", "") if name}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: str(each.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    broken = []
    for link in _LINK.findall(_CODE.sub("", text_of(document))):
        name, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", name):
            continue
        target = (document.parent / name) if name else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def anchors(document: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = _HEADING.findall(text_of(document))
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
