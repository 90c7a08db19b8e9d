from inference_workers.main import main

main()
