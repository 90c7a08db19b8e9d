"""Who works? How many workers there are, how busy and how fast they are, and what fails in them."""

from deploy.grafana.panel import Dashboard, prom_series, prom_stat, sql_series, sql_table

WORKERS = Dashboard(
    "dragoman-workers",
    "Dragoman: workers",
    "now-6h",
    (
        prom_stat("Replicas that are ready", 'sum(dragoman_autoscaler_replicas{state="ready"})'),
        prom_stat("Words a second of a busy one", "avg(dragoman_engine_words_per_second > 0)"),
        prom_stat("Longest load of models", "max(dragoman_model_load_seconds)", "s"),
        prom_stat(
            "Failures of engines in an hour",
            "sum(increase(dragoman_engine_errors_total[1h])) + sum(increase(dragoman_out_of_memory_total[1h]))",
        ),
        prom_series("Replicas", "sum by (pool, state) (dragoman_autoscaler_replicas)", "{{pool}} {{state}}"),
        prom_series(
            "Share of time in the engine",
            "sum by (instance) (rate(dragoman_engine_busy_seconds_total[$__rate_interval]))",
            "{{instance}}",
            "percentunit",
        ),
        prom_series(
            "Words a second, by priority",
            "sum by (pool, priority) (rate(dragoman_words_translated_total[$__rate_interval]))",
            "{{pool}} {{priority}}",
        ),
        prom_series(
            "95 % of parts take",
            "histogram_quantile(0.95, sum by (pool, le) (rate(dragoman_part_seconds_bucket[$__rate_interval])))",
            "{{pool}}",
            "s",
        ),
        prom_series(
            "Batches skipped, by reason",
            "sum by (reason) (rate(dragoman_batches_skipped_total[$__rate_interval])) or vector(0)",
            "{{reason}}",
        ),
        prom_series("Memory", 'process_resident_memory_bytes{job="dragoman"}', "{{instance}}", "bytes"),
        prom_series(
            "Processor",
            'rate(process_cpu_seconds_total{job="dragoman"}[$__rate_interval])',
            "{{instance}}",
            "percentunit",
        ),
        sql_series(
            "Machine hours, by what they did",
            """SELECT hour AS time, part.1 AS doing, sum(part.2) / 3600 AS hours
FROM (
    SELECT hour, arrayJoin([('busy', busy_seconds), ('idle', idle_seconds), ('starting', starting_seconds),
        ('draining', draining_seconds)]) AS part
    FROM machine_hours
    WHERE $__timeFilter(hour)
)
GROUP BY time, doing
ORDER BY time""",
            "h",
        ),
        sql_table(
            "Workers",
            """SELECT worker, pool, device, market, sum(source_words) AS words,
    sum(busy_ms) / 1000 AS busy_seconds, sum(translated_words) * 1000 / nullIf(sum(busy_ms), 0) AS words_per_second
FROM cost
WHERE $__timeFilter(at)
GROUP BY worker, pool, device, market
ORDER BY words DESC""",
        ),
        sql_table(
            "Decisions of the autoscaler",
            """SELECT at, pool, reason, replicas, needed, ready, pending
FROM scale_decisions FINAL
WHERE $__timeFilter(at)
ORDER BY at DESC
LIMIT 50""",
        ),
    ),
)
