"""manage.py run_schedules: run schedules now, in this process."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from certificates import runs
from certificates.models import EligibilitySchedule, ScheduleRun

Kind = ScheduleRun.Kind


class Command(BaseCommand):
    help = "Run schedules now, in this process, whether they are switched on or not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", nargs="*", type=int, help="of schedules; all without any")
        parser.add_argument(
            "--who", action="store_true", help="only say who would get it; changes nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        rows = EligibilitySchedule.objects.select_related("type")
        chosen = rows.filter(pk__in=options["id"]) if options["id"] else rows
        found = list(chosen.order_by("pk"))
        unknown = set(options["id"]) - {each.pk for each in found}
        if unknown:
            raise CommandError(f"No schedule has the id {', '.join(map(str, sorted(unknown)))}.")
        failed = [each for each in found if not self._run(each, who=options["who"])]
        if failed:
            raise CommandError(f"{len(failed)} of {len(found)} runs failed.")

    def _run(self, schedule: EligibilitySchedule, *, who: bool) -> bool:
        kind = Kind.REHEARSAL if who else Kind.RUN
        asked = runs.request(schedule, kind=kind, now=timezone.now(), queued=False)
        if not runs.work(asked.pk, clock=timezone.now):
            self.stdout.write(f"{schedule.pk} {schedule}: a worker is at it already")
            return False
        done = ScheduleRun.objects.get(pk=asked.pk)
        counts = f"{done.evaluated} evaluated, {done.eligible} eligible, {done.awarded} "
        counts += "would be awarded" if who else "awarded"
        counts += f", {done.skipped} known already, {done.failed} not judged"
        reason = f" ({done.error})" if done.error else ""
        self.stdout.write(f"{schedule.pk} {schedule}: {done.state}, {counts}{reason}")
        for each in done.findings.all():
            what = each.reason or str(each.get_kind_display()).lower()
            self.stdout.write(f"  {each}: {what}")
        return done.state != ScheduleRun.State.FAILED
