"""`who_is_eligible`: asks a retriever and prints what it says. Nobody is changed."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from certificates.retrievers.asking import evaluate
from certificates.retrievers.base import RetrievalError


class Command(BaseCommand):
    help = "Ask a retriever who is eligible, and print it, a line of JSON for each learner."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("retriever", help="its slug: completions, grades, ...")
        parser.add_argument("context", help="the key of a course, of a block, or of a path")
        parser.add_argument("--options", default="{}", help="its options, as JSON")
        parser.add_argument("--learner", type=int, help="LMS id of one learner; default: everybody")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            for each in evaluate(
                options["retriever"],
                context_key=options["context"],
                options=_options(options["options"]),
                learner=options["learner"],
            ):
                line = {
                    "lms_user_id": each.lms_user_id,
                    "username": each.username,
                    "is_eligible": each.is_eligible,
                    "details": dict(each.details),
                    **({"fault": each.fault} if each.fault else {}),
                }
                self.stdout.write(json.dumps(line, ensure_ascii=False))
        except RetrievalError as error:
            raise CommandError(str(error)) from error


def _options(text: str) -> dict[str, Any]:
    try:
        options = json.loads(text)
    except ValueError as error:
        raise CommandError(f"--options is no JSON: {error}") from error
    if not isinstance(options, dict):
        raise CommandError("--options is no JSON object")
    return options
