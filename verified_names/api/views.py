"""The REST API of names: a learner reads and proposes the own name, staff decide."""

from datetime import datetime, timedelta
from typing import Any, Final, cast

from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied, Throttled, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from credentials.models import BadgeTemplate, Learner
from verified_names import by_hand
from verified_names.api import serializers
from verified_names.api.people import learner_asked_for, may_decide
from verified_names.folding import Status
from verified_names.models import NameFact, VerifiedName, VerifiedNameConfig
from verified_names.resolver import choose, known_of

_PROPOSALS_A_DAY: Final = 10
_DAY: Final = timedelta(days=1)


class _NamesView(APIView):
    def user(self) -> User:
        return cast("User", self.request.user)  # the permission lets nobody else in

    def learner(self, fields: dict[str, Any]) -> Learner:
        return learner_asked_for(
            self.user(), username=fields["username"], lms_user_id=fields["lms_user_id"]
        )

    def asked_for(self) -> Learner:
        who = serializers.WhoSerializer(data=self.request.query_params)
        who.is_valid(raise_exception=True)
        return self.learner(who.validated_data)


class NamesView(_NamesView):
    @extend_schema(
        operation_id="names_read",
        parameters=[serializers.WhoSerializer],
        responses=serializers.NamesSerializer,
    )
    def get(self, _request: Request) -> Response:
        """The names of a learner, and which of them is in force."""
        return Response(_names(self.asked_for(), now=timezone.now()))

    @extend_schema(
        operation_id="names_propose",
        request=serializers.ProposalSerializer,
        responses={201: serializers.NamesSerializer},
    )
    def post(self, request: Request) -> Response:
        """Propose a name. It is pending until staff decide; staff may say the status at once."""
        form = serializers.ProposalSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        fields, now = form.validated_data, timezone.now()
        learner = self.learner(fields)
        status = Status(fields["status"])
        if may_decide(self.user()):
            by = self.user().get_username()
            by_hand.add(learner, name=fields["verified_name"], status=status, by=by, now=now)
        elif status is not Status.PENDING:
            raise PermissionDenied("Only staff decide about a name; a proposal is pending.")
        elif learner.username != self.user().get_username():
            raise PermissionDenied("Only staff propose a name for somebody else.")
        else:
            _refuse_flood(learner, now=now)
            by_hand.propose(learner, name=fields["verified_name"], now=now)
        return Response(_names(learner, now=now), status=201)


class NameView(_NamesView):
    @extend_schema(
        operation_id="names_decide",
        request=serializers.StatusSerializer,
        responses=serializers.NameSerializer,
    )
    def patch(self, request: Request, name_id: int) -> Response:
        """Staff set the status of a name."""
        form = serializers.StatusSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        if not may_decide(self.user()):
            raise PermissionDenied("Only staff decide about a name.")
        row = get_object_or_404(VerifiedName, pk=name_id)
        attempt = VerifiedName.objects.filter(
            learner_id=row.learner_id, source=row.source, attempt=row.attempt
        )
        if attempt.filter(number__gt=row.number).exists():
            raise ValidationError("This exam was sat anew: decide about the newer name.")
        status = Status(form.validated_data["status"])
        by = self.user().get_username()
        by_hand.decide(row, status=status, by=by, now=timezone.now())
        row.refresh_from_db()
        return Response(serializers.NameSerializer(row).data)


class HistoryView(_NamesView):
    @extend_schema(
        operation_id="names_history",
        parameters=[serializers.WhoSerializer],
        responses=serializers.FactSerializer(many=True),
    )
    def get(self, _request: Request) -> Response:
        """Everything that was said of a learner's names, in the order of its own times."""
        facts = NameFact.objects.filter(learner=self.asked_for())
        return Response(serializers.FactSerializer(facts, many=True).data)


class ChoiceView(_NamesView):
    @extend_schema(
        operation_id="names_choice_read",
        parameters=[serializers.WhoSerializer],
        responses=serializers.ChoiceSerializer,
    )
    def get(self, _request: Request) -> Response:
        """Does the learner want the verified name?"""
        return Response({"use_verified_name": _choice(self.asked_for())})

    @extend_schema(
        operation_id="names_choose",
        request=serializers.ChoiceOfSomebodySerializer,
        responses=serializers.ChoiceSerializer,
    )
    def put(self, request: Request) -> Response:
        """Opt in, opt out, or (null) leave it to the badge."""
        form = serializers.ChoiceOfSomebodySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        learner = self.learner(form.validated_data)
        if learner.username != self.user().get_username() and not may_decide(self.user()):
            raise PermissionDenied("Only staff choose for somebody else.")
        chosen = form.validated_data["use_verified_name"]
        by_hand.choose(learner, use_verified_name=chosen, now=timezone.now())
        return Response({"use_verified_name": chosen})


def _names(learner: Learner, *, now: datetime) -> Any:
    known = known_of([learner])[learner.pk]
    return serializers.NamesSerializer(
        {
            "learner": learner,
            "in_force": {
                policy: choose(known, policy=policy, now=now)
                for policy in BadgeTemplate.NamePolicy.values
            },
            "use_verified_name": known.choice,
            "names": VerifiedName.objects.filter(learner=learner),
        }
    ).data


def _choice(learner: Learner) -> bool | None:
    rows = VerifiedNameConfig.objects.filter(learner=learner)
    return rows.values_list("use_verified_name", flat=True).first()


def _refuse_flood(learner: Learner, *, now: datetime) -> None:
    """Names are folded from everything ever said: that must not grow at somebody's will."""
    recent = NameFact.objects.filter(
        learner=learner, source=by_hand.LEARNER, received_at__gt=now - _DAY
    )
    if recent.count() >= _PROPOSALS_A_DAY:
        raise Throttled(wait=_DAY.total_seconds())
