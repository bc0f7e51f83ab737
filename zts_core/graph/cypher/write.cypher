// What the feed writes. Every statement takes $rows and may run any number of times with the same rows.
// A row's `line` is its place in the run's ledger: what an older line says never replaces what a newer one said.

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

// A run's beginning carries what it belongs to.
// name: runs
UNWIND $rows AS r
MERGE (n:Run {id: r.id})
WITH n, r WHERE r.line >= coalesce(n.line, 0)
SET n += r.props, n.line = r.line
WITH n, r WHERE r.idea IS NOT NULL
MATCH (idea:Idea {id: r.idea})
MATCH (project:Project {id: r.project})
MATCH (workflow:Workflow {id: r.workflow})
MERGE (n)-[:CARRIES]->(idea)
MERGE (n)-[:OF]->(project)
MERGE (n)-[:FOLLOWS]->(workflow)

// A step's beginning carries its run and its crew ('' for an approval), later lines neither.
// name: steps
UNWIND $rows AS r
MERGE (n:Step {id: r.id})
WITH n, r WHERE r.line >= coalesce(n.line, 0)
SET n += r.props, n.line = r.line
WITH n, r WHERE r.run IS NOT NULL
MERGE (run:Run {id: r.run})
MERGE (run)-[:HAS_STEP]->(n)
WITH n, r
MATCH (crew:Crew {id: r.crew})
MERGE (n)-[:BY]->(crew)

// name: attempts
UNWIND $rows AS r
MATCH (step:Step {id: r.step})
MERGE (n:Attempt {id: r.id})
WITH step, n, r WHERE r.line >= coalesce(n.line, 0)
SET n += r.props, n.line = r.line
MERGE (step)-[:HAS_ATTEMPT]->(n)

// name: decisions
UNWIND $rows AS r
MERGE (run:Run {id: r.run})
MERGE (n:Decision {id: r.id})
SET n += r.props
MERGE (run)-[:DECIDED]->(n)

// name: artifacts
UNWIND $rows AS r
MERGE (n:Artifact {id: r.id})
SET n += r.props

// name: tasks
UNWIND $rows AS r
MATCH (step:Step {id: r.step})
MERGE (n:Task {id: r.id})
SET n += r.props
MERGE (step)-[:PLANNED]->(n)

// name: findings
UNWIND $rows AS r
MATCH (step:Step {id: r.step})
MERGE (n:Finding {id: r.id})
SET n += r.props
MERGE (step)-[:FOUND]->(n)

// name: came_from
UNWIND $rows AS r
MATCH (a:Project {id: r.from})
MATCH (b:Idea {id: r.to})
MERGE (a)-[:CAME_FROM]->(b)

// The run that is replayed may have been fed by nobody yet, or be gone from the store.
// name: replays
UNWIND $rows AS r
MATCH (a:Run {id: r.from})
MERGE (b:Run {id: r.to})
MERGE (a)-[:REPLAYS]->(b)

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

// One step may leave the same content under several paths.
// name: made
UNWIND $rows AS r
MATCH (a:Step {id: r.from})
MATCH (b:Artifact {id: r.to})
MERGE (a)-[:MADE {path: r.path}]->(b)

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

// name: depends_on
UNWIND $rows AS r
MATCH (a:Task {id: r.from})
MATCH (b:Task {id: r.to})
MERGE (a)-[:DEPENDS_ON]->(b)
