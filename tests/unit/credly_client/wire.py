"""An adapter in place of the network: no socket is opened."""

import io
import json
from collections.abc import Callable

import requests as http
from requests.adapters import BaseAdapter

from credly_client.client import CredlyClient

ORG = "5f1b0cb7-6d0a-4a7e-9d6c-3f0d5d0b8a10"
TOKEN = "a-very-secret-token"

Answering = Callable[[http.PreparedRequest], http.Response]


class Wire(BaseAdapter):
    """Stands where the network would be: records what is sent, answers as it is told."""

    def __init__(self, answer: Answering) -> None:
        super().__init__()
        self.answer = answer
        self.sent: list[http.PreparedRequest] = []
        self.timeouts: list[object] = []

    def send(self, request: http.PreparedRequest, *args: object, **kwargs: object) -> http.Response:
        assert not args
        self.sent.append(request)
        self.timeouts.append(kwargs["timeout"])
        response = self.answer(request)
        response.request = request
        return response

    def close(self) -> None:
        pass


def answered(
    document: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> http.Response:
    response = http.Response()
    response.status_code = status
    response.headers.update(headers or {})
    response.raw = io.BytesIO(json.dumps(document).encode())
    return response


def credly(
    answer: Answering, *, base_url: str = "https://api.credly.com/v1/"
) -> tuple[CredlyClient, Wire]:
    wire = Wire(answer)
    session = http.Session()
    session.mount("https://", wire)
    session.mount("http://", wire)
    made = CredlyClient(base_url=base_url, organization_id=ORG, token=TOKEN, session=session)
    return made, wire
