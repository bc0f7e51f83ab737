// Indexes of FalkorDB. It runs one writing query at a time, so MERGE alone keeps ids unique there.

// name: run_id
CREATE INDEX FOR (n:Run) ON (n.id)

// name: idea_id
CREATE INDEX FOR (n:Idea) ON (n.id)

// name: project_id
CREATE INDEX FOR (n:Project) ON (n.id)

// name: workflow_id
CREATE INDEX FOR (n:Workflow) ON (n.id)

// name: crew_id
CREATE INDEX FOR (n:Crew) ON (n.id)

// name: step_id
CREATE INDEX FOR (n:Step) ON (n.id)

// name: attempt_id
CREATE INDEX FOR (n:Attempt) ON (n.id)

// name: decision_id
CREATE INDEX FOR (n:Decision) ON (n.id)

// name: artifact_id
CREATE INDEX FOR (n:Artifact) ON (n.id)

// name: task_id
CREATE INDEX FOR (n:Task) ON (n.id)

// name: finding_id
CREATE INDEX FOR (n:Finding) ON (n.id)

// name: run_created_ms
CREATE INDEX FOR (n:Run) ON (n.created_ms)

// name: made_path
CREATE INDEX FOR ()-[r:MADE]-() ON (r.path)
