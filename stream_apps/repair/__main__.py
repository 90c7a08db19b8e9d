"""`python -m stream_apps.repair`."""

from stream_apps.repair.main import main

main()
