-- A run of 100,000 cells, newest first, and the best pictures of one person among a million.
CREATE INDEX generations_run ON generations (run_id, id);
CREATE INDEX generations_user_rating ON generations (user_id, rating, id);
