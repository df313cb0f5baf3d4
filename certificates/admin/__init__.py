"""Pages of schedules and their runs."""
