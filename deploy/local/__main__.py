import sys

from deploy.local.main import main

sys.exit(main())
