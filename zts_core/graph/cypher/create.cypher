// What begins in a batch is created, not merged: less to look for. Where a part of it is there already, because the
// batch was delivered before, the uniqueness of ids refuses the whole transaction, and `write.cypher` merges it instead.
// Needs a graph with unique ids and with rollback: Neo4j.

// A row holds the attempts that begin in this batch too.
// name: steps_begun
UNWIND $rows AS r
MERGE (run:Run {id: r.run})
MERGE (crew:Crew {id: r.crew})
CREATE (run)-[:HAS_STEP]->(n:Step)-[:BY]->(crew)
SET n = r.props
FOREACH (a IN r.attempts | CREATE (n)-[:HAS_ATTEMPT]->(x:Attempt) SET x = a)

// One end of each was created just now.
// name: next
UNWIND $rows AS r
MATCH (a:Step {id: r.from})
MATCH (b:Step {id: r.to})
CREATE (a)-[:NEXT]->(b)

// name: used
UNWIND $rows AS r
MATCH (a:Step {id: r.from})
MATCH (b:Step {id: r.to})
CREATE (a)-[:USED]->(b)
