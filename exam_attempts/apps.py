from django.apps import AppConfig


class ExamAttemptsConfig(AppConfig):
    name = "exam_attempts"
    verbose_name = "Exam attempts"
