-- Datasets on their way to object storage. The counters of a task move with its records, in one transaction,
-- always the task's row first. `owner` is who it was made for, for the name to be unique, also when the
-- account is gone; '' is nobody.
CREATE TABLE tasks (
    id             TEXT PRIMARY KEY,
    name           TEXT NOT NULL,
    owner          TEXT NOT NULL,
    kind           TEXT NOT NULL,
    user_id        TEXT REFERENCES users (id) ON DELETE SET NULL,
    spec           TEXT NOT NULL,
    folder         TEXT,
    host           TEXT,
    trusted        INTEGER NOT NULL DEFAULT 0,
    status         TEXT NOT NULL CHECK (status IN
                       ('running', 'awaiting_approval', 'paused', 'completed', 'failed', 'cancelled')),
    phase          TEXT NOT NULL CHECK (phase IN ('sample', 'canary', 'records', 'end')),
    version        INTEGER NOT NULL DEFAULT 1,
    rounds         INTEGER NOT NULL DEFAULT 1,
    position       TEXT,
    read_all       INTEGER NOT NULL DEFAULT 0,
    records        INTEGER NOT NULL DEFAULT -1,
    experiment_id  TEXT REFERENCES experiments (id) ON DELETE SET NULL,
    approved       INTEGER NOT NULL DEFAULT 0,
    reader         TEXT,
    lease_until    INTEGER NOT NULL DEFAULT 0,
    read_at        INTEGER NOT NULL DEFAULT 0, -- when somebody last took it to read: the next in turn
    waiting        INTEGER NOT NULL DEFAULT 0,
    ready          INTEGER NOT NULL DEFAULT 0,
    stored         INTEGER NOT NULL DEFAULT 0,
    failing        INTEGER NOT NULL DEFAULT 0,
    succeeded      INTEGER NOT NULL DEFAULT 0,
    failed         INTEGER NOT NULL DEFAULT 0,
    cancelled      INTEGER NOT NULL DEFAULT 0,
    reused         INTEGER NOT NULL DEFAULT 0,
    known          INTEGER NOT NULL DEFAULT 0,
    missing        INTEGER NOT NULL DEFAULT 0,
    ended          INTEGER NOT NULL DEFAULT 0,
    bytes          INTEGER NOT NULL DEFAULT 0,
    seconds_making REAL NOT NULL DEFAULT 0,
    error_code     TEXT,
    error          TEXT,
    created_at     INTEGER NOT NULL,
    started_at     INTEGER NOT NULL DEFAULT 0,
    finished_at    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (owner, name)
) STRICT;
-- No index holds a counter: PostgreSQL rewrites a row in place only while no index sees the change.
CREATE INDEX tasks_user ON tasks (user_id, id);
CREATE INDEX tasks_status ON tasks (status, id);
CREATE INDEX tasks_experiment ON tasks (experiment_id) WHERE experiment_id IS NOT NULL;

-- One thing to be made of a record. `lease` counts whoever took the row, `attempts` the tries to deliver
-- it, `tries` those of the step that it is at.
CREATE TABLE task_records (
    id              TEXT PRIMARY KEY,
    task_id         TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    record_id       TEXT NOT NULL,
    key             TEXT NOT NULL,
    number          INTEGER NOT NULL,
    end_number      INTEGER NOT NULL DEFAULT 0,
    status          TEXT NOT NULL CHECK (status IN
                        ('waiting', 'ready', 'stored', 'failing', 'succeeded', 'failed', 'cancelled')),
    generation_id   TEXT REFERENCES generations (id) ON DELETE SET NULL,
    request         TEXT,
    object          TEXT,
    upload          TEXT,
    url             TEXT,
    https           TEXT,
    crc32c          TEXT,
    md5             TEXT,
    sha256          TEXT,
    object_version  TEXT,
    bytes           INTEGER NOT NULL DEFAULT 0,
    recipe_url      TEXT,
    reused          INTEGER NOT NULL DEFAULT 0,
    outcome         TEXT,
    attempts        INTEGER NOT NULL DEFAULT 0,
    tries           INTEGER NOT NULL DEFAULT 0,
    lease           INTEGER NOT NULL DEFAULT 0,
    due_at          INTEGER NOT NULL,
    error_class     TEXT,
    error_code      TEXT,
    error           TEXT,
    seconds_making  REAL,
    seconds_storing REAL,
    created_at      INTEGER NOT NULL,
    ready_at        INTEGER NOT NULL DEFAULT 0,
    stored_at       INTEGER NOT NULL DEFAULT 0,
    ended_at        INTEGER NOT NULL DEFAULT 0,
    UNIQUE (task_id, record_id, key),
    UNIQUE (task_id, object)
) STRICT;
CREATE INDEX task_records_number ON task_records (task_id, number, id);
CREATE INDEX task_records_status ON task_records (task_id, status, number, id);
CREATE INDEX task_records_ready ON task_records (task_id, due_at, id) WHERE status = 'ready';
CREATE INDEX task_records_results ON task_records (task_id, due_at, id) WHERE status IN ('stored', 'failing');
CREATE INDEX task_records_ended ON task_records (task_id, end_number) WHERE end_number > 0;
CREATE INDEX task_records_failed ON task_records (task_id, error_class, error_code) WHERE status = 'failed';
CREATE INDEX task_records_generation ON task_records (generation_id) WHERE generation_id IS NOT NULL;

-- What a task's receiver is told. `lease_until`: somebody sends it until then, so that a receiver that hangs
-- holds no more than its share of the senders.
CREATE TABLE callbacks (
    id           TEXT PRIMARY KEY,
    task_id      TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    kind         TEXT NOT NULL CHECK (kind IN ('record', 'batch', 'end', 'canary')),
    subject      TEXT NOT NULL,
    body         TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('waiting', 'delivered', 'dead')),
    attempts     INTEGER NOT NULL DEFAULT 0,
    due_at       INTEGER NOT NULL,
    lease_until  INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL,
    since        INTEGER NOT NULL, -- when it was created, or replayed: it is given up some time later
    delivered_at INTEGER NOT NULL DEFAULT 0,
    last_status  INTEGER NOT NULL DEFAULT 0,
    error        TEXT,
    UNIQUE (task_id, kind, subject)
) STRICT;
CREATE INDEX callbacks_due ON callbacks (task_id, due_at, id) WHERE status = 'waiting';
CREATE INDEX callbacks_sending ON callbacks (task_id, lease_until) WHERE status = 'waiting' AND lease_until > 0;
CREATE INDEX callbacks_status ON callbacks (task_id, status, id);
CREATE INDEX callbacks_task ON callbacks (task_id, id);
