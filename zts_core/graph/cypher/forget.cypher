// Remove runs, so that they can be delivered again from their ledgers. Ideas, crews, workflows and artifacts are
// shared by many runs and stay.

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
