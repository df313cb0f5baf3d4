#!/usr/bin/env python
"""Django's command line for Laurel."""

import os
import sys

from django.core.management import execute_from_command_line
from environs import EnvError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    try:
        execute_from_command_line(sys.argv)
    except EnvError as error:
        sys.exit(f"An environment variable is not understood: {error}")
