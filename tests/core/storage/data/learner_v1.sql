-- What version 0.1.0 wrote for one learner, frozen: never edit this file.
INSERT INTO "lab_learners" VALUES(1,'Ada','e0f6e0b8e84eb1ac8aad6040924f4a9c825b931994e90fccfd59be046b0d474f',1772442000123456);
INSERT INTO "lab_card_edits" VALUES(1,'449b1642b479','{"id": "449b1642b479", "title": "T", "question": "q", "answer": "mine = \ud83d\ude42 \u00fc", "background": "", "source": "", "wrong": "", "live": "", "choices": ["c"]}',1772442000123456);
INSERT INTO "lab_card_states" VALUES(1,'a','learning',1772442661123456,0,7.75083982855898412367e-01,7.39450274127971773907e+00,1772442601123456);
INSERT INTO "lab_card_states" VALUES(1,'b','review',1773133862123456,NULL,8.2956,1.0,1772442662123456);
INSERT INTO "lab_decks" VALUES(1,'own','# D

---

#### T
:p q
??x
a
x??
:choice c
',1772442000123456);
INSERT INTO "lab_lessons" VALUES(1,'first_training','{"step": 2, "answers": {"1": {"prediction": "rises"}}}',1772442000123456);
INSERT INTO "lab_reviews" VALUES(1,1,'a',3,1772442000123456,'typed',3,2.5,'{"card_id": "a", "stage": "new", "due": "2026-03-02T09:00:00.123456+00:00", "step": null, "stability": null, "difficulty": null, "last_review": null}');
INSERT INTO "lab_reviews" VALUES(2,1,'a',1,1772442601123456,'typed',3,2.5,'{"card_id": "a", "stage": "learning", "due": "2026-03-02T09:10:00.123456+00:00", "step": 1, "stability": 2.3065, "difficulty": 2.118103970459016, "last_review": "2026-03-02T09:00:00.123456+00:00"}');
INSERT INTO "lab_reviews" VALUES(3,1,'b',4,1772442662123456,'typed',3,2.5,'{"card_id": "b", "stage": "new", "due": "2026-03-02T09:11:02.123456+00:00", "step": null, "stability": null, "difficulty": null, "last_review": null}');
INSERT INTO "lab_runs" VALUES(1,'r1','Run 1',1772442000123456,'{"base_model": "minilm-l6", "batch_size": 16, "concatenation": "u,v,|u-v|", "dropout": 0.0, "learning_rate": 0.0001, "loss": "mnrl", "margin": 0.5, "pooling": "mean", "seed": 7, "snapshot_every": 1, "steps": 100, "temperature": 0.05, "train_word_embeddings": false, "trained_layers": 2, "warmup": 0.1, "weight_decay": 0.0}','runs/1/r1.zip',9);
INSERT INTO "lab_settings" VALUES(1,'study','{"desired_retention": 0.85, "new_per_day": 10, "reviews_per_day": 200, "four_buttons": false, "utc_offset": 60}');
INSERT INTO "lab_settings" VALUES(1,'run_notes','{"r1": "a note"}');
INSERT INTO "lab_suspended" VALUES(1,'b',1772442000123456);
