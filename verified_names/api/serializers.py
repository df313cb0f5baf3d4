"""What goes over the API."""

from typing import Any

from rest_framework import serializers

from credentials.models import Learner
from verified_names import wording
from verified_names.folding import Status
from verified_names.models import STATUSES, NameFact, VerifiedName


class WhoSerializer(serializers.Serializer[Any]):
    """Whom a request is about; without either, whoever asks."""

    username = serializers.CharField(required=False, default="", max_length=255)
    lms_user_id = serializers.IntegerField(required=False, default=None, allow_null=True)


class LearnerSerializer(serializers.ModelSerializer[Learner]):
    class Meta:
        model = Learner
        fields = ("lms_user_id", "username")


class NameSerializer(serializers.ModelSerializer[VerifiedName]):
    class Meta:
        model = VerifiedName
        fields = (
            "id",
            "verified_name",
            "profile_name",
            "source",
            "attempt",
            "status",
            "event_time",
            "approved_at",
            "valid_until",
        )


class ResolvedSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    source = serializers.CharField(  # type: ignore[assignment]  # the base class uses the name
        help_text="verified, profile or username"
    )


class NamesSerializer(serializers.Serializer[Any]):
    learner = LearnerSerializer()
    in_force = serializers.DictField(
        child=ResolvedSerializer(allow_null=True),
        help_text="The name to print by the name policy of a badge; null: it has to wait.",
    )
    use_verified_name = serializers.BooleanField(allow_null=True)
    names = NameSerializer(many=True)


class ProposalSerializer(WhoSerializer):
    """A new name. Only staff may say another status than pending."""

    verified_name = serializers.CharField(max_length=wording.MAX_LENGTH)
    status = serializers.ChoiceField(choices=STATUSES, default=Status.PENDING.value)

    def validate_verified_name(self, value: str) -> str:
        try:
            return wording.clean(value)
        except wording.NameRefusedError as error:
            raise serializers.ValidationError(f"This cannot be a name: {error}.") from None


class StatusSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=STATUSES)


class FactSerializer(serializers.ModelSerializer[NameFact]):
    class Meta:
        model = NameFact
        fields = (
            "event_id",
            "event_time",
            "received_at",
            "source",
            "attempt",
            "status",
            "name",
            "refused",
            "outcome",
            "by",
        )


class ChoiceSerializer(serializers.Serializer[Any]):
    use_verified_name = serializers.BooleanField(
        allow_null=True, help_text="null: nothing was chosen, the badge decides."
    )


class ChoiceOfSomebodySerializer(WhoSerializer, ChoiceSerializer):
    pass
