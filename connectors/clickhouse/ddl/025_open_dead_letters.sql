-- Dead letters that no tombstone has closed.
CREATE OR REPLACE VIEW open_dead_letters AS
SELECT
    dead_letter_id,
    argMax(stage, kafka_offset) AS stage,
    argMax(cause, kafka_offset) AS cause,
    argMax(tenant, kafka_offset) AS tenant,
    argMax(request_id, kafka_offset) AS request_id,
    argMax(attempt, kafka_offset) AS attempt,
    max(at) AS since
FROM dead_letters
GROUP BY dead_letter_id
HAVING argMax(event, kafka_offset) = 'opened'
