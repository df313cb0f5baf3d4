"""Credly's web service, as a library. Knows nothing of Django and of this service.

Start with `credly_client.client.CredlyClient`; README.md beside this file is the manual.
This file imports nothing, so that the sandbox starts with the standard library alone.
"""
