// Remove runs, so that they can be delivered again from their ledgers, or for good. Crews, workflows and artifacts
// (a digest each) are shared by many runs and stay; an idea or a project goes with the last run that carries it.

// name: ideas
UNWIND $ids AS id
MATCH (:Run {id: id})-[:CARRIES]->(n:Idea)
WITH DISTINCT n
MATCH (other:Run)-[:CARRIES]->(n)
WITH n, sum(CASE WHEN other.id IN $ids THEN 0 ELSE 1 END) AS others
WHERE others = 0
DETACH DELETE n

// name: projects
UNWIND $ids AS id
MATCH (:Run {id: id})-[:OF]->(n:Project)
WITH DISTINCT n
MATCH (other:Run)-[:OF]->(n)
WITH n, sum(CASE WHEN other.id IN $ids THEN 0 ELSE 1 END) AS others
WHERE others = 0
DETACH DELETE n

// name: details
UNWIND $ids AS id
MATCH (:Run {id: id})-[:HAS_STEP]->(:Step)-[:HAS_ATTEMPT|PLANNED|FOUND]->(n)
DETACH DELETE n

// name: parts
UNWIND $ids AS id
MATCH (:Run {id: id})-[:HAS_STEP|DECIDED]->(n)
DETACH DELETE n

// name: runs
UNWIND $ids AS id
MATCH (n:Run {id: id})
DETACH DELETE n
