"""The index stream at work: processes, the wire between them, and what outlives each of them.

A *pipeline* turns packets into ticks and waits for nothing. An *engine process* gives one pipeline
a feed of its own; a *contingency process* computes the same values another way. The *supervisor*
starts them, reads what they tell, feeds gateway and publishers, and keeps the journal. What one
process knows of another is on a *board* in shared memory and in the files of the *run folder*.
"""
