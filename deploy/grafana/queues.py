"""What waits? Backlogs and their age, what is refused, what failed, and how far the books are behind."""

from deploy.grafana.panel import Dashboard, prom_series, prom_stat, sql_series, sql_table

QUEUES = Dashboard(
    "dragoman-queues",
    "Dragoman: queues",
    "now-6h",
    (
        prom_stat("Words that wait", "sum(dragoman_autoscaler_backlog_words)"),
        prom_stat("Age of the oldest batch", "max(dragoman_autoscaler_oldest_seconds)", "s"),
        prom_stat("Age of the first usage not in ClickHouse", "max(dragoman_sink_lag_seconds)", "s"),
        prom_stat("Oldest request without an answer", "max(dragoman_repair_oldest_open_seconds)", "s"),
        prom_series(
            "Words that wait, by priority", "sum by (priority) (dragoman_autoscaler_backlog_words)", "{{priority}}"
        ),
        prom_series(
            "Estimated wait for a worker",
            "max by (lane) (dragoman_http_estimated_wait_seconds)",
            "{{lane}}",
            "s",
        ),
        prom_series("Batches ahead of a new request", "max by (lane) (dragoman_http_backlog_records)", "{{lane}}"),
        prom_series(
            "Requests that intake reads",
            "sum by (outcome) (rate(dragoman_requests_total[$__rate_interval]))",
            "{{outcome}}",
        ),
        prom_series(
            "95 % of requests are cut within",
            "histogram_quantile(0.95, "
            "sum by (priority, le) (rate(dragoman_intake_seconds_bucket[$__rate_interval])))",
            "{{priority}}",
            "s",
        ),
        prom_series(
            "Refused with 503",
            "sum by (cause) (rate(dragoman_http_refusals_total[$__rate_interval])) or vector(0)",
            "{{cause}}",
        ),
        prom_series(
            "Dead letters in an hour",
            "sum by (stage, cause) (increase(dragoman_dead_letters_total[1h]))",
            "{{stage}} {{cause}}",
        ),
        prom_series("Requests without an answer", "sum by (fate) (dragoman_repair_open)", "{{fate}}"),
        prom_series(
            "Turns undone by a transient failure",
            "sum by (stage) (rate(dragoman_cycles_retried_total[$__rate_interval])) or vector(0)",
            "{{stage}}",
        ),
        sql_series(
            "Mean time in the queue",
            """SELECT $__timeInterval(completed_at) AS time, priority, avg(queue_seconds) AS seconds
FROM requests FINAL
WHERE $__timeFilter(completed_at) AND answer = 1
GROUP BY time, priority
ORDER BY time""",
            "s",
        ),
        sql_table(
            "Open dead letters",
            """SELECT stage, cause, tenant, count() AS letters, min(since) AS oldest
FROM open_dead_letters
GROUP BY stage, cause, tenant
ORDER BY letters DESC
LIMIT 50""",
        ),
    ),
)
