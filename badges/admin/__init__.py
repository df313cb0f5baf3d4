"""The admin of badges: templates with requirements and penalties, penalties, progress; and of what
belongs to no app of ours: users, groups, periodic tasks.
"""

from badges.admin import decisions, others, penalties, progress, templates

__all__ = ["decisions", "others", "penalties", "progress", "templates"]
