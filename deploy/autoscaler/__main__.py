from deploy.autoscaler.main import main

main()
