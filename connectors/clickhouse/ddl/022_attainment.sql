-- How many requests had their first answer within 30, 120 and 600 s, and within what their priority promises. Who
-- cancels is not counted; what failed or expired is late.
CREATE OR REPLACE VIEW attainment AS
SELECT
    toDate(completed_at) AS day,
    tenant, priority,
    count() AS requests,
    countIf(is_answered AND total_seconds <= 30) AS within_30,
    countIf(is_answered AND total_seconds <= 120) AS within_120,
    countIf(is_answered AND total_seconds <= 600) AS within_600,
    countIf(is_answered AND total_seconds <= sla_seconds) AS within_promise,
    within_promise / requests AS attained
FROM
(
    SELECT completed_at, tenant, priority, total_seconds, sla_seconds, status IN ('COMPLETED', 'PARTIAL') AS is_answered
    FROM requests FINAL
    WHERE answer = 1 AND status != 'CANCELLED'
)
GROUP BY day, tenant, priority
