// Constraints and indexes of Neo4j, safe to repeat.

// name: run_id
CREATE CONSTRAINT zts_run_id IF NOT EXISTS FOR (n:Run) REQUIRE n.id IS UNIQUE

// name: idea_id
CREATE CONSTRAINT zts_idea_id IF NOT EXISTS FOR (n:Idea) REQUIRE n.id IS UNIQUE

// name: project_id
CREATE CONSTRAINT zts_project_id IF NOT EXISTS FOR (n:Project) REQUIRE n.id IS UNIQUE

// name: workflow_id
CREATE CONSTRAINT zts_workflow_id IF NOT EXISTS FOR (n:Workflow) REQUIRE n.id IS UNIQUE

// name: crew_id
CREATE CONSTRAINT zts_crew_id IF NOT EXISTS FOR (n:Crew) REQUIRE n.id IS UNIQUE

// name: step_id
CREATE CONSTRAINT zts_step_id IF NOT EXISTS FOR (n:Step) REQUIRE n.id IS UNIQUE

// name: attempt_id
CREATE CONSTRAINT zts_attempt_id IF NOT EXISTS FOR (n:Attempt) REQUIRE n.id IS UNIQUE

// name: decision_id
CREATE CONSTRAINT zts_decision_id IF NOT EXISTS FOR (n:Decision) REQUIRE n.id IS UNIQUE

// name: artifact_id
CREATE CONSTRAINT zts_artifact_id IF NOT EXISTS FOR (n:Artifact) REQUIRE n.id IS UNIQUE

// name: task_id
CREATE CONSTRAINT zts_task_id IF NOT EXISTS FOR (n:Task) REQUIRE n.id IS UNIQUE

// name: finding_id
CREATE CONSTRAINT zts_finding_id IF NOT EXISTS FOR (n:Finding) REQUIRE n.id IS UNIQUE

// name: run_created_ms
CREATE INDEX zts_run_created_ms IF NOT EXISTS FOR (n:Run) ON (n.created_ms)

// name: made_path
CREATE INDEX zts_made_path IF NOT EXISTS FOR ()-[r:MADE]-() ON (r.path)
