"""`python -m stream_apps.assembly`."""

from stream_apps.assembly.main import main

main()
