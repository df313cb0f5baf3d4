"""As tests/faults/test_servers_go_away.py has it for PostgreSQL."""

from contextlib import closing
from functools import partial

from tests.faults.mariadb import connect, lock_learners, waits_for_a_lock
from tests.faults.place import Place, wait_for
from tests.faults.proxy import Point, Proxy
from tests.faults.test_servers_go_away import NO_DATABASE, wait_for_complaints
from tests.mariadb import MariaDBServer


def test_mariadb_is_stopped_and_crashes(place: Place, mariadb: MariaDBServer) -> None:
    place.publish()
    with Proxy(place.redis.port) as proxy:
        consumer = place.consumer(env={"REDIS_URL": proxy.url})
        proxy.arm(Point.DELIVERED, passes=20, action=mariadb.stop)
        wait_for_complaints(place, consumer, 1, NO_DATABASE)
        wait_for(consumer, lambda: not proxy.is_armed, what="the end of MariaDB")

        mariadb.start()
        # The crash finds it in a transaction, waiting for a lock that we hold.
        with closing(connect(place.database_url)) as ours:
            ours.autocommit(False)
            proxy.arm(Point.DELIVERED, passes=20, action=partial(lock_learners, ours))
            # Ours may have to wait for the batch before: that wait is not the one meant.
            wait_for(consumer, lambda: not proxy.is_armed, what="our lock")
            with closing(connect(mariadb.url)) as watching:
                wait_for(consumer, partial(waits_for_a_lock, watching), what="its lock")
            mariadb.kill()
        wait_for_complaints(place, consumer, 2, NO_DATABASE)

        mariadb.start()
        place.wait_until_all_is_read(consumer)
    place.check()
