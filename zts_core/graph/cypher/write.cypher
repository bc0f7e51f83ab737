// What the feed writes. Every statement takes $rows and may run any number of times with the same rows.
// A row's `line` is its place in the run's ledger: what an older line says never replaces what a newer one said.

// name: runs
UNWIND $rows AS r
MERGE (n:Run {id: r.id})
WITH n, r WHERE r.line >= coalesce(n.line, 0)
SET n += r.props, n.line = r.line

// name: ideas
UNWIND $rows AS r
MERGE (n:Idea {id: r.id})
SET n += r.props

// name: projects
UNWIND $rows AS r
MERGE (n:Project {id: r.id})
SET n += r.props

// name: workflows
UNWIND $rows AS r
MERGE (n:Workflow {id: r.id})
SET n += r.props

// name: crews
UNWIND $rows AS r
MERGE (:Crew {id: r.id})

// name: steps
UNWIND $rows AS r
MERGE (n:Step {id: r.id})
WITH n, r WHERE r.line >= coalesce(n.line, 0)
SET n += r.props, n.line = r.line

// name: attempts
UNWIND $rows AS r
MERGE (n:Attempt {id: r.id})
WITH n, r WHERE r.line >= coalesce(n.line, 0)
SET n += r.props, n.line = r.line

// name: decisions
UNWIND $rows AS r
MERGE (n:Decision {id: r.id})
SET n += r.props

// name: artifacts
UNWIND $rows AS r
MERGE (n:Artifact {id: r.id})
SET n += r.props

// name: tasks
UNWIND $rows AS r
MERGE (n:Task {id: r.id})
SET n += r.props

// name: findings
UNWIND $rows AS r
MERGE (n:Finding {id: r.id})
SET n += r.props

// name: carries
UNWIND $rows AS r
MATCH (a:Run {id: r.from})
MATCH (b:Idea {id: r.to})
MERGE (a)-[:CARRIES]->(b)

// name: belongs
UNWIND $rows AS r
MATCH (a:Run {id: r.from})
MATCH (b:Project {id: r.to})
MERGE (a)-[:OF]->(b)

// name: came_from
UNWIND $rows AS r
MATCH (a:Project {id: r.from})
MATCH (b:Idea {id: r.to})
MERGE (a)-[:CAME_FROM]->(b)

// name: follows
UNWIND $rows AS r
MATCH (a:Run {id: r.from})
MATCH (b:Workflow {id: r.to})
MERGE (a)-[:FOLLOWS]->(b)

// The run that is replayed may have been fed by nobody yet, or be gone from the store.
// name: replays
UNWIND $rows AS r
MATCH (a:Run {id: r.from})
MERGE (b:Run {id: r.to})
MERGE (a)-[:REPLAYS]->(b)

// name: has_step
UNWIND $rows AS r
MATCH (a:Run {id: r.from})
MATCH (b:Step {id: r.to})
MERGE (a)-[:HAS_STEP]->(b)

// name: has_attempt
UNWIND $rows AS r
MATCH (a:Step {id: r.from})
MATCH (b:Attempt {id: r.to})
MERGE (a)-[:HAS_ATTEMPT]->(b)

// name: by
UNWIND $rows AS r
MATCH (a:Step {id: r.from})
MATCH (b:Crew {id: r.to})
MERGE (a)-[:BY]->(b)

// name: next
UNWIND $rows AS r
MATCH (a:Step {id: r.from})
MATCH (b:Step {id: r.to})
MERGE (a)-[:NEXT]->(b)

// name: used
UNWIND $rows AS r
MATCH (a:Step {id: r.from})
MATCH (b:Step {id: r.to})
MERGE (a)-[:USED]->(b)

// name: used_idea
UNWIND $rows AS r
MATCH (a:Step {id: r.from})
MATCH (b:Idea {id: r.to})
MERGE (a)-[:USED]->(b)

// One step may leave the same content under several paths.
// name: made
UNWIND $rows AS r
MATCH (a:Step {id: r.from})
MATCH (b:Artifact {id: r.to})
MERGE (a)-[:MADE {path: r.path}]->(b)

// name: decided
UNWIND $rows AS r
MATCH (a:Run {id: r.from})
MATCH (b:Decision {id: r.to})
MERGE (a)-[:DECIDED]->(b)

// name: led_to_decision
UNWIND $rows AS r
MATCH (a:Step {id: r.from})
MATCH (b:Decision {id: r.to})
MERGE (a)-[:LED_TO]->(b)

// name: led_to_step
UNWIND $rows AS r
MATCH (a:Decision {id: r.from})
MATCH (b:Step {id: r.to})
MERGE (a)-[:LED_TO]->(b)

// name: escalated_to
UNWIND $rows AS r
MATCH (a:Decision {id: r.from})
MATCH (b:Workflow {id: r.to})
MERGE (a)-[:ESCALATED_TO]->(b)

// name: planned
UNWIND $rows AS r
MATCH (a:Step {id: r.from})
MATCH (b:Task {id: r.to})
MERGE (a)-[:PLANNED]->(b)

// name: depends_on
UNWIND $rows AS r
MATCH (a:Task {id: r.from})
MATCH (b:Task {id: r.to})
MERGE (a)-[:DEPENDS_ON]->(b)

// name: found
UNWIND $rows AS r
MATCH (a:Step {id: r.from})
MATCH (b:Finding {id: r.to})
MERGE (a)-[:FOUND]->(b)

// A later iteration's output has taken the place of these.
// name: superseded
UNWIND $rows AS r
MATCH (n:Step {slot: r.slot})
WHERE n.seq < r.seq AND n.effective = true AND n.line <= r.line
SET n.effective = false, n.line = r.line

// A run that has ended leaves nothing open: what had not started never will, what was at work was given up.
// name: ended
UNWIND $rows AS r
MATCH (:Run {id: r.run})-[:HAS_STEP]->(n:Step)
WHERE n.status IN ['queued', 'running', 'retrying', 'waiting'] AND n.line <= r.line
SET n.status = 'cancelled', n.ended_ms = r.at_ms, n.line = r.line

// name: abandoned
UNWIND $rows AS r
MATCH (:Run {id: r.run})-[:HAS_STEP]->(:Step)-[:HAS_ATTEMPT]->(n:Attempt)
WHERE n.status = 'running' AND n.line <= r.line
SET n.status = 'lost', n.ended_ms = r.at_ms, n.line = r.line
