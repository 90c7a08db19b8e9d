-- A user for dashboards that ask a ClickHouse server: may read the books and do nothing else. Choose a password.
CREATE SETTINGS PROFILE IF NOT EXISTS dashboards SETTINGS
    readonly = 1, max_execution_time = 30, max_result_rows = 100000, max_memory_usage = 1000000000, max_threads = 2;
CREATE USER IF NOT EXISTS dashboards IDENTIFIED WITH sha256_password BY 'choose a password' SETTINGS PROFILE 'dashboards';
GRANT SELECT ON dragoman.usage_events TO dashboards;
GRANT SELECT ON dragoman.usage_hourly TO dashboards;
GRANT SELECT ON dragoman.durations_hourly TO dashboards;
GRANT SELECT ON dragoman.users_daily TO dashboards;
GRANT SELECT ON dragoman.requests TO dashboards;
GRANT SELECT ON dragoman.dead_letters TO dashboards;
GRANT SELECT ON dragoman.worker_intervals TO dashboards;
GRANT SELECT ON dragoman.scale_decisions TO dashboards;
GRANT SELECT ON dragoman.audit TO dashboards;
GRANT SELECT ON dragoman.price_list TO dashboards;
GRANT SELECT ON dragoman.word_prices TO dashboards;
GRANT SELECT ON dragoman.cost TO dashboards;
GRANT SELECT ON dragoman.billed TO dashboards;
GRANT SELECT ON dragoman.cost_by_day TO dashboards;
GRANT SELECT ON dragoman.cost_by_tag TO dashboards;
GRANT SELECT ON dragoman.machine_hours TO dashboards;
GRANT SELECT ON dragoman.cost_lines TO dashboards;
GRANT SELECT ON dragoman.attainment TO dashboards;
GRANT SELECT ON dragoman.memory_savings TO dashboards;
GRANT SELECT ON dragoman.margin TO dashboards;
GRANT SELECT ON dragoman.open_dead_letters TO dashboards;
GRANT SELECT ON dragoman.rollup_differences TO dashboards;
