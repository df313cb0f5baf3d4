"""Who asks, and about whom."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from rest_framework.exceptions import NotFound, PermissionDenied

from credentials.models import Learner

Person = User | AbstractBaseUser | AnonymousUser


def may_see(user: User) -> bool:
    return may_decide(user) or user.has_perm("verified_names.view_verifiedname")


def may_decide(user: User) -> bool:
    """Staff. Decides also what others may be called."""
    return user.has_perm("verified_names.change_verifiedname")


def learner_asked_for(user: User, *, username: str, lms_user_id: int | None) -> Learner:
    """The learner that a request names; without a name the one who asks.

    Raises NotFound for somebody unknown, PermissionDenied for somebody else.

    Note [A user's learner]
        An account of this service is the learner with its username: accounts come from the
        platform's sign-on, which keeps the username. Where two learners carry one username (the
        former owner was renamed, and no event told so yet) nobody is let in by it: staff name
        the learner by LMS user id.
    """
    if lms_user_id is not None:
        found = Learner.objects.filter(lms_user_id=lms_user_id)
    else:
        found = Learner.objects.filter(username=username or user.get_username())
    learners = list(found[:2])
    if not learners:
        raise NotFound("No learner of this name is known.")
    is_own = [each.username for each in learners] == [user.get_username()]
    if not is_own and not may_see(user):
        raise PermissionDenied("These are the names of somebody else.")
    if len(learners) > 1:
        raise NotFound("More than one learner has this username: ask by lms_user_id.")
    if is_own and lms_user_id is not None and not may_see(user):
        return learner_asked_for(user, username="", lms_user_id=None)  # the username decides
    return learners[0]
