"""docs/badges/certificates.md, tried word for word: files, settings, commands, tables, options."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest
from pypdf import PdfReader

from certificates.pdf import layout, typefaces
from certificates.verify.languages import LANGUAGES
from tests.servers import PYTHON, ROOT, RedisServer
from tests.unit.certificates.pdf.pictures import EVERYTHING

DOCS: Final = ROOT / "docs/badges"
TEXT: Final = (DOCS / "certificates.md").read_text(encoding="utf-8")
_FILE: Final = re.compile(r"as `([\w./]+)`[^\n]*:\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture
def where(tmp_path: Path) -> Path:
    """The folder that stands beside `manage.py` here: what the page says to save is in it."""
    files = dict(_FILE.findall(TEXT))
    assert set(files) == {"certificate.yaml", "passed.jsonl", "plain.py", "our_settings.py"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


# Several commands in one process: starting Django takes longer than most of them.
_RUN: Final = """
import json, os, sys
from django.core.management import execute_from_command_line
for command in json.load(sys.stdin):
    try:
        execute_from_command_line(["manage.py", *command])
    except SystemExit as end:
        if end.code:
            raise
"""


def manage(
    where: Path, redis: RedisServer, *commands: Sequence[str], settings: str = "settings"
) -> str:
    """The output of all of them."""
    known = {each.name: str(each) for each in where.iterdir()}
    words = [[known.get(word, word) for word in command] for command in commands]
    done = subprocess.run(
        [PYTHON, "-c", _RUN],
        input=json.dumps(words),
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": settings,
            "PYTHONPATH": os.pathsep.join([str(where), str(ROOT)]),
            "DATABASE_URL": f"sqlite:///{where / 'laurel.sqlite3'}",
            "STORAGE_URL": f"file://{where / 'files'}",
            "REDIS_URL": redis.url,
            "EVENT_BUS_TOPIC_PREFIX": "certificates-doc",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def commands(part: str) -> list[list[str]]:
    section = TEXT.partition(f"## {part}\n")[2].partition("\n## ")[0]
    return [line.split() for line in re.findall(r"^\./dev manage (.*)$", section, re.MULTILINE)]


def test_a_first_certificate_and_a_generator(
    where: Path, redis: RedisServer, migrated: Path
) -> None:
    shutil.copy(migrated, where / "laurel.sqlite3")
    *told, ask = commands("From nothing to a first certificate")
    consume = ["consume_events", "-t", "learning-badges-lifecycle", "-g", "laurel"]
    until_idle = ["--extra", '{"consumer_name": "c1", "until_idle": true}']
    output = manage(where, redis, *told, [*consume, *until_idle], ["issue_due"], ask)
    (learner,) = json.loads(output[output.index("{\n") :])["learners"]
    (issuance,) = learner["templates"][0]["credential"]["issuances"]
    assert issuance["state"] == "available"
    key = issuance["external_id"]
    file = where / "files/certificates/public" / f"{key}.pdf"
    text = PdfReader(file).pages[0].extract_text()
    for part in (
        "Ann Lee",
        "Data Starter",
        "March 1, 2026",
        f"http://localhost:8000/verify/{key}/",
    ):
        assert part in text

    (ours,) = re.findall(r"^export DJANGO_SETTINGS_MODULE=(.*)$", TEXT, re.MULTILINE)
    (check,) = commands("A generator of your own")
    manage(where, redis, check, ["shell", "-c", _USE_PLAIN], ["issue_due"], settings=ours)
    text = PdfReader(file).pages[0].extract_text()
    assert text.split("\n") == ["Ann Lee", "Data Starter, 2026-03-01", key]


# What a person does in the admin: save the layout, press "Draw anew".
_USE_PLAIN: Final = """
from django.utils import timezone
from certificates.admin.layouts import LayoutForm
from certificates.models import Certificate, CertificateLayout
from certificates.reissue import reissue
from credentials.models import BadgeTemplate
from django.forms import modelform_factory

form = modelform_factory(CertificateLayout, form=LayoutForm, fields="__all__")(
    {"template": BadgeTemplate.objects.get().pk, "generator": "plain", "options": '{"size": 20}',
     "in_use": True}
)
assert form.is_valid(), form.errors
form.save()
assert reissue(Certificate.objects.all(), now=timezone.now()) == (1, 0)
"""


def rows(first: str) -> set[str]:
    """The names in the first column of the table whose heading begins so."""
    table = TEXT.partition(f"| {first} |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    return set(re.findall(r"`(\w+)`", " ".join(cells)))


def test_every_option_is_described() -> None:
    schema: Any = layout.SCHEMA
    assert rows("option") == set(schema["properties"])
    element = schema["properties"]["elements"]["additionalProperties"]
    assert rows("field") == set(element["properties"])
    for name in (*layout.PLACEHOLDERS,):
        assert f"`{{{name}}}`" in TEXT
    for slug in typefaces.PACKAGED:
        assert f"`{slug}`" in TEXT
    assert set(LANGUAGES) == {"en", "de", "es"}  # "English, German and Spanish"


def test_the_picture_is_of_the_options() -> None:
    (shown,) = re.findall(r'^```json\n(\{\n  "template".*?)^```$', TEXT, re.DOTALL | re.MULTILINE)
    assert json.loads(shown) == EVERYTHING


def test_the_pictures_are_there() -> None:
    for name in re.findall(r"\]\((images/[\w-]+\.png)\)", TEXT):
        assert BytesIO((DOCS / name).read_bytes()).read(4) == b"\x89PNG"
