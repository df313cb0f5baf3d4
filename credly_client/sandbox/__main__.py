"""`python -m credly_client.sandbox`."""

from credly_client.sandbox.command import main

raise SystemExit(main())
