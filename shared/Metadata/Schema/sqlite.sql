CREATE TABLE IF NOT EXISTS "__EFMigrationsHistory" (
    "MigrationId" TEXT NOT NULL CONSTRAINT "PK___EFMigrationsHistory" PRIMARY KEY,
    "ProductVersion" TEXT NOT NULL
);

BEGIN TRANSACTION;
CREATE TABLE "accesses" (
    "digest" TEXT NOT NULL CONSTRAINT "PK_accesses" PRIMARY KEY,
    "last_at" INTEGER NOT NULL,
    "count" INTEGER NOT NULL
);

CREATE TABLE "blobs" (
    "digest" TEXT NOT NULL CONSTRAINT "PK_blobs" PRIMARY KEY,
    "size" INTEGER NOT NULL,
    "fence" INTEGER NOT NULL,
    "stored_at" INTEGER NOT NULL
);

CREATE TABLE "documents" (
    "repository_id" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "reference" TEXT NOT NULL,
    "body" BLOB NOT NULL,
    "media_type" TEXT NOT NULL,
    "checked_at" INTEGER NOT NULL,
    CONSTRAINT "PK_documents" PRIMARY KEY ("repository_id", "kind", "reference")
);

CREATE TABLE "fence_counter" (
    "id" INTEGER NOT NULL CONSTRAINT "PK_fence_counter" PRIMARY KEY,
    "value" INTEGER NOT NULL
);

CREATE TABLE "fetch_sources" (
    "fetch_id" TEXT NOT NULL,
    "upstream" TEXT NOT NULL,
    "repository" TEXT NOT NULL,
    "added_at" INTEGER NOT NULL,
    "outcome" TEXT NULL,
    "message" TEXT NULL,
    "settled_at" INTEGER NULL,
    "retry_at" INTEGER NULL,
    "failures" INTEGER NOT NULL,
    CONSTRAINT "PK_fetch_sources" PRIMARY KEY ("fetch_id", "upstream", "repository")
);

CREATE TABLE "fetches" (
    "id" TEXT NOT NULL CONSTRAINT "PK_fetches" PRIMARY KEY,
    "key" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "upstream" TEXT NOT NULL,
    "reference" TEXT NOT NULL,
    "trust_domain" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "prefetch" INTEGER NOT NULL,
    "expected_size" INTEGER NULL,
    "size" INTEGER NULL,
    "progress" INTEGER NOT NULL,
    "answered_upstream" TEXT NULL,
    "answered_repository" TEXT NULL,
    "owner" TEXT NULL,
    "owner_address" TEXT NULL,
    "fence" INTEGER NOT NULL,
    "claimed_at" INTEGER NULL,
    "lease_until" INTEGER NULL,
    "suspected_at" INTEGER NULL,
    "queued_at" INTEGER NOT NULL,
    "not_before" INTEGER NOT NULL,
    "wanted_at" INTEGER NOT NULL,
    "outcome" TEXT NULL,
    "message" TEXT NULL,
    "finished_at" INTEGER NULL,
    "traceparent" TEXT NULL
);

CREATE TABLE "manifest_references" (
    "parent" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "child" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "size" INTEGER NOT NULL,
    "media_type" TEXT NOT NULL,
    "platform" TEXT NULL,
    CONSTRAINT "PK_manifest_references" PRIMARY KEY ("parent", "position")
);

CREATE TABLE "manifests" (
    "digest" TEXT NOT NULL CONSTRAINT "PK_manifests" PRIMARY KEY,
    "media_type" TEXT NOT NULL,
    "bytes" BLOB NOT NULL,
    "size" INTEGER NOT NULL,
    "subject" TEXT NULL,
    "artifact_type" TEXT NULL,
    "stored_at" INTEGER NOT NULL
);

CREATE TABLE "repositories" (
    "id" INTEGER NOT NULL CONSTRAINT "PK_repositories" PRIMARY KEY AUTOINCREMENT,
    "upstream" TEXT NOT NULL,
    "name" TEXT NOT NULL
);

CREATE TABLE "repository_contents" (
    "repository_id" INTEGER NOT NULL,
    "digest" TEXT NOT NULL,
    "via" TEXT NOT NULL,
    CONSTRAINT "PK_repository_contents" PRIMARY KEY ("repository_id", "digest")
);

CREATE TABLE "tags" (
    "repository_id" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "digest" TEXT NULL,
    "checked_at" INTEGER NOT NULL,
    "changed_at" INTEGER NOT NULL,
    "epoch" INTEGER NOT NULL,
    CONSTRAINT "PK_tags" PRIMARY KEY ("repository_id", "name")
);

INSERT INTO "fence_counter" ("id", "value")
VALUES (1, 0);
SELECT changes();


CREATE INDEX "ix_fetches_active" ON "fetches" ("state") WHERE state IN ('Queued', 'Running');

CREATE UNIQUE INDEX "ix_fetches_active_key" ON "fetches" ("key") WHERE state IN ('Queued', 'Running');

CREATE INDEX "ix_fetches_finished_at" ON "fetches" ("finished_at");

CREATE INDEX "ix_fetches_key" ON "fetches" ("key");

CREATE INDEX "IX_manifest_references_child" ON "manifest_references" ("child");

CREATE UNIQUE INDEX "IX_repositories_upstream_name" ON "repositories" ("upstream", "name");

CREATE INDEX "IX_repository_contents_digest" ON "repository_contents" ("digest");

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261121052351_Init', '10.0.14');

COMMIT;

BEGIN TRANSACTION;
CREATE TABLE "uploads" (
    "digest" TEXT NOT NULL,
    "fence" INTEGER NOT NULL,
    "upload_id" TEXT NULL,
    "begun_at" INTEGER NOT NULL,
    CONSTRAINT "PK_uploads" PRIMARY KEY ("digest", "fence")
);

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261121192507_Uploads', '10.0.14');

COMMIT;

