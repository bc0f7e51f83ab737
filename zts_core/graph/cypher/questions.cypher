// The named questions. Only what Neo4j and FalkorDB both understand; times in milliseconds since 1970.

// name: runs_of_file
MATCH (r:Run)-[:HAS_STEP]->(s:Step)-[m:MADE]->(a:Artifact {id: $digest})
RETURN s.id AS step, r.id AS run, m.path AS path, s.ended_ms AS at_ms
ORDER BY at_ms DESC

// name: runs_of_path
MATCH (s:Step)-[m:MADE {path: $path}]->(a:Artifact)
MATCH (r:Run)-[:HAS_STEP]->(s)
RETURN s.id AS step, r.id AS run, m.path AS path, s.ended_ms AS at_ms
ORDER BY at_ms DESC

// name: steps
UNWIND $ids AS id
MATCH (r:Run)-[:HAS_STEP]->(s:Step {id: id})
RETURN s.id AS id, s.state AS state, s.crew AS crew, s.attempts AS attempts, s.ended_ms AS at_ms,
  s.reused_from AS reused
ORDER BY s.seq DESC

// name: used
UNWIND $ids AS id
MATCH (s:Step {id: id})-[:USED]->(u:Step)
RETURN s.id AS user, u.id AS id

// name: idea_of_run
MATCH (r:Run {id: $run})-[:CARRIES]->(i:Idea)
RETURN i.id AS id, r.title AS title, r.created_ms AS at_ms

// A run lives for 30 days at most: only runs that began so long before can have failed since.
// name: failures
MATCH (r:Run)
WHERE r.created_ms >= $since - 2592000000
MATCH (r)-[:HAS_STEP]->(s:Step)-[:HAS_ATTEMPT]->(a:Attempt)
WHERE a.status IN ['failed', 'lost'] AND a.ended_ms >= $since
RETURN a.ended_ms AS at_ms, r.id AS run, s.state AS state, s.crew AS crew, a.number AS attempt, a.status AS status,
  a.error AS error
ORDER BY at_ms DESC

// name: crews
MATCH (s:Step)-[:BY]->(c:Crew)
OPTIONAL MATCH (s)-[:HAS_ATTEMPT]->(a:Attempt)
WITH c, s, count(a) AS attempts, sum(a.ended_ms - a.started_ms) AS busy_ms, sum(coalesce(a.cost, 0)) AS cost
RETURN c.id AS crew, count(s) AS steps,
  toInteger(sum(CASE WHEN s.status = 'done' THEN 1 ELSE 0 END)) AS done,
  toInteger(sum(CASE WHEN s.status = 'failed' THEN 1 ELSE 0 END)) AS failed,
  toInteger(sum(CASE WHEN attempts > 1 THEN attempts - 1 ELSE 0 END)) AS retries,
  sum(busy_ms) / 1000.0 AS seconds, sum(busy_ms) / 1000.0 / count(s) AS seconds_each, sum(cost) AS cost
ORDER BY steps DESC

// Words in common, as a share of all words of both (Jaccard's index).
// name: similar
MATCH (i:Idea)
WITH i, size([word IN $words WHERE word IN i.words]) AS common
WHERE common > 0
WITH i, 1.0 * common / (size($words) + size(i.words) - common) AS likeness
MATCH (r:Run)-[:CARRIES]->(i)
RETURN round(likeness * 100) / 100 AS likeness, r.id AS run, r.title AS title, r.workflow AS workflow,
  r.outcome AS outcome, r.created_ms AS at_ms
ORDER BY likeness DESC, at_ms DESC

// `answers` counts the model calls that took a recorded answer.
// name: path_steps
MATCH (r:Run {id: $run})-[:HAS_STEP]->(s:Step)
OPTIONAL MATCH (s)-[:HAS_ATTEMPT]->(a:Attempt)
WITH s, sum(coalesce(a.answers_reused, 0)) AS answers
RETURN s.queued_ms AS at_ms, s.seq AS seq, s.state AS state, s.crew AS crew, s.status AS status,
  coalesce(s.attempts, 0) AS attempts, (s.ended_ms - s.started_ms) / 1000.0 AS seconds, s.reused_from AS reused,
  toInteger(answers) AS answers, s.error AS error
ORDER BY seq

// name: path_decisions
MATCH (r:Run {id: $run})-[:DECIDED]->(d:Decision)
RETURN d.at_ms AS at_ms, d.id AS id, d.kind AS kind, d.state AS state, d.then AS then, d.reason AS reason
ORDER BY at_ms

// name: path_next
MATCH (r:Run {id: $run})-[:HAS_STEP]->(a:Step)-[:NEXT]->(b:Step)
RETURN a.seq AS earlier, b.seq AS later
ORDER BY earlier, later

// name: path_causes
MATCH (r:Run {id: $run})-[:DECIDED]->(d:Decision)<-[:LED_TO]-(s:Step)
RETURN s.seq AS seq, d.id AS decision
ORDER BY seq, decision

// name: path_effects
MATCH (r:Run {id: $run})-[:DECIDED]->(d:Decision)-[:LED_TO]->(s:Step)
RETURN d.id AS decision, s.seq AS seq
ORDER BY decision, seq

// name: slowest
MATCH (r:Run)
WHERE r.created_ms >= $since
MATCH (r)-[:HAS_STEP]->(s:Step)
WHERE s.ended_ms > s.started_ms
RETURN (s.ended_ms - s.started_ms) / 1000.0 AS seconds, r.id AS run, s.state AS state, s.crew AS crew,
  s.attempts AS attempts, s.status AS status
ORDER BY seconds DESC
