// Hot loops that need C live in this target.
