from connectors.clickhouse.main import main

main()
