-- The first version of the database, frozen: never edit this file.
BEGIN TRANSACTION;
CREATE TABLE lab_card_edits (
    learner_id INTEGER NOT NULL,
    card_id VARCHAR(120) NOT NULL,
    card TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (learner_id, card_id),
    FOREIGN KEY(learner_id) REFERENCES lab_learners (id) ON DELETE CASCADE
);
CREATE TABLE lab_card_states (
    learner_id INTEGER NOT NULL,
    card_id VARCHAR(120) NOT NULL,
    stage VARCHAR(16) NOT NULL,
    due BIGINT NOT NULL,
    step INTEGER,
    stability FLOAT,
    difficulty FLOAT,
    last_review BIGINT,
    PRIMARY KEY (learner_id, card_id),
    FOREIGN KEY(learner_id) REFERENCES lab_learners (id) ON DELETE CASCADE
);
CREATE TABLE lab_decks (
    learner_id INTEGER NOT NULL,
    "key" VARCHAR(120) NOT NULL,
    text TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (learner_id, "key"),
    FOREIGN KEY(learner_id) REFERENCES lab_learners (id) ON DELETE CASCADE
);
CREATE TABLE lab_learners (
    id INTEGER NOT NULL,
    name VARCHAR(80) NOT NULL,
    key_hash VARCHAR(64) NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (key_hash)
);
CREATE TABLE lab_lessons (
    learner_id INTEGER NOT NULL,
    lesson VARCHAR(120) NOT NULL,
    value TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (learner_id, lesson),
    FOREIGN KEY(learner_id) REFERENCES lab_learners (id) ON DELETE CASCADE
);
CREATE TABLE lab_reviews (
    id INTEGER NOT NULL,
    learner_id INTEGER NOT NULL,
    card_id VARCHAR(120) NOT NULL,
    rating INTEGER NOT NULL,
    at BIGINT NOT NULL,
    mode VARCHAR(16) NOT NULL,
    confidence INTEGER,
    seconds FLOAT,
    "before" TEXT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(learner_id) REFERENCES lab_learners (id) ON DELETE CASCADE
);
CREATE TABLE lab_runs (
    learner_id INTEGER NOT NULL,
    run_id VARCHAR(120) NOT NULL,
    title VARCHAR(200) NOT NULL,
    created BIGINT NOT NULL,
    config TEXT NOT NULL,
    path TEXT NOT NULL,
    size BIGINT NOT NULL,
    PRIMARY KEY (learner_id, run_id),
    FOREIGN KEY(learner_id) REFERENCES lab_learners (id) ON DELETE CASCADE
);
CREATE TABLE lab_schema_version (
    version INTEGER NOT NULL
);
INSERT INTO "lab_schema_version" VALUES(1);
CREATE TABLE lab_settings (
    learner_id INTEGER NOT NULL,
    name VARCHAR(120) NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (learner_id, name),
    FOREIGN KEY(learner_id) REFERENCES lab_learners (id) ON DELETE CASCADE
);
CREATE TABLE lab_suspended (
    learner_id INTEGER NOT NULL,
    card_id VARCHAR(120) NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (learner_id, card_id),
    FOREIGN KEY(learner_id) REFERENCES lab_learners (id) ON DELETE CASCADE
);
CREATE INDEX lab_reviews_of_learner ON lab_reviews (learner_id, id);
COMMIT;
