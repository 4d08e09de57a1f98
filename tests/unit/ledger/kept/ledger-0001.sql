BEGIN TRANSACTION;
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE checkpoints (
	"key" TEXT NOT NULL, 
	state TEXT, 
	done BIGINT, 
	total BIGINT, 
	note TEXT, 
	updated_at_us BIGINT NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE edges (
	parent_kind TEXT NOT NULL, 
	parent_id TEXT NOT NULL, 
	child_kind TEXT NOT NULL, 
	child_id TEXT NOT NULL, 
	role TEXT NOT NULL, 
	CONSTRAINT edges_key PRIMARY KEY (child_kind, child_id, parent_kind, parent_id, role), 
	CONSTRAINT edges_parent FOREIGN KEY(parent_kind, parent_id) REFERENCES records (kind, id), 
	CONSTRAINT edges_child FOREIGN KEY(child_kind, child_id) REFERENCES records (kind, id)
);
INSERT INTO "edges" VALUES('snapshot','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','training_set','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','spine');
INSERT INTO "edges" VALUES('training_set','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','run','013dc2f5-1000-7000-8000-000000000001','training data');
INSERT INTO "edges" VALUES('run','013dc2f5-1000-7000-8000-000000000001','model_version','013dc2f5-1000-7000-8000-000000000002','trained by');
INSERT INTO "edges" VALUES('run','013dc2f5-1000-7000-8000-000000000001','model_version','013dc2f5-1000-7000-8000-000000000003','trained by');
CREATE TABLE events (
	sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	body TEXT NOT NULL, 
	created_at_us BIGINT NOT NULL, 
	UNIQUE (id)
);
INSERT INTO "events" VALUES(1,'013dc2e4-b7d0-7000-934f-1b09d392b276','deployed','deployment/late_arrival','{"version":2}',1364774402000000);
CREATE TABLE executions (
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	parameters TEXT NOT NULL, 
	state TEXT NOT NULL, 
	started_at_us BIGINT NOT NULL, 
	ended_at_us BIGINT, 
	error TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "executions" VALUES('013dc2e4-b7d0-7001-8744-7866f6077f1f','demo','demo/demo','{"months":3}','succeeded',1364774402000000,1364774402000000,NULL);
CREATE TABLE leases (
	"key" TEXT NOT NULL, 
	fence BIGINT NOT NULL, 
	execution TEXT, 
	holder TEXT, 
	expires_at_us BIGINT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "leases" VALUES('demo/demo',1,NULL,NULL,0);
CREATE TABLE moves (
	name TEXT NOT NULL, 
	number BIGINT NOT NULL, 
	previous TEXT, 
	target TEXT NOT NULL, 
	moved_at_us BIGINT NOT NULL, 
	moved_by TEXT NOT NULL, 
	why TEXT NOT NULL, 
	CONSTRAINT moves_key PRIMARY KEY (name, number)
);
INSERT INTO "moves" VALUES('model/late_arrival@live',1,NULL,'013dc2f5-1000-7000-8000-000000000002',1364774401000000,'ann','first model');
INSERT INTO "moves" VALUES('dataset/flights@main',1,NULL,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',1364774401000000,'ann','first commit');
INSERT INTO "moves" VALUES('model/late_arrival@live',2,'013dc2f5-1000-7000-8000-000000000002','013dc2f5-1000-7000-8000-000000000003',1364774402000000,'bo','better by 0.02');
CREATE TABLE pointers (
	name TEXT NOT NULL, 
	target TEXT NOT NULL, 
	number BIGINT NOT NULL, 
	moved_at_us BIGINT NOT NULL, 
	moved_by TEXT NOT NULL, 
	why TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "pointers" VALUES('model/late_arrival@live','013dc2f5-1000-7000-8000-000000000003',2,1364774402000000,'bo','better by 0.02');
INSERT INTO "pointers" VALUES('dataset/flights@main','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',1,1364774401000000,'ann','first commit');
CREATE TABLE records (
	sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	kind TEXT NOT NULL, 
	id TEXT NOT NULL, 
	body TEXT NOT NULL, 
	created_at_us BIGINT NOT NULL, 
	CONSTRAINT records_kind_id UNIQUE (kind, id)
);
INSERT INTO "records" VALUES(1,'snapshot','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"columns":{"flight":"id","note":"string"},"note":"é '' \" ;","rows":3}',1364774400000000);
INSERT INTO "records" VALUES(2,'training_set','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','{"rows":3}',1364774401000000);
INSERT INTO "records" VALUES(3,'run','013dc2f5-1000-7000-8000-000000000001','{"metrics":{"auc":0.75},"seed":7}',1364774401000000);
INSERT INTO "records" VALUES(4,'model_version','013dc2f5-1000-7000-8000-000000000002','{"name":"late_arrival","number":1}',1364774401000000);
INSERT INTO "records" VALUES(5,'model_version','013dc2f5-1000-7000-8000-000000000003','{"name":"late_arrival","number":2}',1364774402000000);
INSERT INTO "records" VALUES(6,'execution','013dc2e4-b7d0-7001-8744-7866f6077f1f','{"key":"demo/demo","name":"demo","parameters":{"months":3}}',1364774402000000);
CREATE TABLE steps (
	sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	execution TEXT NOT NULL, 
	name TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	parts TEXT NOT NULL, 
	state TEXT NOT NULL, 
	started_at_us BIGINT NOT NULL, 
	ended_at_us BIGINT, 
	seconds FLOAT, 
	result TEXT, 
	error TEXT, 
	log TEXT, 
	CONSTRAINT steps_execution FOREIGN KEY(execution) REFERENCES executions (id)
);
INSERT INTO "steps" VALUES(1,'013dc2e4-b7d0-7001-8744-7866f6077f1f','prepare','d561703da994d3adf624073f7da9e8ee244021e9f017f635d6f18bf2b40e8a9f','{"code":"026a03e1e39bb4c2a1ebf8238482b342998ea477efdc5d6b94057b9ae289cf65","inputs":{"source":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},"name":"prepare","packages":{},"parameters":{},"version":1}','ok',1364774402000000,1364774402000000,0.002939,'{"rows":3}',NULL,NULL);
CREATE INDEX records_id ON records (id);
CREATE INDEX records_kind_sequence ON records (kind, sequence);
CREATE INDEX events_kind_sequence ON events (kind, sequence);
CREATE INDEX events_subject_sequence ON events (subject, sequence);
CREATE INDEX executions_name_id ON executions (name, id);
CREATE INDEX edges_by_parent ON edges (parent_kind, parent_id);
CREATE INDEX steps_execution_sequence ON steps (execution, sequence);
CREATE INDEX steps_name ON steps (name, sequence);
CREATE INDEX steps_key ON steps ("key", sequence);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('records',6);
INSERT INTO "sqlite_sequence" VALUES('events',1);
INSERT INTO "sqlite_sequence" VALUES('steps',1);
COMMIT;
