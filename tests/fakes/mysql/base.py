"""MariaDB as if it were MySQL: it returns nothing from an INSERT, and has no type for UUIDs.

Only MariaDB is in Debian. What Laurel does differently on MySQL is tried with this backend
(`./dev test --mariadb`): everything that Django decides by these answers.
"""

from django.db.backends.mysql import features

from credentials.mysql import base


class DatabaseFeatures(features.DatabaseFeatures):
    can_return_columns_from_insert = False
    can_return_rows_from_bulk_insert = False
    has_native_uuid_field = False


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures
