"""An app that is there for its command: what Django calls after each test that commits."""
