"""What holds between the columns of every accepted row, and which column broke it.

Comes in: columns as numbers, and instants. Goes out: relations, and of a batch the broken ones with
the column that is to blame. Holds: a relation held in every accepted row that it speaks of, and at
least 30 of these rows would tell it from an accident.
"""

from tondo.stages.data.relations.blame import LEAST_SHARE, Broken, broken_relations
from tondo.stages.data.relations.kinds import Relation
from tondo.stages.data.relations.learn import learn_relations
from tondo.stages.data.relations.rows import Rows, instants_of

__all__ = [
    "LEAST_SHARE",
    "Broken",
    "Relation",
    "Rows",
    "broken_relations",
    "instants_of",
    "learn_relations",
]
