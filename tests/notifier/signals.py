from service_signals import ServiceSignal

notification_sent = ServiceSignal("notification_sent", provides={"notification_id": int})
