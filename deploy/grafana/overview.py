"""Is it well? What is answered, how fast, how much, and what fires."""

from deploy.grafana.panel import Dashboard, alert_list, prom_series, prom_stat, sql_series, sql_stat

OVERVIEW = Dashboard(
    "dragoman-overview",
    "Dragoman: overview",
    "now-24h",
    (
        prom_stat("Processes that answer", 'sum(up{job="dragoman"})'),
        prom_stat("Answers a minute", "60 * sum(priority:dragoman_results:rate5m)"),
        prom_stat("Late answers of the last hour", "max(priority:dragoman_late:ratio_rate1h)", "percentunit"),
        sql_stat(
            "Words", "SELECT sum(source_words) AS words FROM requests FINAL WHERE $__timeFilter(completed_at)"
        ),
        alert_list("Alerts"),
        prom_series("Answers a second", "priority:dragoman_results:rate5m", "{{priority}}"),
        prom_series("95 % of answers come within", "priority:dragoman_result_seconds:p95_5m", "{{priority}}", "s"),
        prom_series("Words a second", "pair:dragoman_words_translated:rate5m", "{{pair}}"),
        prom_series(
            "Failed or expired",
            "priority:dragoman_results_failed:ratio_rate5m or 0 * priority:dragoman_results:rate5m",
            "{{priority}}",
            "percentunit",
        ),
        prom_series("Late answers", "priority:dragoman_late:ratio_rate30m", "{{priority}}", "percentunit"),
        sql_series(
            "Promises kept",
            """SELECT toDateTime(day) AS time, priority, sum(within_promise) / sum(requests) AS kept
FROM attainment
WHERE $__dateFilter(day)
GROUP BY time, priority
ORDER BY time""",
            "percentunit",
        ),
        sql_series(
            "Words an hour, by pair",
            """SELECT hour AS time, concat(source_language, '-', target_language) AS pair,
    sum(source_words) AS words
FROM usage_hourly
WHERE $__timeFilter(hour) AND kind = 'billed'
GROUP BY time, pair
ORDER BY time""",
        ),
    ),
)
