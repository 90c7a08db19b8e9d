"""`python -m stream_apps.status`."""

from stream_apps.status.main import main

main()
