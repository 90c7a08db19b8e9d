-- Words that the translation memory knew, and what they would have cost: the machine time of the same pair and day
-- for each word that was translated. A day without such words saves an unknown sum: NULL.
CREATE OR REPLACE VIEW memory_savings AS
SELECT
    known.day AS day,
    known.tenant AS tenant,
    known.source_language AS source_language,
    known.target_language AS target_language,
    known.words AS words,
    known.cached AS saved_words,
    paid.total_cost * known.cached / nullIf(paid.translated, 0) AS saved_cost
FROM
(
    SELECT toDate(at) AS day, tenant, source_language, target_language, sum(source_words) AS words, sum(cached_words) AS cached
    FROM usage_events
    WHERE kind = 'billed'
    GROUP BY day, tenant, source_language, target_language
) AS known
LEFT JOIN
(
    SELECT toDate(at) AS day, source_language, target_language, sum(translated_words) AS translated, sum(cost) AS total_cost
    FROM cost
    GROUP BY day, source_language, target_language
) AS paid
    ON known.day = paid.day AND known.source_language = paid.source_language AND known.target_language = paid.target_language
