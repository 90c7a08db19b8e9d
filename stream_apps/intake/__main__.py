from stream_apps.intake.main import main

main()
