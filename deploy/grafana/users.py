"""Who uses it, and are they served? Tenants, their words, what came late, what failed, how HTTP answers."""

from deploy.grafana.panel import Dashboard, prom_series, prom_stat, sql_series, sql_stat, sql_table

USERS = Dashboard(
    "dragoman-users",
    "Dragoman: users",
    "now-7d",
    (
        sql_stat(
            "Tenants", "SELECT uniqExact(tenant) AS tenants FROM requests FINAL WHERE $__timeFilter(completed_at)"
        ),
        sql_stat(
            "Requests",
            "SELECT count() AS requests FROM requests FINAL WHERE $__timeFilter(completed_at) AND answer = 1",
        ),
        sql_stat(
            "Words that the memory knew",
            """SELECT sum(cached_words) / nullIf(sum(source_words), 0) AS share
FROM usage_events
WHERE $__timeFilter(at) AND kind = 'billed'""",
            "percentunit",
        ),
        prom_stat("Callers that wait", "sum(dragoman_http_result_waiters) + sum(dragoman_http_open_streams)"),
        sql_series(
            "Words an hour",
            """SELECT hour AS time, tenant, sum(source_words) AS words
FROM usage_hourly
WHERE $__timeFilter(hour) AND kind = 'billed'
GROUP BY time, tenant
ORDER BY time""",
        ),
        sql_series(
            "Requests a minute",
            """SELECT $__timeInterval(completed_at) AS time, tenant, count() AS requests
FROM requests FINAL
WHERE $__timeFilter(completed_at) AND answer = 1
GROUP BY time, tenant
ORDER BY time""",
        ),
        sql_table(
            "Promises kept",
            """SELECT tenant, priority, sum(requests) AS answers, sum(within_promise) / sum(requests) AS kept
FROM attainment
WHERE $__dateFilter(day)
GROUP BY tenant, priority
ORDER BY kept
LIMIT 100""",
        ),
        sql_table(
            "Late answers",
            """SELECT tenant, request_id, priority, status, total_seconds, queue_seconds, translate_seconds
FROM requests FINAL
WHERE $__timeFilter(completed_at) AND answer = 1 AND total_seconds > sla_seconds
ORDER BY total_seconds / sla_seconds DESC
LIMIT 50""",
        ),
        sql_table(
            "Not completed",
            """SELECT tenant, status, cause, count() AS requests
FROM requests FINAL
WHERE $__timeFilter(completed_at) AND status != 'COMPLETED'
GROUP BY tenant, status, cause
ORDER BY requests DESC
LIMIT 50""",
        ),
        sql_table(
            "Languages",
            """SELECT source_language, target_language, uniqExact(tenant) AS tenants, count() AS requests,
    sum(source_words) AS words
FROM requests FINAL
WHERE $__timeFilter(completed_at)
GROUP BY source_language, target_language
ORDER BY words DESC
LIMIT 50""",
        ),
        sql_table(
            "Orders that ended requests, changes of accounts",
            """SELECT at, actor, action, tenant, request_id, subject, cause
FROM audit FINAL
WHERE $__timeFilter(at)
ORDER BY at DESC
LIMIT 50""",
        ),
        prom_series(
            "HTTP answers a second",
            "sum by (status) (rate(dragoman_http_requests_total[$__rate_interval]))",
            "{{status}}",
        ),
        prom_series(
            "95 % of HTTP answers come within",
            "histogram_quantile(0.95, sum by (route, le) (rate(dragoman_http_seconds_bucket[$__rate_interval])))",
            "{{route}}",
            "s",
        ),
        prom_series(
            "Limited with 429",
            "sum by (limit) (rate(dragoman_http_limited_total[$__rate_interval])) or vector(0)",
            "{{limit}}",
        ),
    ),
)
