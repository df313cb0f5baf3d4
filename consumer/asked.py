"""A command whose answer is fetched later: Redis works on it, and sends, while we do other things.

Note [No thread]
    The next batch is asked for before this one is worked on, and is there when this one is done.
    A thread that reads and decodes ahead was slower: it and the transaction want the same
    interpreter, and each change of turns costs as much as decoding ten events.
"""

from typing import Any


class Asked:
    """One command of a `redis.Redis`, on a connection of its own. Raises redis.RedisError when it
    cannot be sent.
    """

    def __init__(self, client: Any, *command: Any) -> None:
        self._client = client
        self._name = command[0]
        self._connection = client.connection_pool.get_connection()
        try:
            self._connection.send_command(*command)
        except BaseException:
            self.forget()
            raise

    def answer(self) -> Any:
        """As the client would have returned it, once. Raises redis.RedisError."""
        try:
            answer = self._client.parse_response(self._connection, self._name)
        except BaseException:
            self.forget()
            raise
        self._client.connection_pool.release(self._connection)
        return answer

    def forget(self) -> None:
        """Without its answer."""
        self._connection.disconnect()
        self._client.connection_pool.release(self._connection)
