"""A local Credly, standard library only: for tests, and for a demonstration without an account.

`messages` and `world` hold what comes in, goes out and is; `actions` are Credly's rules;
`api`, `control` and `page` are the three faces; `core` joins them; `server` is the HTTP around
it, `webhooks` and `storage` are its two threads. README.md one folder up is the manual.
"""

from credly_client.sandbox.core import Sandbox
from credly_client.sandbox.messages import Refusal
from credly_client.sandbox.server import Running, serve

__all__ = ["Refusal", "Running", "Sandbox", "serve"]
