"""One living consumer per name and group.

Two of one name would read and acknowledge each other's pending messages. The name is held by a key
in Redis with a short life, renewed by a thread: a consumer that was killed loses it by itself, one
that is busy keeps it. It is advice, not a lock: effects are exactly-once in any case.
"""

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import redis
import structlog
from edx_event_bus_redis.internal.config import get_full_topic

log = structlog.get_logger(__name__)

_RENEW: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
"""
_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
_LOOK: Final = 0.1  # seconds between two looks while a name is held


class NameTakenError(Exception):
    """A living consumer has this name in this group. Give each a name of its own."""


class Lease:
    """`url`: of Redis; `seconds`: how long a killed consumer keeps its name."""

    def __init__(self, url: str, *, group: str, name: str, seconds: float) -> None:
        self._key = get_full_topic(f"laurel-consumer:{group}:{name}")
        self._milliseconds = max(int(seconds * 1000), 100)
        self._token = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(8)}"
        pool = redis.ConnectionPool.from_url(url)
        # In place of those in the address, which suit long blocking reads.
        pool.connection_kwargs |= {"socket_timeout": seconds, "socket_connect_timeout": seconds}
        self._client: Any = redis.Redis.from_pool(pool)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.lost_to: str | None = None  # somebody took the name while we could not renew it

    def take(self, *, stopping: Callable[[], bool]) -> bool:
        """Wait until the name is free or turns out to be in use; False when told to stop.

        Raises NameTakenError; redis.RedisError when Redis cannot be reached.
        """
        holder, left = None, 0
        while not stopping():
            if self._renew():
                self._start()
                return True
            now_holder, now_left = self._look()
            if now_holder is None:
                continue
            if holder == now_holder and now_left > left:
                raise NameTakenError(f"{now_holder.rpartition('/')[0]} has it and is alive")
            if holder != now_holder:
                log.warning("waiting for the name", held_by=now_holder, seconds=now_left / 1000)
            holder, left = now_holder, now_left
            time.sleep(_LOOK)
        return False

    def release(self) -> None:
        """Give the name back, as far as Redis can be reached."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        try:
            self._client.eval(_RELEASE, 1, self._key, self._token)
        except redis.RedisError:
            log.info("name not given back, it frees itself", key=self._key)
        finally:
            self._client.close()

    def _renew(self) -> bool:
        return bool(self._client.eval(_RENEW, 1, self._key, self._token, self._milliseconds))

    def _look(self) -> tuple[str | None, int]:
        holder, left = self._client.pipeline().get(self._key).pttl(self._key).execute()
        return (None, 0) if holder is None else (holder.decode(), left)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
            self._thread.start()

    def _keep(self) -> None:
        while not self._stop.wait(self._milliseconds / 3000):
            try:
                if not self._renew():
                    self.lost_to = self._look()[0] or "somebody"
                    return
            except redis.RedisError:
                continue  # the main loop notices too, and says so
