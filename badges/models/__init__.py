"""The rows of the badges app: what must be met, and what a learner has met of it."""

from badges.models.progress import BadgeProgress, Fulfillment
from badges.models.requirement import (
    BadgePenalty,
    BadgeRequirement,
    DataRule,
    PenaltyDataRule,
    RequirementGroup,
)

__all__ = [
    "BadgePenalty",
    "BadgeProgress",
    "BadgeRequirement",
    "DataRule",
    "Fulfillment",
    "PenaltyDataRule",
    "RequirementGroup",
]
