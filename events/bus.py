"""The producer of public events. The stock one swallows every error; this one raises, so that
whoever sends knows whether the event is on the bus.
"""

from typing import Any

from django.conf import settings
from edx_event_bus_redis.internal.config import get_full_topic, load_common_settings
from edx_event_bus_redis.internal.message import RedisMessage
from edx_event_bus_redis.internal.producer import RedisEventProducer
from openedx_events.event_bus.avro.serializer import serialize_event_data_to_bytes
from openedx_events.tooling import EventsMetadata, OpenEdxPublicSignal
from walrus import Database


class RaisingRedisProducer(RedisEventProducer):
    """Writes the same messages as edx_event_bus_redis; errors reach the caller."""

    def send(
        self,
        *,
        signal: OpenEdxPublicSignal,
        topic: str,
        event_key_field: str,  # noqa: ARG002 -- the bus's interface; Redis has no keys
        event_data: dict[str, Any],
        event_metadata: EventsMetadata,
    ) -> None:
        """Raises redis.RedisError when the bus cannot be reached, TypeError or ValueError when
        the event does not serialise.
        """
        full_topic = get_full_topic(topic)
        message = RedisMessage(
            topic=full_topic,
            event_data=serialize_event_data_to_bytes(event_data, signal),
            event_metadata=event_metadata,
        )
        self.client.Stream(full_topic).add(
            message.to_binary_dict(),
            maxlen=settings.EVENT_BUS_REDIS_STREAM_MAX_LEN,
            approximate=True,
        )


def create_producer() -> RaisingRedisProducer | None:
    """For the setting EVENT_BUS_PRODUCER."""
    common = load_common_settings()
    if not common:
        return None
    return RaisingRedisProducer(Database.from_url(common["url"]))
