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

// What a run belongs to is in the row of its beginning.
// name: runs_begun
UNWIND $rows AS r
MERGE (n:Run {id: r.id})
WITH n, r WHERE r.line >= coalesce(n.line, 0)
SET n += r.props, n.line = r.line
WITH n, r
MATCH (idea:Idea {id: r.idea})
MATCH (project:Project {id: r.project})
MATCH (workflow:Workflow {id: r.workflow})
MERGE (n)-[:CARRIES]->(idea)
MERGE (n)-[:OF]->(project)
MERGE (n)-[:FOLLOWS]->(workflow)

// name: runs
UNWIND $rows AS r
MERGE (n:Run {id: r.id})
WITH n, r WHERE r.line >= coalesce(n.line, 0)
SET n += r.props, n.line = r.line

// name: steps_begun
UNWIND $rows AS r
MERGE (run:Run {id: r.run})
MERGE (crew:Crew {id: r.crew})
MERGE (n:Step {id: r.id})
WITH n, r, run, crew WHERE r.line >= coalesce(n.line, 0)
SET n += r.props, n.line = r.line
MERGE (run)-[:HAS_STEP]->(n)
MERGE (n)-[:BY]->(crew)

// An approval is a step without a crew.
// name: steps_asked
UNWIND $rows AS r
MERGE (run:Run {id: r.run})
MERGE (n:Step {id: r.id})
WITH n, r, run WHERE r.line >= coalesce(n.line, 0)
SET n += r.props, n.line = r.line
MERGE (run)-[:HAS_STEP]->(n)

// name: steps
UNWIND $rows AS r
MERGE (n:Step {id: r.id})
WITH n, r WHERE r.line >= coalesce(n.line, 0)
SET n += r.props, n.line = r.line

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

// The step whose effect was taken over may have been fed by nobody, as its run.
// name: reuses
UNWIND $rows AS r
MATCH (a:Step {id: r.from})
MERGE (b:Step {id: r.to})
MERGE (a)-[:REUSES]->(b)

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
