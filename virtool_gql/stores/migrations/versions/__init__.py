"""One module for each change of the tables. What was published is never changed."""
