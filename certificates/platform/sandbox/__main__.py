"""`python -m certificates.platform.sandbox`: the sandbox without Django, there in a moment."""

from certificates.platform.sandbox.command import main

raise SystemExit(main())
