"""A local learning platform, for the demo, for tests and for trying things out.

    with serve(World.from_document({...})) as running:
        settings.PLATFORM_API_BASE_URL = running.url

It answers the REST APIs that certificates.platform.api asks, and their OAuth2 token. Whatever the
client id and secret are, they are accepted, unless one of them is `wrong`.
"""

from certificates.platform.sandbox.core import Sandbox
from certificates.platform.sandbox.server import Running, serve
from certificates.platform.sandbox.world import World

__all__ = ["Running", "Sandbox", "World", "serve"]
