BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0005_oversight');
CREATE TABLE enrolment (
	class_id VARCHAR(16) NOT NULL, 
	person_id VARCHAR(16) NOT NULL, 
	seat INTEGER NOT NULL, 
	enrolled_ms BIGINT NOT NULL, 
	CONSTRAINT pk_enrolment PRIMARY KEY (class_id, person_id), 
	CONSTRAINT uq_enrolment_class_id_seat UNIQUE (class_id, seat), 
	CONSTRAINT fk_enrolment_class_id FOREIGN KEY(class_id) REFERENCES training_class (id), 
	CONSTRAINT fk_enrolment_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);
INSERT INTO "enrolment" VALUES('37dde47e0fcbfc71','0226da916159b6a6',1,1795424400000);
INSERT INTO "enrolment" VALUES('37dde47e0fcbfc71','9dd8a7599982ae9c',2,1795424400000);
CREATE TABLE institution (
	id VARCHAR(16) NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	area VARCHAR(6) NOT NULL, 
	created_ms BIGINT NOT NULL, 
	CONSTRAINT pk_institution PRIMARY KEY (id), 
	CONSTRAINT uq_institution_name UNIQUE (name)
);
INSERT INTO "institution" VALUES('e5e66bc06fdfd0bc','示例学校','371525',1795424400000);
CREATE TABLE invitation (
	id VARCHAR(16) NOT NULL, 
	secret_digest VARCHAR(64) NOT NULL, 
	person_id VARCHAR(16) NOT NULL, 
	scope VARCHAR(32) NOT NULL, 
	created_ms BIGINT NOT NULL, 
	expires_ms BIGINT NOT NULL, 
	used_ms BIGINT, 
	CONSTRAINT pk_invitation PRIMARY KEY (id), 
	CONSTRAINT uq_invitation_secret_digest UNIQUE (secret_digest), 
	CONSTRAINT fk_invitation_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);
CREATE TABLE lease (
	person_id VARCHAR(16) NOT NULL, 
	epoch INTEGER NOT NULL, 
	lesson_id VARCHAR(16) NOT NULL, 
	session_id VARCHAR(16) NOT NULL, 
	device VARCHAR(16) NOT NULL, 
	page VARCHAR(64) NOT NULL, 
	resume_digest VARCHAR(64) NOT NULL, 
	how VARCHAR(16) NOT NULL, 
	granted_ms BIGINT NOT NULL, 
	CONSTRAINT pk_lease PRIMARY KEY (person_id, epoch)
)
 WITHOUT ROWID

;
INSERT INTO "lease" VALUES('0226da916159b6a6',1,'218b52d6c56499a7','b85533ff3ad1cdc0','desktop','page-one','517780e842bcdcfd5fb9062efd464b6fa9158fe6d521591222f12ce0dc449f7b','new',1795424400000);
CREATE TABLE lease_end (
	person_id VARCHAR(16) NOT NULL, 
	epoch INTEGER NOT NULL, 
	reason VARCHAR(16) NOT NULL, 
	ended_ms BIGINT NOT NULL, 
	CONSTRAINT pk_lease_end PRIMARY KEY (person_id, epoch)
)
 WITHOUT ROWID

;
CREATE TABLE lesson (
	id VARCHAR(16) NOT NULL, 
	class_id VARCHAR(16) NOT NULL, 
	number INTEGER NOT NULL, 
	title VARCHAR(100) NOT NULL, 
	subject_kind VARCHAR(16) NOT NULL, 
	planned_start_ms BIGINT NOT NULL, 
	planned_end_ms BIGINT NOT NULL, 
	instructor_id VARCHAR(16) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	started_ms BIGINT, 
	ended_ms BIGINT, 
	CONSTRAINT pk_lesson PRIMARY KEY (id), 
	CONSTRAINT uq_lesson_class_id_number UNIQUE (class_id, number), 
	CONSTRAINT fk_lesson_class_id FOREIGN KEY(class_id) REFERENCES training_class (id), 
	CONSTRAINT fk_lesson_instructor_id FOREIGN KEY(instructor_id) REFERENCES person (id)
);
INSERT INTO "lesson" VALUES('218b52d6c56499a7','37dde47e0fcbfc71',1,'第1课','theory',1795424400000,1795428000000,'e2929e9e411cda52','live',1795424400000,NULL);
CREATE TABLE lesson_event (
	lesson_id VARCHAR(16) NOT NULL, 
	seq INTEGER NOT NULL, 
	at_ms BIGINT NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	actor_id VARCHAR(16) NOT NULL, 
	since_ms BIGINT NOT NULL, 
	CONSTRAINT pk_lesson_event PRIMARY KEY (lesson_id, seq)
)
 WITHOUT ROWID

;
INSERT INTO "lesson_event" VALUES('218b52d6c56499a7',1,1795424400000,'starting','e2929e9e411cda52',1795424400000);
INSERT INTO "lesson_event" VALUES('218b52d6c56499a7',2,1795424400000,'started','e2929e9e411cda52',1795424400000);
INSERT INTO "lesson_event" VALUES('218b52d6c56499a7',3,1795424640000,'instructor_left','',1795424640000);
CREATE TABLE login_session (
	id VARCHAR(16) NOT NULL, 
	token_digest VARCHAR(64) NOT NULL, 
	person_id VARCHAR(16) NOT NULL, 
	created_ms BIGINT NOT NULL, 
	expires_ms BIGINT NOT NULL, 
	CONSTRAINT pk_login_session PRIMARY KEY (id), 
	CONSTRAINT uq_login_session_token_digest UNIQUE (token_digest), 
	CONSTRAINT fk_login_session_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);
INSERT INTO "login_session" VALUES('9569bbfd2f9c90c8','18d2268b0108f65dee32b0854e22c8bd9b8d13ba3cb5a02d01ff42a0ac1b897c','e2929e9e411cda52',1795424400000,1795467600000);
INSERT INTO "login_session" VALUES('b85533ff3ad1cdc0','d2397d8661b4a4e5534d8d216135558f77443dda5da1517f8a258e6496dd5314','0226da916159b6a6',1795424400000,1795467600000);
INSERT INTO "login_session" VALUES('ef9d305819f66d36','16c982599b656eb4ec58cfdbb6a31b41d6939bef9625e48978f101c4197909bc','9fde8b3b0ca4c8ac',1795424640000,1795467840000);
CREATE TABLE minute_journal (
	lesson_id VARCHAR(16) NOT NULL, 
	slot INTEGER NOT NULL, 
	delivered_ms INTEGER NOT NULL, 
	credit_ms_total BIGINT NOT NULL, 
	n_records INTEGER NOT NULL, 
	records BLOB NOT NULL, 
	sealed_ms BIGINT NOT NULL, 
	CONSTRAINT pk_minute_journal PRIMARY KEY (lesson_id, slot)
)
 WITHOUT ROWID

;
INSERT INTO "minute_journal" VALUES('218b52d6c56499a7',29923740,60000,60000,1,X'0226DA916159B6A60001000000EA60',1795424640000);
INSERT INTO "minute_journal" VALUES('218b52d6c56499a7',29923741,60000,60000,1,X'0226DA916159B6A60001000000EA60',1795424640000);
CREATE TABLE person (
	id VARCHAR(16) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	name VARCHAR(60) NOT NULL, 
	login VARCHAR(32) NOT NULL, 
	institution_id VARCHAR(16), 
	area VARCHAR(6), 
	password_hash VARCHAR(200), 
	id_number_sealed BLOB, 
	id_number_digest VARCHAR(64), 
	id_number_masked VARCHAR(18), 
	phone_sealed BLOB, 
	created_ms BIGINT NOT NULL, 
	CONSTRAINT pk_person PRIMARY KEY (id), 
	CONSTRAINT uq_person_login UNIQUE (login), 
	CONSTRAINT uq_person_id_number_digest UNIQUE (id_number_digest)
);
INSERT INTO "person" VALUES('4dca8e254c2e3616','administrator','名admin','admin',NULL,NULL,'$argon2id$v=19$m=19456,t=2,p=1$k1o/YDo5OiNhENhl7fZU0Q$tSqmIqhRS7JZ65ddIUSpSl6EJI2mtqhzkgVycRbYXrA',NULL,NULL,NULL,NULL,1795424400000);
INSERT INTO "person" VALUES('9fde8b3b0ca4c8ac','staff','名staff','staff','e5e66bc06fdfd0bc',NULL,'$argon2id$v=19$m=19456,t=2,p=1$n1fqLk3jMHk4t3jPZGZC0Q$55ZKjnynhOwfI8UOd2fOvPWXdQ6myh69qUrrx+i8vjI',NULL,NULL,NULL,NULL,1795424400000);
INSERT INTO "person" VALUES('e2929e9e411cda52','instructor','名teacher','teacher','e5e66bc06fdfd0bc',NULL,'$argon2id$v=19$m=19456,t=2,p=1$VFOpzndHcwmPmzbSrx1QBA$PBxxevKfavRrXGbKpZkmWp3Rfrq9ie6/nFZ08ux45qk',NULL,NULL,NULL,NULL,1795424400000);
INSERT INTO "person" VALUES('758dad3a1ef249f8','instructor','名other','other','e5e66bc06fdfd0bc',NULL,'$argon2id$v=19$m=19456,t=2,p=1$/jYwwuDITy6YaxF3+MjQoQ$zDVxSQ8Rfer8kYhmWO1KJ1ymBkVRSr7LC1o0woKOqvo',NULL,NULL,NULL,NULL,1795424400000);
INSERT INTO "person" VALUES('0226da916159b6a6','trainee','名jia','jia','e5e66bc06fdfd0bc',NULL,'$argon2id$v=19$m=19456,t=2,p=1$lHXL8bpgIpaO6WushkvFXQ$pb6DLY/xHvsYWyf1v779ZQaEt1JL0KGTtnncNPACZSA',X'B74F671BEA2AF2E35D00B2EC07E66F618A774E0B9FF46A25AE3A13E85EC8D37D1147E5AE85F040616FF861DA0543','d5a8da326068f7f6d2f1e275ef8eac7b835e7dfc01a76da724316e3b82d78f44','110***********0417',NULL,1795424400000);
INSERT INTO "person" VALUES('9dd8a7599982ae9c','trainee','名yi','yi','e5e66bc06fdfd0bc',NULL,'$argon2id$v=19$m=19456,t=2,p=1$WVNzrBfHdH+MIsnn2s2taw$0ZKhRkXDUe53ByWkYt9xoIrYp2aVxS+LspU26AbD7kc',X'E940D429641689440B9F78E0A01E58AFF8EF7316248D5769B031386C2EDF308740893D524AFB43FCC7D757FB539E','12b8388d0925bec9bfc52000600e11a69049a358dbdd4477ce300299a376a9df','110***********2818',NULL,1795424400000);
INSERT INTO "person" VALUES('b49964bc6bf5351b','trainee','名stranger','stranger','e5e66bc06fdfd0bc',NULL,'$argon2id$v=19$m=19456,t=2,p=1$E55FgSjF1AVcVHbr611vjQ$JAdSctyD1wYT+8980mtUgSttvIeud6HehERup8Pz460',X'286433E1A591205B3BB71F2F5EDF44FDF01E1896190A18F32011F6F1716767DC3E4EB4B645B3CB100D30DA1E63C5','b66832ca4f159c8febe9f6a2a5b9a0f42439227fe897aa0722695950a220d27e','110***********5736',NULL,1795424400000);
INSERT INTO "person" VALUES('ceef582e583333b6','regulator','名regulator','regulator',NULL,'370000','$argon2id$v=19$m=19456,t=2,p=1$0ZhmkoDHebqIg5otR6l6wQ$3Ae8Dh/FlP3vXwi8jHWUUyO1JRZxSAKYe4IG6V+stjQ',NULL,NULL,NULL,NULL,1795424400000);
INSERT INTO "person" VALUES('b783255c3e319d0a','regulator','名abroad','abroad',NULL,'110000','$argon2id$v=19$m=19456,t=2,p=1$fYlm6DVYYWxlm/d5jwSgUA$3NQPYD2pDQ8EopW6WJ54Hdnx3dRW8VtS6c7Hqh5bs2c',NULL,NULL,NULL,NULL,1795424400000);
CREATE TABLE platform (
	id INTEGER NOT NULL, 
	operator VARCHAR(100) NOT NULL, 
	record_number VARCHAR(60) NOT NULL, 
	demo BOOLEAN NOT NULL, 
	created_ms BIGINT NOT NULL, 
	CONSTRAINT pk_platform PRIMARY KEY (id)
);
CREATE TABLE regulator_view (
	id VARCHAR(16) NOT NULL, 
	person_id VARCHAR(16) NOT NULL, 
	at_ms BIGINT NOT NULL, 
	page VARCHAR(64) NOT NULL, 
	object_id VARCHAR(16) NOT NULL, 
	CONSTRAINT pk_regulator_view PRIMARY KEY (id)
)
 WITHOUT ROWID

;
CREATE TABLE scheme (
	id VARCHAR(48) NOT NULL, 
	name VARCHAR(40) NOT NULL, 
	version INTEGER NOT NULL, 
	title VARCHAR(100) NOT NULL, 
	parameters TEXT NOT NULL, 
	published_ms BIGINT NOT NULL, 
	CONSTRAINT pk_scheme PRIMARY KEY (id), 
	CONSTRAINT ck_scheme_id CHECK (id = name || '/' || version)
)
 WITHOUT ROWID

;
INSERT INTO "scheme" VALUES('default/1','default',1,'默认学时认定规则','{"challenges": "none", "class_hour_ms": 2700000, "longest_gap_ms": 60000, "rounding": "floor"}',1795392000000);
CREATE TABLE training_class (
	id VARCHAR(16) NOT NULL, 
	code VARCHAR(40) NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	institution_id VARCHAR(16) NOT NULL, 
	occupation VARCHAR(100) NOT NULL, 
	level VARCHAR(40) NOT NULL, 
	starts_on VARCHAR(10) NOT NULL, 
	ends_on VARCHAR(10) NOT NULL, 
	required_hours INTEGER NOT NULL, 
	scheme_id VARCHAR(48) NOT NULL, 
	token VARCHAR(32) NOT NULL, 
	created_ms BIGINT NOT NULL, 
	CONSTRAINT pk_training_class PRIMARY KEY (id), 
	CONSTRAINT uq_training_class_institution_id_code UNIQUE (institution_id, code), 
	CONSTRAINT uq_training_class_token UNIQUE (token), 
	CONSTRAINT fk_training_class_institution_id FOREIGN KEY(institution_id) REFERENCES institution (id), 
	CONSTRAINT fk_training_class_scheme_id FOREIGN KEY(scheme_id) REFERENCES scheme (id)
);
INSERT INTO "training_class" VALUES('37dde47e0fcbfc71','C-1','示例班','e5e66bc06fdfd0bc','养老护理员','五级','2026-11-01','2026-12-31',40,'default/1','Or6c0Osm970A',1795424400000);
CREATE INDEX ix_person_institution_id ON person (institution_id);
CREATE INDEX ix_login_session_person_id ON login_session (person_id);
CREATE INDEX ix_invitation_person_id ON invitation (person_id);
CREATE TRIGGER scheme_no_update BEFORE UPDATE ON scheme BEGIN SELECT RAISE(ABORT, 'append_only: scheme keeps what was written'); END;
CREATE TRIGGER scheme_no_delete BEFORE DELETE ON scheme BEGIN SELECT RAISE(ABORT, 'append_only: scheme keeps what was written'); END;
CREATE TRIGGER scheme_no_replace BEFORE INSERT ON scheme WHEN EXISTS (SELECT 1 FROM scheme WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'append_only: scheme keeps what was written'); END;
CREATE INDEX ix_lesson_instructor_id ON lesson (instructor_id);
CREATE INDEX ix_lesson_state ON lesson (state);
CREATE INDEX ix_enrolment_person_id ON enrolment (person_id);
CREATE INDEX ix_lease_lesson_id ON lease (lesson_id);
CREATE TRIGGER lease_no_update BEFORE UPDATE ON lease BEGIN SELECT RAISE(ABORT, 'append_only: lease keeps what was written'); END;
CREATE TRIGGER lease_no_delete BEFORE DELETE ON lease BEGIN SELECT RAISE(ABORT, 'append_only: lease keeps what was written'); END;
CREATE TRIGGER lease_no_replace BEFORE INSERT ON lease WHEN EXISTS (SELECT 1 FROM lease WHERE person_id = NEW.person_id AND epoch = NEW.epoch) BEGIN SELECT RAISE(ABORT, 'append_only: lease keeps what was written'); END;
CREATE TRIGGER lease_end_no_update BEFORE UPDATE ON lease_end BEGIN SELECT RAISE(ABORT, 'append_only: lease_end keeps what was written'); END;
CREATE TRIGGER lease_end_no_delete BEFORE DELETE ON lease_end BEGIN SELECT RAISE(ABORT, 'append_only: lease_end keeps what was written'); END;
CREATE TRIGGER lease_end_no_replace BEFORE INSERT ON lease_end WHEN EXISTS (SELECT 1 FROM lease_end WHERE person_id = NEW.person_id AND epoch = NEW.epoch) BEGIN SELECT RAISE(ABORT, 'append_only: lease_end keeps what was written'); END;
CREATE TRIGGER minute_journal_no_update BEFORE UPDATE ON minute_journal BEGIN SELECT RAISE(ABORT, 'append_only: minute_journal keeps what was written'); END;
CREATE TRIGGER minute_journal_no_delete BEFORE DELETE ON minute_journal BEGIN SELECT RAISE(ABORT, 'append_only: minute_journal keeps what was written'); END;
CREATE TRIGGER minute_journal_no_replace BEFORE INSERT ON minute_journal WHEN EXISTS (SELECT 1 FROM minute_journal WHERE lesson_id = NEW.lesson_id AND slot = NEW.slot) BEGIN SELECT RAISE(ABORT, 'append_only: minute_journal keeps what was written'); END;
CREATE TRIGGER lesson_event_no_update BEFORE UPDATE ON lesson_event BEGIN SELECT RAISE(ABORT, 'append_only: lesson_event keeps what was written'); END;
CREATE TRIGGER lesson_event_no_delete BEFORE DELETE ON lesson_event BEGIN SELECT RAISE(ABORT, 'append_only: lesson_event keeps what was written'); END;
CREATE TRIGGER lesson_event_no_replace BEFORE INSERT ON lesson_event WHEN EXISTS (SELECT 1 FROM lesson_event WHERE lesson_id = NEW.lesson_id AND seq = NEW.seq) BEGIN SELECT RAISE(ABORT, 'append_only: lesson_event keeps what was written'); END;
CREATE INDEX ix_regulator_view_object_id ON regulator_view (object_id);
CREATE TRIGGER regulator_view_no_update BEFORE UPDATE ON regulator_view BEGIN SELECT RAISE(ABORT, 'append_only: regulator_view keeps what was written'); END;
CREATE TRIGGER regulator_view_no_delete BEFORE DELETE ON regulator_view BEGIN SELECT RAISE(ABORT, 'append_only: regulator_view keeps what was written'); END;
CREATE TRIGGER regulator_view_no_replace BEFORE INSERT ON regulator_view WHEN EXISTS (SELECT 1 FROM regulator_view WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'append_only: regulator_view keeps what was written'); END;
COMMIT;
